"""Register maps generated from SunSpec definitions, and the Modbus devices that show a plant through them."""
