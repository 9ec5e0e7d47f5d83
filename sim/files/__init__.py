"""What a sim file may say, one concept to a module (TOML, strict): powers in W, times in s, % of nameplate."""
