"""Commissioning tests: procedures, their runner and journal, and the report."""
