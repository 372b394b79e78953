"""A history as a script for a real server: the same commands, on the same connections, at the same times."""

from __future__ import annotations

from ...models.replies import BLOCKED, encode
from ..events import ClockJumped, Closed, Effect, Event, Served, ServerLost
from ..history import History
from ..plan import SERVER
from .script import Close, Fall, Open, Reply, Send, Step

RESP = 3
"""The protocol that the script speaks, whatever redis-py the processes used."""


def script_of(history: History) -> list[Step]:
    """The script that a history was, as the server saw it."""
    recorder = _Recorder()
    for event in history:
        recorder.see(event)
    return recorder.steps


class _Recorder:
    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._open: set[int] = set()
        self._ahead_ms = 0
        """The server's clock less true time."""

    def see(self, event: Event) -> None:
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
            self.steps.append(Reply(event.session, event.server_ms, encode(event.reply, RESP)))
        elif isinstance(event, Closed):
            if event.session in self._open:
                self._open.discard(event.session)
                self.steps.append(Close(event.session, event.at_ms + self._ahead_ms))
        elif isinstance(event, ServerLost):
            self._open.clear()
            self.steps.append(Fall(event.cause, event.lacking, event.server_ms))
        elif isinstance(event, ClockJumped) and event.host == SERVER:
            self._ahead_ms += event.by_ms
