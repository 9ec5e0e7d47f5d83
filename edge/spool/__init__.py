"""The durable queue between the agent and the portal: one SQLite file, emptied only by the portal's receipt."""

from edge.spool.spool import Pending, Spool, SpoolError, SpoolFull
from edge.spool.writer import SpoolWriter

__all__ = ["Pending", "Spool", "SpoolError", "SpoolFull", "SpoolWriter"]
