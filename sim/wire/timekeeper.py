"""When something happens because time passes: a blocked client gives up, a pause or a delay ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from .clock import RealClock, VirtualClock

if TYPE_CHECKING:
    from .server import SocketServer

TIMER_MAX_MS = 60_000
"""How long a timer runs at most: a machine whose clock was set is noticed by then."""


class Timekeeper:
    """Wakes the server when it is time, by the machine's clock or by a virtual one.

    A virtual clock moves when ``move_to`` is called, or, with ``autojump``, when every connection waits for the
    server: then to the next time at which that does anything. A connection that is idle holds time up, for its
    owner may be about to use it, unless it has looked at the server from outside with a SIM command.
    """

    def __init__(self, server: SocketServer, clock: RealClock, *, autojump: bool) -> None:
        self.server = server
        self.clock = clock
        self.autojump = autojump and clock.is_virtual
        self._alarms: list[tuple[int, int, Callable[[], None]]] = []
        self._set = 0
        self._look: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None

    def alarm(self, in_ms: int, action: Callable[[], None]) -> None:
        """Does something in so many milliseconds of the server's clock."""
        self._set += 1
        heappush(self._alarms, (self.clock.now_ms() + in_ms, self._set, action))
        self.changed()

    def next_ms(self) -> int | None:
        """The first time at which time alone does something; ``None`` where it never does."""
        deadline_ms = self.server.model.next_deadline()
        if self._alarms and (deadline_ms is None or self._alarms[0][0] < deadline_ms):
            return self._alarms[0][0]
        return deadline_ms

    def changed(self) -> None:
        """Something happened, so that what time does next may be another thing."""
        if self.autojump:
            if self._look is not None:
                self._look.cancel()
            self._look = asyncio.get_running_loop().call_soon(self._let_others_first)
        elif self._look is None and not self.clock.is_virtual and (self._alarms or self._somebody_waits()):
            self._look = asyncio.get_running_loop().call_soon(self._set_timer)

    def stop(self) -> None:
        """Nothing happens any more."""
        for handle in (self._look, self._timer):
            if handle is not None:
                handle.cancel()
        self._alarms.clear()

    def move_to(self, now_ms: int) -> None:
        """Sets a virtual clock: on its way forward it stops wherever something happens."""
        assert isinstance(self.clock, VirtualClock)
        while (next_ms := self.next_ms()) is not None and next_ms <= now_ms:
            if next_ms > self.clock.now_ms():
                self.clock.set(next_ms)
            self._happen()
        self.clock.set(now_ms)

    def _somebody_waits(self) -> bool:
        for database in self.server.model.databases.values():  # noqa: SIM110  # at every write: a generator takes long
            if database.waiting:
                return True
        return False

    def _happen(self) -> None:
        now_ms = self.clock.now_ms()
        while self._alarms and self._alarms[0][0] <= now_ms:
            heappop(self._alarms)[2]()
        self.server.model.expire(now_ms)
        self.server.hand_out(self.server.model.take_served(), now_ms)

    # -- the machine's clock ---------------------------------------------------------------------------

    def _set_timer(self) -> None:
        self._look = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        next_ms = self.next_ms()
        if next_ms is not None:
            left_ms = min(max(next_ms - self.clock.now_ms(), 0), TIMER_MAX_MS)
            self._timer = asyncio.get_running_loop().call_later(left_ms / 1000, self._due)

    def _due(self) -> None:
        self._timer = None
        self._happen()
        self.server.flush()

    # -- a virtual clock that jumps --------------------------------------------------------------------

    def _let_others_first(self) -> None:
        """Looks at the sockets once more before time moves: a request may have come."""
        self._look = asyncio.get_running_loop().call_soon(self._jump)

    def _jump(self) -> None:
        self._look = None
        connections = self.server.connections.values()
        if not connections or any(c.is_idle and not c.observes and not c.is_held for c in connections):
            return
        next_ms = self.next_ms()
        if next_ms is not None:
            self.move_to(max(next_ms, self.clock.now_ms()))
            self.server.flush()
