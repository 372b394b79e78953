"""The links between the programs of a world and its server: whole; or cut, slow, half open or refused for a while.

What is sent through a link that is cut arrives when it is whole again, in order, as TCP sends it until it gets through:
requests too that their client has given up, and the end of a connection that was closed meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import events
from ..link_faults import REPLIES, REQUESTS, SLOWLY, HalfOpen, HostPartition, SlowLink, kinds_of

if TYPE_CHECKING:
    from ..faults import OfLink
    from .network import ClientTransport
    from .program import Program
    from .world import LoopWorld

REFUSED = 111
NOT_BARRED = (0, 0)


class Way:
    """One direction of a connection: what goes along it arrives in order."""

    __slots__ = ("kind", "last_us", "queue")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.queue: deque[Callable[[], None]] = deque()
        """What is under way, and does something when it arrives."""
        self.last_us = 0
        """When the last of it arrives."""


class Links:
    """What is the matter with the link of each program."""

    def __init__(self, world: LoopWorld) -> None:
        self.world = world
        self.barred: dict[tuple[str, str], tuple[int, int]] = {}
        """(program, what) to until when, and by how much what is sent is late: both in µs."""
        self.down_until_us = 0
        """Until then nobody is there who would accept a connection."""

    # -- faults ----------------------------------------------------------------------------------------

    def may_strike(self, fault: OfLink, program: Program) -> bool:
        """Whether it makes a difference: a connection must be in use, or the link not be so already."""
        if isinstance(fault, HalfOpen):
            return any(transport.is_in_use for transport in program.transports)
        kinds = (SLOWLY,) if isinstance(fault, SlowLink) else kinds_of(fault.cut)
        return not any((program.name, kind) in self.barred for kind in kinds)

    def strike(self, fault: OfLink | HostPartition, program: Program) -> None:
        """Something is the matter with the link of a program from now on."""
        world = self.world
        if isinstance(fault, HalfOpen):
            self._half_open(program)
        elif isinstance(fault, SlowLink):
            world.record(events.LinkSlowed(world.now_ms, program.name, fault.by_ms, fault.for_ms))
            self._bar(program, SLOWLY, fault.for_ms, fault.by_ms)
        else:
            world.record(events.Partitioned(world.now_ms, program.name, fault.cut, fault.for_ms))
            for kind in kinds_of(fault.cut):
                self._bar(program, kind, fault.for_ms)

    def strike_host(self, fault: HostPartition) -> None:
        """All programs of a host are cut off at once."""
        for program in self.world.programs:
            if program.host == fault.host:
                self.strike(fault, program)

    def _bar(self, program: Program, kind: str, for_ms: int, by_ms: int = 0) -> None:
        key, until_us = (program.name, kind), self.world.now_us + for_ms * 1000
        if self.barred.get(key, NOT_BARRED)[0] >= until_us:
            return
        self.barred[key] = until_us, by_ms * 1000
        self.world.at(until_us, lambda: self._mend(program, kind, until_us))

    def _mend(self, program: Program, kind: str, until_us: int) -> None:
        if self.barred.get((program.name, kind), NOT_BARRED)[0] != until_us:
            return
        del self.barred[program.name, kind]
        if not any(name == program.name for name, _ in self.barred):
            self.world.record(events.Mended(self.world.now_ms, program.name))

    def _half_open(self, program: Program) -> None:
        self.world.record(events.HalfOpened(self.world.now_ms, program.name))
        for transport in tuple(program.transports):
            if transport.is_in_use:
                transport.is_silent = True
                self.world.end_session(transport)
            else:
                self.world.server.drop(transport.peer.connection)

    # -- what is under way -----------------------------------------------------------------------------

    def along(self, way: Way, program: Program, arrives: Callable[[], None]) -> None:
        """Something sets off, and does something when it arrives: at once where the link is whole."""
        now_us = self.world.now_us
        if not way.queue and not self.barred:
            arrives()
            return
        late_us = now_us + self.barred.get((program.name, SLOWLY), NOT_BARRED)[1]
        at_us = max(late_us, self.barred.get((program.name, way.kind), NOT_BARRED)[0], way.last_us)
        if at_us <= now_us and not way.queue:
            arrives()
            return
        way.queue.append(arrives)
        way.last_us = at_us
        self.world.at(at_us, lambda: self._bring(way, program))

    def _bring(self, way: Way, program: Program) -> None:
        """What set off first arrives, unless the link has been cut since."""
        until_us = self.barred.get((program.name, way.kind), NOT_BARRED)[0]
        if until_us > self.world.now_us:
            way.last_us = max(way.last_us, until_us)
            self.world.at(until_us, lambda: self._bring(way, program))
            return
        way.queue.popleft()()

    async def shake_hands(self, program: Program) -> None:
        """Waits until a connection can be made; ``ConnectionRefusedError`` where nobody is there."""
        name, slept = program.name, False
        while self.barred:
            until_us = max(self.barred.get((name, kind), NOT_BARRED)[0] for kind in (REQUESTS, REPLIES))
            late_us = until_us - self.world.now_us
            if late_us <= 0:
                late_us = 0 if slept else 2 * self.barred.get((name, SLOWLY), NOT_BARRED)[1]
            if not late_us:
                break
            slept = True
            await asyncio.sleep(late_us / 1e6)
        if self.world.now_us < self.down_until_us:
            raise ConnectionRefusedError(REFUSED, "Connection refused")

    def carry(self, transport: ClientTransport, data: bytes) -> None:
        """Takes what a program sends: at once, or when its thread has slept."""
        program = transport.program
        if not program.is_alive or transport.loop is not program.loop or transport.is_silent:
            return
        if program.busy_until_us > self.world.now_us:
            self.world.at(program.busy_until_us, lambda: self._set_off(transport, data))
        else:
            self._set_off(transport, data)

    def _set_off(self, transport: ClientTransport, data: bytes) -> None:
        program, world = transport.program, self.world
        if transport.is_closed or transport.is_silent or not program.is_alive:
            return
        world.acted = True
        transport.leaves = True
        world.strikes.on_act(program)
        transport.leaves = False
        if transport.is_closed or transport.is_silent or not program.is_alive:
            return
        if self.barred or transport.outward.queue:
            sent_ms = world.now_ms
            self.along(transport.outward, program, lambda: self._arrive(transport, data, sent_ms))
        else:
            self._arrive(transport, data, world.now_ms)
        if program.is_alive:
            world.strikes.on_act(program)

    def _arrive(self, transport: ClientTransport, data: bytes, sent_ms: int) -> None:
        if transport.is_silent or transport.peer.is_closed:
            return
        transport.sent_ms = sent_ms
        transport.peer.connection.receive(data)
        self.world.server.settle()

    def hang_up(self, transport: ClientTransport) -> None:
        """The program's end of a connection is gone: the server hears of it as of all that is sent."""
        if not transport.is_silent and not transport.peer.is_closed:
            self.along(transport.outward, transport.program, lambda: self.world.end_session(transport))

