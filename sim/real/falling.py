"""Servers that die in the middle of a script, and come back."""

from __future__ import annotations

from .connection import Connection
from .errors import RealServerError
from .script import Fall


def never_dies(step: Fall) -> Connection:
    """A server that is not ours does not die."""
    raise RealServerError("only a server that was started for the replay can be made to die")
