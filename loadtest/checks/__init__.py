"""What the stores say about the promises; each module asks one of them."""
