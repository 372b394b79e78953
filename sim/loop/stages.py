"""The world of a target: a producer, two workers, and jobs that come as a situation of the campaign has it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import redis.asyncio

from ..faults import Fault
from .judging import OPERATOR, POISON, PRODUCER, WORKERS, asked, job_name
from .on_stage import STAGE, escape
from .program import Main, Program
from .simulation import Simulation
from .target import Target, is_async
from .work import work, work_now
from .world import LoopWorld

RESTART_MS = 1_000
"""A supervisor starts a process again so long after it died."""
BEGIN_MS = 2_000
"""The producer begins when the workers have started."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What happens around a target, whatever it is."""

    key: str
    """Its name in tapes."""
    title: str
    faults: Callable[[Target], tuple[Fault, ...]] = lambda target: ()
    jobs: int = 6
    every_ms: int = 500
    """A job comes so often, ``jobs`` times."""
    stays_busy: bool = True
    """Whether a job comes now and then until the end: else the stream is quiet after the first ones."""
    gap_ms: int = 0
    """The last job comes so long after those before it."""
    renames: bool = False
    """Whether a worker that is started again has another name."""
    poison: bool = False
    """Whether one job can never be done."""
    trims: bool = False
    """Whether somebody trims every stream to nothing while entries are pending."""
    early: bool = False
    """Whether the first jobs come before any worker has started."""
    leases: float = 6
    """How many leases of the target the world lives on after the faults."""
    within_ms: int = 20_000


def simulation(target: Target, situation: Situation, dialect: str) -> Simulation:
    """The worlds of a target in a situation."""
    faults = situation.faults(target)
    jobs_ms = BEGIN_MS + situation.jobs * situation.every_ms + situation.gap_ms
    return Simulation(
        lambda world: _people(world, target, situation),
        target.name, faults, asked(situation.poison), dialect,
        faults_ms=jobs_ms + 2 * target.lease_ms,
        within_ms=max(situation.within_ms, round(situation.leases * target.lease_ms)),
        variant=situation.key,
    )  # fmt: skip


def _people(world: LoopWorld, target: Target, situation: Situation) -> None:
    sent = _Sent(situation, world.end_us // 1000)

    produce, do = _producing(target, sent), _working(target, situation)
    for name in WORKERS:
        world.start(name, do, restart_ms=RESTART_MS, start_ms=BEGIN_MS if situation.early else 0)
    world.start(PRODUCER, produce, restart_ms=RESTART_MS, start_ms=0 if situation.early else BEGIN_MS)
    if situation.trims:
        world.start(OPERATOR, _trim)


def _producing(target: Target, sent: _Sent) -> Main:
    if not is_async(target.produce):
        return lambda me: _blocked(target.produce, sent.jobs_now(me))

    async def produce(me: Program) -> None:
        await target.produce(sent.jobs(me))

    return produce


def _working(target: Target, situation: Situation) -> Main:
    def name_of(me: Program) -> str:
        return f"{me.name}-{me.incarnation}" if situation.renames else me.name

    def fails(job: str) -> bool:
        return situation.poison and job == POISON

    if not is_async(target.work):
        return lambda me: _blocked(
            target.work, name_of(me), lambda job: work_now(job, target.job_ms, fails=fails(job))
        )

    async def handle(job: str) -> None:
        await work(job, target.job_ms, fails=fails(job))

    async def do(me: Program) -> None:
        await target.work(name_of(me), handle)

    return do


def _blocked(function: Callable[..., Any], *arguments: Any) -> None:
    """Calls a plain function; what it returns must be no coroutine, which nobody would await."""
    value = function(*arguments)
    if inspect.iscoroutine(value):
        value.close()
        escape("runs a plain function that returns a coroutine: write async def, and await in it")


class _Sent:
    """The jobs of a world. What a producer has taken it has sent, unless it died before it asked for the next."""

    def __init__(self, situation: Situation, end_ms: int) -> None:
        self.situation = situation
        self.end_ms = end_ms
        self.next = 1

    def due_ms(self, number: int) -> int:
        """When a job comes."""
        situation = self.situation
        begin_ms = 0 if situation.early else BEGIN_MS
        if number < situation.jobs:
            return begin_ms + number * situation.every_ms
        if number == situation.jobs:
            return begin_ms + number * situation.every_ms + situation.gap_ms
        return begin_ms + situation.jobs * situation.every_ms + situation.gap_ms + (number - situation.jobs) * 2_500

    def is_left(self) -> bool:
        """Whether there is another job."""
        last_ms = self.end_ms * 2 // 3 if self.situation.stays_busy else 0
        return self.next <= self.situation.jobs or self.due_ms(self.next) < last_ms

    async def jobs(self, me: Program) -> AsyncIterator[str]:
        """The jobs that are left, each when it is time."""
        while self.is_left():
            wait_ms = self.due_ms(self.next) - me.now_us() // 1000
            if wait_ms > 0:
                await asyncio.sleep(wait_ms / 1000)
            yield job_name(self.next)
            self.next += 1

    def jobs_now(self, me: Program) -> Iterator[str]:
        """The same for a program that blocks."""
        while self.is_left():
            wait_ms = self.due_ms(self.next) - me.now_us() // 1000
            if wait_ms > 0:
                assert STAGE.fiber is not None
                STAGE.fiber.sleep(wait_ms / 1000)
            yield job_name(self.next)
            self.next += 1


async def _trim(me: Program) -> None:
    """Somebody trims every stream to nothing, as soon as entries are pending, once."""
    world = me.world
    client: Any = redis.asyncio.Redis()
    while not any(program.holds for program in world.programs):
        await asyncio.sleep(0.02)
    for stream in dict.fromkeys(stream for stream, _ in world.books.texts):
        await client.xtrim(stream, maxlen=0, approximate=False)

