"""When the faults of a world strike: each unit of a budget gets its place among its opportunities, by the tape.

A place is one answer of the tape: 0 is never, k is the k-th time that the fault could strike. So a tape names the
faults of its run in its first few answers, whatever the schedule does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import events
from ..errors import BadInput
from ..faults import (
    ClockDrift,
    ClockJump,
    Crash,
    Delay,
    FailHandler,
    Fault,
    Lose,
    OfMessage,
    Pause,
    Reset,
    SlowHandler,
    names_command,
)
from ..link_faults import HalfOpen, HostPartition, Partition, SlowLink
from ..plan import SERVER
from ..server_faults import CutReplica, Evict, Failover, Flush, ServerRestart

if TYPE_CHECKING:
    from .program import Program
    from .world import LoopWorld

OF_PROGRAM = (Crash, Pause, Reset, Partition, SlowLink, HalfOpen)
"""Those that strike a program when it does something that others see."""
OF_ALL = (ServerRestart, Failover, Flush, Evict, CutReplica, ClockJump, ClockDrift, HostPartition)
"""Those that strike when a command has taken effect."""
REACH = 64
"""A fault strikes at one of its first so many opportunities, or never, where nobody says how many it has."""


class Unit:
    """One strike to come."""

    __slots__ = ("fault", "place", "seen")

    def __init__(self, fault: Fault, place: int) -> None:
        self.fault = fault
        self.place = place
        self.seen = 0

    def comes_up(self) -> bool:
        """Counts an opportunity; whether it is the one."""
        self.seen += 1
        return self.seen == self.place


class Strikes:
    """The strikes of a world that are still to come."""

    def __init__(self, world: LoopWorld, faults: Sequence[Fault], reach: int = REACH) -> None:
        self.world = world
        self.faults = tuple(faults)
        for fault in faults:
            if isinstance(fault, ClockJump | ClockDrift) and fault.host == SERVER:
                raise BadInput(f"{fault}: around real client code the server's clock is right; name another host")
            if isinstance(fault, CutReplica) and not any(isinstance(other, Failover) for other in faults):
                raise BadInput(f"{fault}: there is no replica without a Failover among the faults")
        self.struck: list[Fault] = []
        """What has struck so far, in order."""
        self.offered: dict[int, list[int]] = {}
        """Fault, by its index, to when it could have struck: how many events there were by then."""
        self.units: list[tuple[int, Unit]] = []
        for index, fault in enumerate(faults):
            for _ in range(fault.budget):
                place = world.choices.choose(reach + 1, "place of a fault", (reach // 2, *[1] * reach))
                self.units.append((index, Unit(fault, place)))
        self.commands: dict[tuple[int, str], int] = {}
        """Fault and process to how many commands that the fault names it has sent."""

    def _due(self, fits: tuple[type, ...], program: Program | None) -> list[Fault]:
        """The faults of these kinds that strike now; every one that could counts it."""
        if self.world.healed or not self.units:
            return []
        found: list[Fault] = []
        counted: set[int] = set()
        for item in tuple(self.units):
            index, unit = item
            if not isinstance(unit.fault, fits) or not self._may(unit.fault, program):
                continue
            if index not in counted:
                counted.add(index)
                self.offered.setdefault(index, []).append(len(self.world.history))
            if unit.comes_up():
                self.units.remove(item)
                self.struck.append(unit.fault)
                found.append(unit.fault)
        return found

    def _may(self, fault: Fault, program: Program | None) -> bool:
        if program is None:
            return self.world.now_ms >= getattr(fault, "from_ms", 0)
        if program.name not in fault.names:
            return False
        if isinstance(fault, Partition | SlowLink | HalfOpen):
            return self.world.links.may_strike(fault, program)
        at_work = bool(program.holds or program.working)
        return at_work or not (isinstance(fault, Crash | Pause) and fault.when == "holding")

    # -- opportunities ---------------------------------------------------------------------------------

    def on_act(self, program: Program) -> None:
        """A program is about to do something that others see, or has just done it: it may crash, pause, be cut off."""
        for fault in self._due(OF_PROGRAM, program):
            if isinstance(fault, Crash):
                self.world.crash(program)
            elif isinstance(fault, Pause):
                self.world.pause(program, fault.for_ms)
            elif isinstance(fault, Partition | SlowLink | HalfOpen):
                self.world.links.strike(fault, program)
            else:
                self.world.reset(program)

    def on_request(self, program: Program, commands: Sequence[tuple[bytes, ...]]) -> OfMessage | None:
        """A request is about to take effect: it may be lost or late, or its reply."""
        if self.world.healed:
            return None
        struck: OfMessage | None = None
        for index, fault in enumerate(self.faults):
            if struck is not None or not isinstance(fault, Lose | Delay) or program.name not in fault.names:
                continue
            if not any(names_command(fault.command, argv) for argv in commands):
                continue
            key = (index, program.name)
            self.commands[key] = self.commands.get(key, 0) + 1
            if fault.nth is None or self.commands[key] == fault.nth:
                struck = self._strikes_message(index, fault)
        return struck

    def _strikes_message(self, index: int, fault: OfMessage) -> OfMessage | None:
        left = [item for item in self.units if item[0] == index]
        if left:
            self.offered.setdefault(index, []).append(len(self.world.history))
        due = [item for item in left if item[1].comes_up()]
        for item in due:
            self.units.remove(item)
            self.struck.append(fault)
        return fault if due else None

    def on_effect(self) -> None:
        """A command has taken effect: the server may be struck, or a clock."""
        for fault in self._due(OF_ALL, None):
            if isinstance(fault, ClockJump):
                self.world.jump(fault)
            elif isinstance(fault, ClockDrift):
                self.world.drift(fault)
            elif isinstance(fault, HostPartition):
                self.world.links.strike_host(fault)
            else:
                assert isinstance(fault, ServerRestart | Failover | Flush | Evict | CutReplica)
                self.world.strike_server(fault)

    def on_work(self, program: Program, about: tuple[bytes, bytes, bytes]) -> tuple[int, bool]:
        """Work on an entry is about to be done: how much longer it takes, in ms, and whether it fails."""
        late_ms, fails = 0, False
        for fault in self._due((SlowHandler, FailHandler), program):
            if isinstance(fault, SlowHandler):
                late_ms += fault.by_ms
                self.world.record(events.Slowed(self.world.now_ms, program.name, *about, fault.by_ms))
            else:
                fails = True
        return late_ms, fails
