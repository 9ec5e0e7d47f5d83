"""What speaks to devices: Modbus lines, SunSpec decoding and control, trip outputs, device profiles."""
