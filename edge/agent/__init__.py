"""The asyncio shell around step(): clock, scan, watchdog, recorder, socket server."""
