"""Comparisons with several servers at a time, each in a process of its own: a processor for each, where there are."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.queues import Queue

from ..servers import ServerBinary
from .campaign import Report, campaign
from .in_real_time import campaign_in_real_time

__all__ = ["Job", "compare"]

LISTEN_S = 0.2

_told: Queue[tuple[int, int]] | None = None
"""Where a process of the pool says how far it has come: set once, when it starts."""


@dataclass(frozen=True, slots=True)
class Job:
    """One server (a URL: a running one, in real time) and what to put to it."""

    server: str | ServerBinary
    commands: int
    seed: int
    flush: bool = False


def compare(jobs: Sequence[Job], workers: int, progress: Callable[[int], None]) -> Iterator[Report]:
    """The reports, in the order of the jobs; `progress` is told how many commands were compared in all.

    The same job gives the same report, however many workers there are.
    """
    if workers == 1 or len(jobs) == 1:
        before = 0
        for job in jobs:
            report = _run(job, lambda done, before=before: progress(before + done))  # type: ignore[misc]
            before += report.commands
            yield report
        return
    context = get_context("spawn")
    told: Queue[tuple[int, int]] = context.Queue()
    done: dict[int, int] = {}
    with ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(told,)) as pool:
        running = [pool.submit(_work, number, job) for number, job in enumerate(jobs)]
        for future in running:
            while not future.done():
                try:
                    number, commands = told.get(timeout=LISTEN_S)
                except queue.Empty:
                    continue
                done[number] = commands
                progress(sum(done.values()))
            yield future.result()


def _begin(told: Queue[tuple[int, int]]) -> None:
    global _told
    _told = told


def _work(number: int, job: Job) -> Report:
    told = _told
    assert told is not None
    return _run(job, lambda done: told.put((number, done)))


def _run(job: Job, progress: Callable[[int], None]) -> Report:
    if isinstance(job.server, str):
        return campaign_in_real_time(job.server, job.commands, job.seed, flush=job.flush, progress=progress)
    return campaign(job.server, job.commands, job.seed, progress)
