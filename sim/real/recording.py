"""A history as a script for a real server: the same commands, on the same connections, at the same times."""

from __future__ import annotations

from collections.abc import Sequence

from ...models.journal import FILE, REPLICA, SNAPSHOT
from ...models.replies import BLOCKED, Reply, encode
from ...models.survivors import FAILOVER, FROM_SNAPSHOT
from ..events import ClockJumped, Closed, Effect, Event, ReplicaCut, Served, ServerLost
from ..history import History
from ..plan import SERVER
from .script import Close, Cut, Fall, Follow, Open, Send, Step
from .script import Reply as ReplyStep

RESP = 3
"""The protocol that the script speaks, whatever redis-py the processes used."""


def script_of(history: History) -> list[Step]:
    """The script that a history was, as the server saw it."""
    recorder = _Recorder(history.events)
    for n, event in enumerate(history):
        recorder.see(n, event)
    return recorder.steps


class _Recorder:
    def __init__(self, events: Sequence[Event]) -> None:
        self.steps: list[Step] = []
        self._who, self._asked = _follower(events)
        self._begins: int | None = next((n for n, event in enumerate(events) if not _sets_up(event)), None)
        self._open: set[int] = set()
        self._ahead_ms = 0
        """The server's clock less true time."""

    def see(self, n: int, event: Event) -> None:
        if self._begins is not None and n >= self._begins:
            self._follow(n, event)
        if isinstance(event, Effect):
            self._ahead_ms = event.server_ms - event.at_ms
            if event.session not in self._open:
                self._open.add(event.session)
                self.steps.append(Open(event.session, RESP, event.server_ms))
            for argv, reply in zip(event.commands, event.replies, strict=True):
                expected = None if reply is BLOCKED else encode(reply, RESP)
                self.steps.append(Send(event.session, argv, event.server_ms, expected))
        elif isinstance(event, Served):
            self._ahead_ms = event.server_ms - event.at_ms
            self.steps.append(ReplyStep(event.session, event.server_ms, encode(event.reply, RESP)))
        elif isinstance(event, Closed):
            if event.session in self._open:
                self._open.discard(event.session)
                self.steps.append(Close(event.session, event.at_ms + self._ahead_ms))
        elif isinstance(event, ServerLost):
            self._open.clear()
            self.steps.append(Fall(event.cause, event.lacking, event.server_ms))
            self._begins = n + 1
        elif isinstance(event, ReplicaCut):
            self.steps.append(Cut(event.server_ms, event.for_ms))
        elif isinstance(event, ClockJumped) and event.host == SERVER:
            self._ahead_ms += event.by_ms

    def _follow(self, n: int, event: Event) -> None:
        """Who is asked for later follows the server from here on: after it is set up, and after it has fallen."""
        if n > self._asked:
            self._begins = None
        elif self.steps or isinstance(event, Effect):
            self._begins = None
            at_ms = self.steps[-1].at_ms if self.steps else getattr(event, "server_ms", 0)
            self.steps.append(Follow(self._who, at_ms))


def _sets_up(event: Event) -> bool:
    """Whether it is part of what is done before a world begins."""
    return isinstance(event, Effect | Closed) and not event.process


def _follower(events: Sequence[Event]) -> tuple[str, int]:
    """Who follows the server in a run, as far as anything shows it, and the last event that takes it (-1: none)."""
    who, last = "", -1
    for n, event in enumerate(events):
        shown, asks = "", False
        if isinstance(event, ReplicaCut):
            shown = REPLICA
        elif isinstance(event, ServerLost) and event.lacking >= 0:
            shown = {FAILOVER: REPLICA, FROM_SNAPSHOT: SNAPSHOT}.get(event.cause, FILE)
        elif isinstance(event, Effect):
            asks = any(argv[0].upper() in _ASKING for argv in event.commands)
            shown = _told_by(event.commands, event.replies) if asks else ""
        elif isinstance(event, Served):
            shown = _shown(event.reply)
        who = shown or who
        if shown or asks:
            last = n
    return who, last if who else -1


_ASKING = (b"WAIT", b"WAITAOF")


def _told_by(commands: Sequence[Sequence[bytes]], replies: Sequence[Reply]) -> str:
    """Who is shown to follow by what a request is answered, a transaction's results among it."""
    pairs = list(zip(commands, replies, strict=True))
    done = replies[-1]
    if commands[-1][0].upper() == b"EXEC" and isinstance(done, tuple | list):
        pairs += zip(commands[-1 - len(done) : -1], done, strict=False)
    return next((who for argv, reply in pairs if argv[0].upper() in _ASKING and (who := _shown(reply))), "")


def _shown(reply: Reply) -> str:
    """Who follows a server whose WAIT or WAITAOF is answered so; no other command that blocks answers with numbers."""
    if isinstance(reply, int):
        return REPLICA if reply > 0 else ""
    if isinstance(reply, tuple | list) and len(reply) == 2 and all(isinstance(each, int) for each in reply):
        return FILE if reply[0] else REPLICA if reply[1] else ""
    return ""
