"""A process in a world: what it remembers, and the turn that it is in.

Between turns its memory is the value that the turn returned; within a turn it is the log of answers.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from .client import SimRedis
from .errors import ScenarioError
from .plan import Process
from .turn import Log, Path, Turn

_REDIS: list[SimRedis] = []
"""The one client that every simulated process shares; it holds no state of a run."""


class Running:
    """One process at run time."""

    __slots__ = (
        "commands", "consumer", "down", "finished", "held", "incarnation", "log", "plan", "sessions", "state",
        "streams", "takes_state", "turn", "turn_began_ms", "turns_done", "unanswered",
    )  # fmt: skip

    def __init__(self, plan: Process) -> None:
        self.plan = plan
        self.takes_state = plan.takes_state
        self.incarnation = 0
        self.consumer = plan.consumer or plan.name
        self.down = True
        self.finished = False
        self.state: Any = plan.initial
        self.turns_done = 0
        self.log: Log = []
        self.turn: Turn | None = None
        """The live coroutines; ``None`` between turns, and after a fork until they are needed again."""
        self.turn_began_ms = 0
        self.commands = 0
        """How many commands the running turn has sent."""
        self.sessions: list[int] = []
        """Idle connections, the one used last at the end."""
        self.unanswered: dict[Path, tuple[int, int]] = {}
        """Commands under way, by path: the call's number and its connection."""
        self.held: dict[tuple[bytes, bytes, int], None] = {}
        """(stream, group, id) of what was delivered to it and not acknowledged, in order."""
        self.streams: dict[bytes, tuple[bytes, bytes]] = {}
        """Entry ID to the stream and group that it was last delivered from."""

    def fork(self) -> Running:
        """An independent copy; its coroutines are made again from the log when they are needed."""
        twin = Running.__new__(Running)
        twin.plan = self.plan
        twin.takes_state = self.takes_state
        twin.incarnation = self.incarnation
        twin.consumer = self.consumer
        twin.down = self.down
        twin.finished = self.finished
        twin.state = self.state
        twin.turns_done = self.turns_done
        twin.log = self.log.copy()
        twin.turn = None
        twin.turn_began_ms = self.turn_began_ms
        twin.commands = self.commands
        twin.sessions = self.sessions.copy()
        twin.unanswered = self.unanswered.copy()
        twin.held = self.held.copy()
        twin.streams = self.streams.copy()
        return twin

    @property
    def in_turn(self) -> bool:
        """Whether a turn has begun and not ended."""
        return not self.down and not self.finished

    def begin(self) -> Turn:
        """Calls the turn function for a new turn."""
        self.log = []
        self.commands = 0
        self.turn = self._call()
        return self.turn

    def components(self) -> tuple[Any, ...]:
        """Everything that tells two states of this process apart, as plain values."""
        return (
            self.plan.name, self.incarnation, self.consumer, self.down, self.finished, self.state, self.turns_done,
            tuple(self.log), self.turn_began_ms, self.commands, tuple(self.sessions),
            tuple(sorted(self.unanswered.items())), tuple(self.held), tuple(sorted(self.streams.items())),
        )  # fmt: skip

    def live(self) -> Turn:
        """The running turn, made again from its log where this process was forked."""
        if self.turn is None:
            turn = self._call()
            for path, answer in self.log:
                turn.fresh.clear()
                if path not in turn.waiting:
                    raise ScenarioError(
                        f"process {self.plan.name!r} is not deterministic: run again on the same answers, its turn "
                        f"took another course after {len(self.log)} answers"
                    )
                turn.feed(path, answer)
            turn.fresh.clear()
            turn.abandoned.clear()
            self.turn = turn
        return self.turn

    def feed(self, path: Path, answer: Any) -> Turn:
        """Gives the running turn an answer, and remembers it."""
        turn = self.live()
        self.log.append((path, answer))
        turn.feed(path, answer)
        return turn

    def end_turn(self, value: Any) -> None:
        """Keeps what the turn returned as the state of the next one."""
        self.turn = None
        self.log = []
        self.turns_done += 1
        if self.takes_state:
            check_state(value, self.plan.name)
            self.state = value

    def die(self) -> None:
        """Forgets everything that a crash takes: the turn, the state, the connections."""
        if self.turn is not None:
            self.turn.close()
        self.turn = None
        self.log = []
        self.state = self.plan.initial
        self.down = True
        self.sessions = []
        self.unanswered = {}
        self.held = {}
        self.streams = {}

    def rise(self) -> None:
        """Becomes the next incarnation, under a new consumer name where the plan says so."""
        self.incarnation += 1
        self.down = False
        base = self.plan.consumer or self.plan.name
        fresh = self.incarnation > 1 and self.plan.restart is not None and self.plan.restart.new_name
        self.consumer = f"{base}-{self.incarnation}" if fresh else base

    def _call(self) -> Turn:
        if not _REDIS:
            _REDIS.append(SimRedis())
        arguments = (_REDIS[0], self.consumer)
        if self.takes_state:
            return Turn(self.plan.turn(*arguments, self.state))
        return Turn(self.plan.turn(*arguments))


def check_state(value: Any, process: str) -> None:
    """A turn may return values that cannot change: anything else could not be kept or compared."""
    if value is None or isinstance(value, int | str | bytes):
        return
    if isinstance(value, tuple):
        for item in value:
            check_state(item, process)
        return
    parameters = getattr(type(value), "__dataclass_params__", None)
    if parameters is not None and parameters.frozen:
        for item in dataclasses.fields(value):
            check_state(getattr(value, item.name), process)
        return
    raise ScenarioError(
        f"process {process!r}: its turn returned a {type(value).__name__}; a state is None, an int, a str, bytes, "
        f"a tuple or a frozen dataclass of such"
    )
