"""Control laws of other projects beside the shipped limiter: same plants, same seeds, same meters, same wire.

Each law is our own small function, written from what its project documents; its module says where. `plants` are what
they run on, `run` puts one in the place of the limiter, `tuning` looks for its best parameters, `judge` compares.
"""
