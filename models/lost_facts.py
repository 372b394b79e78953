"""Facts of what comes back when a server is lost: what it had done last, and nobody else had heard of."""

from __future__ import annotations

from typing import Final, NamedTuple

SERVER_LOST: Final = ("restart", "failover", "snapshot")
"""Causes of facts that tell what was lost with a server."""

NEW_EPOCH: Final = ("SETID", *SERVER_LOST)
"""Causes of ``CursorMoved`` that open a new epoch."""


class Restored(NamedTuple):
    """Entries that were gone are there again: their removal was lost with a server; ``cause`` says how."""

    stream: bytes
    born: int
    ids: tuple[int, ...]
    cause: str


class Reinstated(NamedTuple):
    """A pending entry is again what it was before: its acknowledgment, or a claim, was lost with a server.

    ``owner_before`` had it until now (``None``: nobody, it was not pending any more).
    """

    stream: bytes
    born: int
    group: bytes
    consumer: bytes
    id: int
    owner_before: bytes | None
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody calls
    delivered_ms: int
    cause: str
