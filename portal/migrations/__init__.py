"""Alembic migrations of the portal's database, up and down."""
