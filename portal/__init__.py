"""The utility's side: ingest from the broker, settings as found, reports, and the web pages."""
