"""Studies: a scenario family over thousands of sites and seeds, and what a feeder sees of them."""
