"""Application properties of what must outlive the server: promises, acknowledgments, groups that are gone."""

from __future__ import annotations

from ...models import ids
from ...models.facts import Acked
from ...models.replies import Failure, Reply
from ..events import Effect, Event, Handled, Handling, Projected, Served
from ..watch import Monitor, Property
from .accounting import LiveEntries
from .wording import name, show

PROMISED = "promised"
"""Under this name a producer publishes that an entry is safe: with the entry's ID as ``upto``."""

READS_OF_GROUPS = (b"XREADGROUP", b"XCLAIM", b"XAUTOCLAIM")


class AckedNeverHandledAgain(Monitor):
    """Remembers what was ever acknowledged."""

    def __init__(self) -> None:
        self.acked: dict[tuple[bytes, bytes, bytes], None] = {}

    def on_acked(self, fact: Acked, event: Event) -> str | None:
        """It is settled, whatever becomes of the server."""
        self.acked[fact.stream, fact.group, ids.show(fact.id)] = None
        return None

    def on_handling(self, event: Handling) -> str | None:
        """Nobody may begin with it again."""
        if (event.stream, event.group, event.entry) not in self.acked:
            return None
        entry, group = name(event.entry), name(event.group)
        return f"{event.process} handles entry {entry} again, which was acknowledged in group {group}"


class PromisedImpliesHandled(Monitor):
    """Collects what producers were promised to be safe, and crosses off what was handled, before or after."""

    def __init__(self) -> None:
        self.promised: dict[bytes, None] = {}
        self.handled: dict[bytes, None] = {}

    def on_projected(self, event: Projected) -> str | None:
        """A producer takes an entry for safe."""
        if event.name == PROMISED and event.upto not in self.handled:
            self.promised[event.upto] = None
        return None

    def on_handled(self, event: Handled) -> str | None:
        """The promise is kept."""
        self.handled[event.entry] = None
        self.promised.pop(event.entry, None)
        return None

    def at_end(self, at_ms: int) -> str | None:
        """Which promise was broken?"""
        for entry in self.promised:
            return f"entry {name(entry)} was promised to be safe, and nobody ever handled it"
        return None


class WhatIsLeftIsHandled(LiveEntries):
    """Knows which entries are there, and which of them were handled."""

    def __init__(self) -> None:
        super().__init__()
        self.handled: dict[bytes, None] = {}

    def on_handled(self, event: Handled) -> str | None:
        """Somebody has handled it."""
        self.handled[event.entry] = None
        return None

    def at_end(self, at_ms: int) -> str | None:
        """What is there, and nobody has handled it?"""
        for live in self.live.values():
            for entry_id in live:
                if ids.show(entry_id) not in self.handled:
                    return f"entry {show(entry_id)} is in the stream, and nobody ever handled it"
        return None


class ProgressAfterNogroup(Monitor):
    """Knows who was told last that there is no such group."""

    def __init__(self) -> None:
        self.stuck: dict[str, None] = {}

    def on_effect(self, event: Effect) -> str | None:
        """An answer to a command that reads or claims for a group."""
        for argv, reply in zip(event.commands, event.replies, strict=True):
            if argv[0].upper() in READS_OF_GROUPS:
                self._answered(event.process, reply)
        return None

    def on_served(self, event: Served) -> str | None:
        """An answer to a read that was blocked."""
        self._answered(event.process, event.reply)
        return None

    def _answered(self, process: str, reply: Reply) -> None:
        if isinstance(reply, Failure) and reply.text.startswith(b"NOGROUP"):
            self.stuck[process] = None
        else:
            self.stuck.pop(process, None)

    def at_end(self, at_ms: int) -> str | None:
        """Who has had no other answer since?"""
        for process in self.stuck:
            return f"{process} was told NOGROUP, and to the end nothing else"
        return None


PROPERTIES: tuple[Property, ...] = (
    Property(
        "acked-never-handled-again", "always", "what was acknowledged is not handled again, not even after a failover",
        AckedNeverHandledAgain, "no Handling event follows an Acked fact of the same entry and group",
    ),
    Property(
        "promised-implies-handled", "eventually", "an entry that its producer was promised to be safe is handled",
        PromisedImpliesHandled,
        f"at the end, each entry that a producer published as {PROMISED!r} has a Handled event",
    ),
    Property(
        "what-is-left-is-handled", "eventually", "every entry that the stream still holds in the end was handled",
        WhatIsLeftIsHandled, "at the end, each entry that was not deleted, trimmed or flushed has a Handled event",
    ),
    Property(
        "progress-after-nogroup", "eventually", "whoever is told NOGROUP gets to read again", ProgressAfterNogroup,
        "at the end, the last answer to each process's reads and claims for a group is not NOGROUP",
        ("an answer that says that there is nothing is one",),
    ),
)  # fmt: skip
