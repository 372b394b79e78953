"""What a server knows of one connection."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Wait:
    """A blocked command: what it waits for, and what it runs when it wakes."""

    argv: tuple[bytes, ...]
    """The command, with every ``$`` already resolved."""

    positions: dict[bytes, int]
    """Key to the ID after which an entry would serve it; of a key given twice, the first. 0 for lists."""

    deadline_ms: int | None
    """When it gives up (``None``: never). It does so only once the clock is past this time."""

    group: bytes | None
    consumer: bytes
    noack: bool
    count: int
    claim_ms: int | None = None
    """When a read with CLAIM may find something to claim (``None``: it does not claim)."""

    for_list: bool = False
    """Whether it waits for an element of a list, not for an entry of a stream."""

    follow: tuple[int, int] | None = None
    """How many files and how many replicas are to have what was told (WAIT, WAITAOF); ``None``: it waits for keys."""

    told: int = 0
    """Of that: how much it is, in units."""


class Session:
    """One connection: its protocol version, its database, its transaction, what it is blocked on."""

    __slots__ = (
        "apart", "broken", "database", "dirty", "id", "name", "queue", "resp", "subscriptions", "told",
        "wait", "watched",
    )  # fmt: skip

    def __init__(self, session_id: int, resp: int) -> None:
        self.id = session_id
        self.resp = resp
        self.queue: list[tuple[bytes, ...]] | None = None
        """Commands of an open MULTI, ``None`` outside one."""
        self.broken = False
        """Whether a command was refused while queueing, so that EXEC must abort."""
        self.wait: Wait | None = None
        self.database = 0
        self.watched: dict[tuple[int, bytes], bool] | None = None
        """Watched keys, each with its database, and whether its time was over already when WATCH was sent."""
        self.dirty = False
        """Whether a watched key was touched, so that EXEC must do nothing."""
        self.name = b""
        self.apart = False
        """Whether commands need a look at this session first: it has selected another database, or subscribed."""
        self.subscriptions = 0
        """How many channels and patterns it is subscribed to."""
        self.told = 0
        """How much the server had told, in units, when its last command was over; kept where somebody follows."""

    def copy(self) -> Session:
        """An independent session in the same state."""
        twin = Session(self.id, self.resp)
        twin.queue = None if self.queue is None else self.queue.copy()
        twin.broken = self.broken
        twin.wait = self.wait  # a Wait is replaced, never changed
        twin.database = self.database
        twin.watched = None if self.watched is None else self.watched.copy()
        twin.dirty = self.dirty
        twin.name = self.name
        twin.apart = self.apart
        twin.subscriptions = self.subscriptions
        twin.told = self.told
        return twin

    def use(self, database: int) -> None:
        """Selects a database."""
        self.database = database
        self.apart = bool(database or self.subscriptions)

    def forgives(self, database: int, key: bytes) -> bool:
        """Whether the removal of a watched key changes nothing: its time was over when WATCH was sent.

        From then on the key counts as watched while it is missing.
        """
        if self.watched is None or not self.watched[database, key]:
            return False
        self.watched[database, key] = False
        return True
