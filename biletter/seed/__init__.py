"""The demonstration: events, halls and accounts that make a fresh machine worth looking at."""
