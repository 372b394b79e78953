"""What the runs of a search have met between them: states, and who did what with which outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...models.replies import Blocked, Failure, Nil, Reply
from ..events import (
    Cancelled,
    ClockJumped,
    Crashed,
    Disconnected,
    Effect,
    Event,
    HandleFailed,
    Lost,
    Paused,
    Projected,
    Served,
    Unanswered,
)
from ..history import History
from ..steps import Step
from ..unsent import sent_in
from ..world import World
from .course import Visitor


class Point(NamedTuple):
    """How much had been met after so many runs."""

    runs: int
    steps: int
    states: int
    behaviours: int


class Seen(Visitor):
    """Counts distinct states and behaviours.

    States are told apart by fingerprint, where there was a decision to make: between two decisions a run goes the
    one way there is. A state that the same answers led to before is not looked at twice. A behaviour is a process,
    what it did (a command by name) and what came of it (the kinds of facts, or of the reply).
    """

    def __init__(self, also: Visitor | None = None) -> None:
        self.also = also or Visitor()
        """Who else wants to see the runs."""
        self.states: set[bytes] = set()
        self.behaviours: set[tuple[str, ...]] = set()
        self.sent: set[tuple[str, str]] = set()
        """Who sent which commands."""
        self.curve: list[Point] = []
        self._ways: dict[tuple[int, int], int] = {}
        """A way (a prefix of tapes) and the next answer to the longer way; ways are numbered as they come."""
        self._way = 0
        self._looked: set[int] = set()
        self._at = 0

    def began(self, world: World) -> None:
        """A new run starts."""
        self._way = self._at = 0
        self.also.began(world)

    def took(self, world: World, step: Step) -> None:
        """Passed on."""
        self.also.took(world, step)

    def ended(self, world: World) -> None:
        """Passed on."""
        self.also.ended(world)

    def at_decision(self, world: World, answers: Sequence[int]) -> None:
        """Takes note of a state."""
        for answer in answers[self._at :]:
            self._way = self._ways.setdefault((self._way, answer), len(self._ways) + 1)
        self._at = len(answers)
        if self._way not in self._looked:
            self._looked.add(self._way)
            self.states.add(world.fingerprint())

    def end(self, runs: int, steps: int, history: History | None) -> None:
        """A run is over; a point of the curve is kept whenever the number of runs has doubled."""
        self.sent |= sent_in(history or ())
        for event in history or ():
            done = behaviour(event)
            if done is not None:
                self.behaviours.add(done)
        if runs & (runs - 1) == 0:
            self.mark(runs, steps)

    def mark(self, runs: int, steps: int) -> None:
        """Keeps a point of the curve."""
        if not self.curve or self.curve[-1].runs != runs:
            self.curve.append(Point(runs, steps, len(self.states), len(self.behaviours)))


def behaviour(event: Event) -> tuple[str, ...] | None:
    """Who did what, and how it ended; ``None`` for events that follow from others."""
    if isinstance(event, Effect):
        names = "+".join(command[0].decode(errors="replace").upper() for command in event.commands)
        return (event.process, names, *_outcome(event.replies, event.facts))
    if isinstance(event, Served):
        return (event.process, "served", *_outcome((event.reply,), event.facts))
    if isinstance(event, Crashed | Lost):
        return (event.process, type(event).__name__, event.why if isinstance(event, Crashed) else event.what)
    if isinstance(event, HandleFailed | Paused | Disconnected | Cancelled):
        return (event.process, type(event).__name__)
    if isinstance(event, Unanswered):
        return (event.process, "Unanswered", event.error)
    if isinstance(event, ClockJumped):
        return (event.host, "ClockJumped", "forward" if event.by_ms > 0 else "back")
    if isinstance(event, Projected):
        return (event.process, "Projected", event.name)
    return None


def _outcome(replies: Sequence[Reply], facts: Sequence[object]) -> list[str]:
    kinds = sorted({type(fact).__name__ for fact in facts})
    return kinds or ["+".join(_shape(reply) for reply in replies)]


def _shape(reply: Reply) -> str:
    if isinstance(reply, Failure):
        return reply.text.partition(b" ")[0].decode(errors="replace")
    if isinstance(reply, Nil):
        return "nil"
    if isinstance(reply, Blocked):
        return "blocked"
    if isinstance(reply, int):
        return str(min(reply, 1))
    return "some" if isinstance(reply, bytes) or reply else "none"
