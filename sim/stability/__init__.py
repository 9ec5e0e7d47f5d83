"""The limiter on the grid of plants of the design: what it is run on, what is asked of it, and how it is judged."""
