"""What a world is made of, before it runs: processes, faults, links, times. Plain values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias, TypeGuard

from ..models.journal import FILE, NOTHING, REPLICA
from .client_policies import ClientPolicy
from .errors import BadInput, ScenarioError
from .faults import ClockDrift, ClockJump, Crash, Delay, Fault, Lose, Pause, SlowHandler
from .link_faults import HalfOpen, HostPartition, Partition, SlowLink
from .server_faults import CutReplica, Failover, ServerRestart

TurnFunction: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]
"""``async def turn(redis, me)``, or ``async def turn(redis, me, state)`` that returns the next state."""

SERVER = "redis"
"""The host that the server runs on."""

__all__ = ["SERVER", "ClockJump", "Crash", "Params", "Plan", "Process", "Restart", "TurnFunction"]


@dataclass(frozen=True, slots=True)
class Restart:
    """How a process comes back after a crash: when, and whether under a new consumer name."""

    after_ms: int = 1000
    new_name: bool = False


@dataclass(frozen=True, slots=True)
class Process:
    """A running program: one turn function, called again and again on a host of its own.

    ``consumer`` is the name that the turn gets as ``me``; by default the process's own name.
    ``turns`` bounds how often it is called (``None``: for ever), ``initial`` is its first state.
    """

    name: str
    turn: TurnFunction
    consumer: str | None = None
    host: str | None = None
    turns: int | None = None
    initial: object = None
    handle_ms: int = 50
    start_ms: int = 0
    turn_ms: int = 1
    """What a turn costs that ended without having waited."""
    restart: Restart | None = field(default_factory=Restart)
    client: ClientPolicy | None = None
    """What its client does when an answer does not come; by default it waits for ever and sends nothing again."""
    fails_on: Mapping[str, str] | None = None
    """Entries with these fields can never be handled: ``handle`` raises ``HandlerFailed`` when its time is over."""
    touches: Sequence[str] | None = None
    """The keys that it may ever touch, which a run holds it to; ``None``: any. The checker can leave out more where
    nobody else touches them."""

    def __post_init__(self) -> None:
        if not inspect.iscoroutinefunction(self.turn):
            raise ScenarioError(f"process {self.name!r}: its turn {_name(self.turn)!r} is not an 'async def' function")
        for what, value, least in (
            ("turn_ms", self.turn_ms, 1),
            ("turns", self.turns, 1),
            ("start_ms", self.start_ms, 0),
        ):
            if value is not None and value < least:
                raise ScenarioError(f"process {self.name!r}: {what} is {value}, it must be at least {least}")

    @property
    def takes_state(self) -> bool:
        """Whether the turn is called with a state as its third argument."""
        return _takes_state(self.turn)


@lru_cache
def _takes_state(turn: TurnFunction) -> bool:
    parameters = inspect.signature(turn).parameters.values()
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(positional) >= 3


@dataclass(frozen=True, slots=True)
class Plan:
    """One world: who runs in it, what may go wrong, and for how long."""

    processes: Sequence[Process]
    setup: Sequence[Sequence[str]] = ()
    """Commands that run before time starts, as words."""
    faults: Sequence[Fault] = ()
    faults_ms: int = 10_000
    """The first phase: faults happen only before this time."""
    within_ms: int = 20_000
    """The second phase: what must come true eventually has this long after the faults."""
    latency_ms: tuple[int, ...] = (0,)
    """How long a request, and a reply, may be under way: one of these each time."""
    epoch_ms: int = 1_700_000_000_000
    """The time of every clock when the world starts."""
    frozen: bool = False
    """Time stands still: every step happens at once, in any order. A turn follows the other without a pause, a crash
    restarts at once, and a process whose turn did nothing looks again when something has happened."""
    values: Sequence[str] = ()
    """Payload values that are interchangeable, such as turns ``pick``: nothing depends on which is which. The checker
    can take them for one another, and looks whether that is so."""
    idle_ms_max: int | None = None
    """The largest min-idle time that any process asks for. The checker takes all longer idle times for the same, and
    stops where a process asks for more; ``None`` lets it find out."""
    counting: dict[str, tuple[int, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Process to the faults that strike only its n-th command of a name."""
    struck: list[tuple[int, ...]] = field(default_factory=list, init=False, repr=False, compare=False)
    """Of each fault the places of the processes that it names, in order."""
    touching: dict[str, Sequence[str]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Process to the keys that it declares to touch, where it does."""

    def __post_init__(self) -> None:
        names = [process.name for process in self.processes]
        for name in names:
            if names.count(name) > 1:
                raise ScenarioError(f"two processes are called {name!r}")
        for fault in self.faults:
            self._check_fault(fault, names)
            if fault.budget < 0:
                raise ScenarioError(f"the budget of a fault is {fault.budget}, it must be at least 0")
            from_ms = getattr(fault, "from_ms", 0)
            if fault.budget and from_ms >= self.faults_ms:
                raise ScenarioError(
                    f"a fault ({fault}) may strike from {from_ms} ms on, and faults end at {self.faults_ms} ms "
                    f"(faults_ms): it never could; let faults end later, or leave it out"
                )
        for what, value in (("faults_ms", self.faults_ms), ("within_ms", self.within_ms)):
            if value < 0:
                raise ScenarioError(f"{what} is {value}, it must be at least 0")
        if not self.latency_ms or min(self.latency_ms) < 0:
            raise ScenarioError("latency_ms must name at least one latency, and none below 0")
        if not names:
            raise ScenarioError("a plan without processes: nothing would ever happen")
        self._check_frozen()
        if len({_follower(fault) for fault in self.faults if _survives(fault)}) > 1:
            raise ScenarioError(
                "a server restarts from its file, or from its snapshot, or a replica takes its place: "
                "not two of these in one world"
            )
        if any(isinstance(fault, CutReplica) for fault in self.faults) and (self.follower or (FILE,))[0] != REPLICA:
            raise ScenarioError("a replica is cut off for a while, and the world has none: give it a Failover, too")
        for process in self.processes:
            if process.touches is not None:
                self.touching[process.name] = process.touches
        for which, fault in enumerate(self.faults):
            self.struck.append(tuple(place for place, name in enumerate(names) if name in fault.names))
            if isinstance(fault, Lose | Delay) and fault.nth is not None:
                for name in fault.names:
                    self.counting[name] = (*self.counting.get(name, ()), which)

    @property
    def follower(self) -> tuple[str, int] | None:
        """Who follows the server (its file, its snapshots, a replica), and how many units it lacks at most.

        ``None``: nobody.
        """
        found = [(_follower(fault), fault.loses) for fault in self.faults if _survives(fault)]
        return (found[0][0], max(lag for _, lag in found)) if found else None

    @property
    def needs_connections(self) -> bool:
        """Whether it makes a difference who has a connection already: at times none can be made."""
        kinds = (Partition, HostPartition)
        return any(isinstance(fault, kinds) or getattr(fault, "down_ms", 0) for fault in self.faults)

    def _check_fault(self, fault: Fault, names: list[str]) -> None:
        for process in fault.names:
            if process not in names:
                raise ScenarioError(
                    f"a fault ({fault}) names {process!r}, which is no process of the world; there is: "
                    f"{', '.join(names)}"
                )
        hosts = sorted({process.host or process.name for process in self.processes} | {SERVER})
        if isinstance(fault, ClockDrift | HostPartition):
            hosts.remove(SERVER)
            if fault.host == SERVER:
                raise ScenarioError(
                    f"a fault ({fault}) names the server's own host: deadlines are reckoned by its clock, and it is "
                    f"reached by itself; name one of {', '.join(hosts)}"
                )
        if isinstance(fault, ClockJump | ClockDrift | HostPartition) and fault.host not in hosts:
            what = "a clock jump" if isinstance(fault, ClockJump) else f"a fault ({fault})"
            raise ScenarioError(
                f"{what} names {fault.host!r}, which is no host of the world; there is: {', '.join(hosts)}"
            )

    def _check_frozen(self) -> None:
        """Where time stands still nothing may take any."""
        if not self.frozen:
            return
        for fault in self.faults:
            silent = isinstance(fault, Lose) and fault.how == "silence"
            down = isinstance(fault, ServerRestart | Failover) and fault.down_ms
            if isinstance(fault, _TAKE_TIME) or silent or down:
                raise ScenarioError(f"time is frozen, and a fault takes time: {fault}")
        for process in self.processes:
            if process.client is not None and process.client.takes_time:
                raise ScenarioError(
                    f"time is frozen, and the client of {process.name!r} ({process.client.name}) has timeouts or pauses"
                )

    def budget(self) -> dict[str, Any]:
        """What bounds this world, for people and for JSON."""
        return {
            "processes": [process.name for process in self.processes],
            "turns": {p.name: p.turns for p in self.processes if p.turns is not None},
            "faults": [str(fault) for fault in self.faults],
            "faults_ms": self.faults_ms,
            "within_ms": self.within_ms,
            "latency_ms": list(self.latency_ms),
        }


_TAKE_TIME = (Pause, Delay, SlowHandler, Partition, HostPartition, HalfOpen, SlowLink, CutReplica, ClockDrift)


def _survives(fault: Fault) -> TypeGuard[ServerRestart | Failover]:
    """Whether a fault takes the server away, and something of it survives."""
    return isinstance(fault, Failover) or (isinstance(fault, ServerRestart) and fault.keeps != NOTHING)


def _follower(fault: Fault) -> str:
    """From what the server is taken that a fault puts in the place of the one there was."""
    return fault.keeps if isinstance(fault, ServerRestart) else REPLICA


class Params:
    """The parameters of a run, by attribute: the scenario's defaults with what the user gave."""

    def __init__(self, defaults: dict[str, Any], given: dict[str, str]) -> None:
        from .errors import unknown

        self._values = dict(defaults)
        self.given: dict[str, str] = {}
        for name, text in given.items():
            if name not in defaults:
                raise unknown("parameter", name, defaults)
            self._values[name] = _convert(name, text, defaults[name])
            if self._values[name] != defaults[name]:
                self.given[name] = str(self._values[name])

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(f"the scenario declares no parameter {name!r}") from None

    def as_dict(self) -> dict[str, Any]:
        """Every parameter with its value."""
        return dict(self._values)


def _convert(name: str, text: str, default: Any) -> Any:
    if isinstance(default, bool):
        if text.lower() not in ("true", "false"):
            raise BadInput(f"parameter {name!r} takes true or false, not {text!r}")
        return text.lower() == "true"
    for kind, words in ((int, "a whole number"), (float, "a number")):
        if isinstance(default, kind):
            try:
                return kind(text)
            except ValueError:
                raise BadInput(f"parameter {name!r} takes {words}, not {text!r}") from None
    return text


def _name(function: object) -> str:
    return getattr(function, "__qualname__", repr(function))
