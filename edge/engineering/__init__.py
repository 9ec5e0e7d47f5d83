"""What an interconnection application states about a site, with its numbers and clauses. Pure."""
