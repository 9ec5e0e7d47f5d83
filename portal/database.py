"""The database: one SQLite file, brought to the newest schema when it is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DatabaseError

_MIGRATIONS = Path(__file__).parent / "migrations"


class PortalDatabaseError(Exception):
    """The database cannot be used; one sentence."""


def open_database(path: Path) -> Engine:
    """Open or create the file and migrate it; raises PortalDatabaseError."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
    event.listen(engine, "connect", _configure)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        migrate(engine, "head")
    except (DatabaseError, CommandError, OSError) as error:
        engine.dispose()
        cause = error.orig if isinstance(error, DatabaseError) else error
        raise PortalDatabaseError(f"the database {path.name} cannot be used: {cause}") from error
    return engine


def migrate(engine: Engine, target: str) -> None:
    """Bring the schema up or down to `target` ("head", "base" or a revision)."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        if target == "base":
            command.downgrade(config, target)
        else:
            command.upgrade(config, target)


def _configure(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a receipt promises that the record is on the disk
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
