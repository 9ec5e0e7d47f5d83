"""SunSpec: discovery, decode plans, scaled values, verified writes and curve adoption."""
