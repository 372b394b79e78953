"""A process in a world: what it remembers, and the turn that it is in.

Between turns its memory is the value that the turn returned; within a turn it is the log of answers.
"""

from __future__ import annotations

import dataclasses
from typing import Any, TypeAlias

from .client import SimRedis
from .errors import ScenarioError
from .holding import Places
from .plan import Process
from .requests import Scope
from .turn import Log, Path, Turn

Fate: TypeAlias = "str | int"
"""``reset``, ``silence``, or by how many milliseconds it is late."""

_REDIS: list[SimRedis] = []
"""The one client that every simulated process shares; it holds no state of a run."""


class Running:
    """One process at run time."""

    __slots__ = (
        "attempts", "barred", "commands", "consumer", "counts", "down", "fates", "finished", "incarnation", "log",
        "parked", "plan", "queue", "resumes_ms", "rises", "scopes", "sessions", "state", "stirred", "streams",
        "takes_state", "turn", "turn_began_ms", "turns_done", "unanswered",
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
        self.streams: Places = {}
        """Entry ID to the stream and group that it was last delivered from."""
        self.scopes: dict[Path, tuple[int, bool]] = {}
        """Scopes under way, by path: the commands that the turn had sent before, and whether it is an atomic block."""
        self.stirred = False
        """Whether the running turn has done anything that counts; only where time is frozen."""
        self.parked = False
        """Whether its last turn did nothing and nothing has happened since; only where time is frozen."""
        self.attempts: dict[Path, int] = {}
        """How often the command at a path was sent in vain."""
        self.fates: dict[Path, Fate] = {}
        """What will become of the answer to the blocked read at a path."""
        self.counts: dict[int, int] = {}
        """Of faults that strike only the n-th command of a name: how many of them there were, up to n."""
        self.queue: list[Path] = []
        """Places in the turn whose commands wait for a connection, in order."""
        self.resumes_ms: int | None = None
        """When it goes on, where it is paused."""
        self.rises = 0
        """How often it has started again within the step at hand."""
        self.barred: dict[str, tuple[int, int]] = {}
        """What is the matter with its link (see ``link_faults``), until when, and by how much it is slow."""

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
        twin.streams = self.streams.copy()
        twin.scopes = self.scopes.copy()
        twin.stirred = self.stirred
        twin.parked = self.parked
        twin.attempts = self.attempts.copy()
        twin.fates = self.fates.copy()
        twin.counts = self.counts.copy()
        twin.queue = self.queue.copy()
        twin.resumes_ms = self.resumes_ms
        twin.barred = self.barred.copy()
        twin.rises = 0
        return twin

    @property
    def in_turn(self) -> bool:
        """Whether a turn has begun and not ended."""
        return not self.down and not self.finished

    def begin(self) -> Turn:
        """Calls the turn function for a new turn."""
        self.log = []
        self.commands = 0
        self.scopes = {}
        self.stirred = False
        self.turn = self._call()
        return self.turn

    def components(self) -> tuple[Any, ...]:
        """Everything that tells two states of this process apart, as plain values."""
        return (
            self.plan.name, self.incarnation, self.consumer, self.down, self.finished, self.state, self.turns_done,
            tuple(self.log), self.turn_began_ms, self.commands, tuple(self.sessions),
            tuple(sorted(self.unanswered.items())), tuple(sorted(self.streams.items())),
            tuple(sorted(self.scopes.items())), self.stirred, self.parked, tuple(sorted(self.attempts.items())),
            tuple(sorted(self.fates.items())), tuple(sorted(self.counts.items())), self.resumes_ms, tuple(self.queue),
            tuple(sorted(self.barred.items())),
        )  # fmt: skip

    def live(self) -> Turn:
        """The running turn, made again from its log where this process was forked."""
        if self.turn is None:
            turn = self._call()
            for path, answer in self.log:
                turn.fresh.clear()
                self._reopen(turn, path)
                if path not in turn.waiting:
                    raise ScenarioError(
                        f"process {self.plan.name!r} is not deterministic: run again on the same answers, its turn "
                        f"took another course after {len(self.log)} answers"
                    )
                turn.feed(path, answer)
            for path in self.scopes:
                if path in turn.waiting:
                    turn.open(path)
            turn.fresh.clear()
            turn.abandoned.clear()
            turn.collapsed.clear()
            self.turn = turn
        return self.turn

    def feed(self, path: Path, answer: Any) -> Turn:
        """Gives the running turn an answer, and remembers it."""
        turn = self.turn
        if turn is None:
            turn = self.live()
        self.log.append((path, answer))
        turn.feed(path, answer)
        if turn.collapsed:
            self._collapse(turn)
        return turn

    def open(self, path: Path) -> None:
        """Starts the scope that the coroutine at ``path`` asks for."""
        turn = self.live()
        request = turn.waiting[path]
        assert type(request) is Scope
        self.scopes[path] = (self.commands, request.atomic)
        turn.open(path)
        self._collapse(turn)

    def in_atomic(self, path: Path) -> bool:
        """Whether what lies at ``path`` is part of an atomic block."""
        return any(
            atomic and len(path) > len(scope) and path[: len(scope)] == scope
            for scope, (_, atomic) in self.scopes.items()
        )

    def _collapse(self, turn: Turn) -> None:
        """Forgets how the scopes that have ended came to their values, where those can be kept."""
        while turn.collapsed:
            prefix, path, value = turn.collapsed.pop(0)
            commands, _ = self.scopes.pop(path)
            if is_plain(value):
                depth = len(prefix)
                self.log = [item for item in self.log if item[0][:depth] != prefix]
                self.log.append((path, value))
                self.commands = min(self.commands, commands + 1)

    def _reopen(self, turn: Turn, path: Path) -> None:
        """While a turn is made again: starts the scopes that an answer for ``path`` lies in."""
        for depth in range(0, len(path), 2):
            if type(turn.waiting.get(path[:depth])) is Scope:
                turn.open(path[:depth])

    def end_turn(self, value: Any) -> None:
        """Keeps what the turn returned as the state of the next one."""
        self.turn = None
        self.log = []
        self.scopes = {}
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
        self.streams = {}
        self.scopes = {}
        self.parked = False
        self.attempts = {}
        self.fates = {}
        self.queue = []
        self.resumes_ms = None

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


_UNCHANGING = (int, bytes, str)


def check_state(value: Any, process: str) -> None:
    """A turn may return values that cannot change: anything else could not be kept or compared."""
    stranger = _stranger(value)
    if stranger is not None:
        raise ScenarioError(
            f"process {process!r}: its turn returned a {stranger}; a state is None, an int, a str, bytes, "
            f"a tuple or a frozen dataclass of such"
        )


def is_plain(value: Any) -> bool:
    """Whether a value cannot change, so that it can be kept and compared."""
    return _stranger(value) is None


def _stranger(value: Any) -> str | None:
    """The type of the first part of a value that may change; ``None`` where there is none."""
    if value is None or isinstance(value, _UNCHANGING):
        return None
    parts: list[Any] = []
    if isinstance(value, tuple):
        parts = list(value)
    else:
        parameters = getattr(type(value), "__dataclass_params__", None)
        if parameters is None or not parameters.frozen:
            return type(value).__name__
        parts = [getattr(value, item.name) for item in dataclasses.fields(value)]
    return next((found for found in map(_stranger, parts) if found is not None), None)
