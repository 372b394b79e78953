"""What can happen in a run: connections come and go, send commands, the clock moves, the state is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Action", "ClockTo", "Connect", "Do", "HangUp", "Inspect"]


@dataclass(frozen=True, slots=True)
class Connect:
    """A client connects, under a number of its own, and speaks RESP2 or RESP3."""

    conn: int
    resp: int


@dataclass(frozen=True, slots=True)
class HangUp:
    """A client goes, blocked or not."""

    conn: int


@dataclass(frozen=True, slots=True)
class Do:
    """A client sends a command; nothing happens while it is blocked or not connected."""

    conn: int
    argv: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ClockTo:
    """The server's clock is set, forward or backward: milliseconds since the epoch."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class Inspect:
    """Everything that can be seen of the state, as commands on a connection of its own."""

    resp: int = 2


Action: TypeAlias = Connect | HangUp | Do | ClockTo | Inspect
