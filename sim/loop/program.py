"""A simulated process: one running program with its own event loop, clock, chance and connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..holding import Places
    from .event_loop import SimulatedLoop
    from .fibers import Fiber
    from .network import ClientTransport
    from .world import LoopWorld

Main = Callable[..., object]
"""What a process runs, in each of its lives: an async function, or a plain one that may block. If it takes an argument,
that is its program."""

PID_MIN = 100
"""The process number of the first program."""


class Program:
    """One process of a world, through all its lives.

    ``main`` is called in each life, with the program itself if it takes an argument: see ``Main``.
    ``restart_ms``: so long after it died it is started again; ``None`` leaves it dead.
    """

    def __init__(
        self, world: LoopWorld, name: str, main: Main, *, host: str = "", start_ms: int = 0,
        restart_ms: int | None = None,
    ) -> None:  # fmt: skip
        self.world = world
        self.name = name
        self.main = main
        self.host = host or name
        self.start_ms = start_ms
        self.restart_ms = restart_ms
        self.index = len(world.programs)
        self.pid = PID_MIN + self.index
        self.incarnation = 0
        self.loop: SimulatedLoop | None = None
        """That of its present life; ``None`` while it is dead."""
        self.task: asyncio.Task[Any] | None = None
        self.fibers: list[Fiber] = []
        """The threads of a program that blocks, of all its lives."""
        self.transports: dict[ClientTransport, None] = {}
        """Its open connections."""
        self.offset_ms = 0
        """By how much its wall clock is wrong."""
        self._drift_since_us = self._drift = 0
        """Since when it goes wrong, and by how many ms a second."""
        self.busy_until_us = 0
        """Until then its thread sleeps (``time.sleep``): what it does meanwhile counts as done at that time."""
        self.paused_until_us: int | None = None
        self.steps_at_once = 0
        """How many callbacks it has run without that time passed."""
        self.ready_since = 0
        """When it became ready, in steps of the world: who has waited longest comes first."""
        self.in_vain = 0
        """How many commands in a row changed nothing and did not wait."""
        self.doomed = False
        """It crashed within the callback at hand: whatever else that does reaches nobody."""
        self.finished = False
        self.random = Random(0)
        self.holds: dict[tuple[bytes, bytes, int], None] = {}
        """(stream, group, id) of what was delivered to it and is not acknowledged, in order."""
        self.complaints: list[str] = []
        """What asyncio told of exceptions that nobody looked at."""
        self.working: list[tuple[bytes, bytes, bytes]] = []
        """(stream, group, entry) of what it works on right now."""
        self.done: set[tuple[bytes, bytes, bytes]] = set()
        """What it has worked on to the end since it got it last; only looked up, never gone through."""
        self.streams: Places = {}
        """Entry ID to the stream and group that it was last delivered from."""

    @property
    def is_alive(self) -> bool:
        """Whether it runs, and did not crash in the callback at hand."""
        return self.loop is not None and not self.doomed and not self.world.over

    def now_us(self) -> int:
        """The time of its world, as the code that runs now has it."""
        return max(self.world.now_us, self.busy_until_us)

    def wall_us(self) -> int:
        """Its own wall clock, in µs since the epoch."""
        now_us = self.now_us()
        return (self.world.epoch_ms + self.offset_ms) * 1000 + now_us + self._drifted_us(now_us)

    def drift_by(self, ms_a_second: int) -> None:
        """From now on its wall clock goes wrong by so much more."""
        now_us = self.now_us()
        self.offset_ms += self._drifted_us(now_us) // 1000
        self._drift_since_us, self._drift = now_us, self._drift + ms_a_second

    def _drifted_us(self, now_us: int) -> int:
        return (now_us - self._drift_since_us) * self._drift // 1000

    def sleep_us(self, us: int) -> None:
        """Its thread sleeps."""
        self.busy_until_us = self.now_us() + max(us, 0)
