"""*Sometimes* statements of servers that are lost: what a run must have exercised to show anything."""

from __future__ import annotations

from ...models.facts import SERVER_LOST as SERVER_GONE
from ...models.facts import (
    Acked,
    Added,
    CursorMoved,
    Deleted,
    GroupCreated,
    GroupRemoved,
    Reinstated,
    StreamRemoved,
)
from ..events import Effect, Event, ServerLost
from ..server_faults import MAXMEMORY
from ..watch import Monitor, Property
from .sometimes import Once


class ServerGone(Once):
    """Was the server lost, by a restart or a failover?"""

    def on_server_lost(self, event: ServerLost) -> str | None:
        """Met."""
        return self.see(event)


class AckLost(Monitor):
    """Was an acknowledgment lost with the server, and not its entry?"""

    def __init__(self) -> None:
        self.acked: dict[tuple[bytes, bytes, int], None] = {}
        self.seen = False

    def on_acked(self, fact: Acked, event: Event) -> str | None:
        """It may be lost."""
        self.acked[fact.stream, fact.group, fact.id] = None
        return None

    def on_deleted(self, fact: Deleted, event: Event) -> str | None:
        """What is gone is not delivered again."""
        for key in [key for key in self.acked if key[0] == fact.stream and key[2] in fact.ids]:
            del self.acked[key]
        return None

    def on_reinstated(self, fact: Reinstated, event: Event) -> str | None:
        """Met, if it had been acknowledged."""
        self.seen = self.seen or (fact.stream, fact.group, fact.id) in self.acked
        return None

    def on_cursor_moved(self, fact: CursorMoved, event: Event) -> str | None:
        """Met, if the cursor went back past one that had been acknowledged."""
        if fact.cause in SERVER_GONE:
            passed = [key for key in self.acked if key[:2] == (fact.stream, fact.group) and key[2] > fact.cursor]
            self.seen = self.seen or bool(passed)
        return None

    def met(self) -> bool:
        """Whether it was seen."""
        return self.seen


class AddedWithoutGroup(Monitor):
    """Was an entry added to a stream that came back without its group?"""

    def __init__(self) -> None:
        self.lost: dict[bytes, None] = {}
        self.seen = False

    def on_group_removed(self, fact: GroupRemoved, event: Event) -> str | None:
        """It has no group now."""
        self.lost[fact.stream] = None
        return None

    def on_group_created(self, fact: GroupCreated, event: Event) -> str | None:
        """It has one."""
        self.lost.pop(fact.stream, None)
        return None

    def on_added(self, fact: Added, event: Event) -> str | None:
        """Met, if there is no group."""
        self.seen = self.seen or fact.stream in self.lost
        return None

    def met(self) -> bool:
        """Whether it was seen."""
        return self.seen


class Flushed(Once):
    """Was a stream emptied away with its database, or evicted?"""

    def on_stream_removed(self, fact: StreamRemoved, event: Event) -> str | None:
        """Met, if it was by FLUSHALL or FLUSHDB, by a restart that kept nothing, or because memory was short."""
        evicted = isinstance(event, Effect) and event.process == MAXMEMORY
        return self.see(fact) if evicted or fact.cause in ("FLUSHALL", "FLUSHDB", "restart") else None


SERVER_LOST = Property("server-lost", "sometimes", "the server is lost, and another stands in its place", ServerGone)
FLUSHED = Property("flushed", "sometimes", "a stream goes with all that was in the database, or is evicted", Flushed)
ACK_LOST = Property("ack-lost", "sometimes", "an acknowledgment is lost with the server, and not its entry", AckLost)
ADDED_WITHOUT_GROUP = Property(
    "added-without-group", "sometimes", "an entry is added to a stream whose group is gone", AddedWithoutGroup
)
