"""The gateway: pure control and protection, and the shell that runs them against real devices."""
