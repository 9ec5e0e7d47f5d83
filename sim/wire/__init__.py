"""The wire between a Modbus unit and its client: TCP and RTU servers, and what can go wrong on the way."""
