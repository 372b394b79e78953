"""What happened on a server on sockets, as a history, and what the properties say to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ...models.facts import Fact
from ...models.replies import Reply
from ...models.session import Session
from .. import events
from ..history import History
from ..properties import SERVER_INVARIANTS, named
from ..watch import Violation, Watch

EVENTS_MAX = 1_000_000
"""With so many events no more is written down: a server may run for days."""


class Recorded(Protocol):
    """Whose commands are written down."""

    session: Session


class Recorder:
    """Writes down every command that took effect; processes are called as their connections are."""

    def __init__(self, dialect: str, epoch_ms: int, source: str = "serve") -> None:
        self.history = History({"dialect": dialect, "epoch_ms": epoch_ms, "source": source})
        self._epoch_ms = epoch_ms
        self._calls = 0
        self._open: dict[int, int] = {}
        """Session to the call that it is blocked in."""
        self._crash: tuple[int, int] | None = None
        """When the server crashed first, and how many events there were: nothing tells what it came back with."""

    def effect(
        self, connection: Recorded, argv: Sequence[bytes], queue: Sequence[tuple[bytes, ...]] | None,
        reply: Reply, facts: tuple[Fact, ...], now_ms: int,
    ) -> None:  # fmt: skip
        """A command ran; those of a transaction count as one, with its EXEC."""
        name = argv[0].upper()
        if name.startswith(b"SIM.") or name == b"MULTI" or (queue is not None and name != b"EXEC"):
            return
        commands: tuple[tuple[bytes, ...], ...] = (tuple(argv),)
        replies: tuple[Reply, ...] = (reply,)
        if name == b"EXEC" and queue is not None and isinstance(reply, tuple):
            commands, replies = tuple(queue), reply
        self._calls += 1
        session = connection.session
        if session.wait is not None:
            self._open[session.id] = self._calls
        at_ms = now_ms - self._epoch_ms
        self._add(
            events.Effect(
                at_ms, self.name_of(connection), self._calls, session.id, self.sent_ms(connection, at_ms), now_ms,
                commands, replies, facts,
            )
        )  # fmt: skip

    def sent_ms(self, connection: Recorded, at_ms: int) -> int:
        """When a request was sent that takes effect now: as far as a server on sockets knows, now."""
        return at_ms

    def served(self, connection: Recorded, reply: Reply, facts: tuple[Fact, ...], now_ms: int) -> None:
        """A blocked command got its answer."""
        number = connection.session.id
        call = self._open.pop(number, None)
        if call is not None:
            at_ms = now_ms - self._epoch_ms
            self._add(events.Served(at_ms, self.name_of(connection), call, number, now_ms, reply, facts))

    def name_of(self, connection: Recorded) -> str:
        """The process that a connection belongs to."""
        return process_of(connection)

    def lost(self, connection: Recorded, what: str, now_ms: int) -> None:
        """A request or a reply was lost, as a fault would have it."""
        self._add(events.Lost(now_ms - self._epoch_ms, self.name_of(connection), self._calls, what))

    def closed(self, connection: Recorded, now_ms: int) -> None:
        """A connection is gone."""
        self._open.pop(connection.session.id, None)
        self._add(events.Closed(now_ms - self._epoch_ms, self.name_of(connection), connection.session.id))

    def crashed(self, now_ms: int) -> None:
        """The server died and came back."""
        if self._crash is None:
            self._crash = now_ms - self._epoch_ms, len(self.history)

    def check(self, names: Sequence[str]) -> tuple[list[str], list[Violation]]:
        """Holds the properties against what happened so far: the server's invariants, and those that are named.

        Returns the names of all that were looked at, and what was violated. ``BadInput`` for a name that there is not.
        """
        properties = [*SERVER_INVARIANTS, *(p for p in named(names) if p not in SERVER_INVARIANTS)]
        watch = Watch(properties)
        for event in self.history.events[: self._crash[1] if self._crash else None]:
            watch.observe(event)
        return [p.name for p in properties], watch.violations

    def unseen(self) -> str:
        """What the properties were not held against, and why; empty where there is nothing such."""
        if self._crash is None:
            return ""
        return f"the server crashed at {self._crash[0]} ms; what came after that was not looked at"

    def _add(self, event: events.Event) -> None:
        if len(self.history.events) < EVENTS_MAX:
            self.history.events.append(event)


def process_of(connection: Recorded) -> str:
    """What a history calls the owner of a connection: its client name, else the number of its session."""
    name = connection.session.name
    return name.decode(errors="backslashreplace") if name else f"client-{connection.session.id}"
