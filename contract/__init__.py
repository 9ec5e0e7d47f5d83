"""What crosses a process boundary: envelope and topics, reports, the agent's local socket."""
