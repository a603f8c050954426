"""Files of made-up data, as large as one likes: the same seed always writes the same file."""
