"""Measurements: speed, memory and control quality, each as a ratio to a reference of the same run."""
