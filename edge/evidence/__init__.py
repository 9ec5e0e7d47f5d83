"""Captures for people and for their tools: channels, COMTRADE files, a picture. Pure but for the file written."""
