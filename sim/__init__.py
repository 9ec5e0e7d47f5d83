"""The simulated site: pure physics with an explicit time step, and Modbus servers in front of it."""
