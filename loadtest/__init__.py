"""Load from outside: a black box that imports nothing of the product's."""
