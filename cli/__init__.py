"""The `dergate` command; it may import everything, and nothing imports it."""
