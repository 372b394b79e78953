"""What a server knows of one connection."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Wait:
    """A blocked read: what it waits for, and what it runs when it wakes."""

    argv: tuple[bytes, ...]
    """The command, with every ``$`` already resolved."""

    positions: dict[bytes, int]
    """Key to the ID after which an entry would serve it; of a key given twice, the first."""

    deadline_ms: int | None
    """When it gives up (``None``: never). It does so only once the clock is past this time."""

    group: bytes | None
    consumer: bytes
    noack: bool
    count: int


class Session:
    """One connection: its protocol version, its transaction, what it is blocked on."""

    __slots__ = ("broken", "id", "queue", "resp", "wait")

    def __init__(self, session_id: int, resp: int) -> None:
        self.id = session_id
        self.resp = resp
        self.queue: list[tuple[bytes, ...]] | None = None
        """Commands of an open MULTI, ``None`` outside one."""
        self.broken = False
        """Whether a command was refused while queueing, so that EXEC must abort."""
        self.wait: Wait | None = None

    def copy(self) -> Session:
        """An independent session in the same state."""
        twin = Session(self.id, self.resp)
        twin.queue = None if self.queue is None else self.queue.copy()
        twin.broken = self.broken
        twin.wait = self.wait  # a Wait is replaced, never changed
        return twin
