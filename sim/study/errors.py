"""What can end a study early. What was done is kept."""

from __future__ import annotations


class NoClusterError(Exception):
    """The scheduler cannot be reached or has no workers; one sentence."""


class WorkersLostError(Exception):
    """Nobody is left to run the study; one sentence."""
