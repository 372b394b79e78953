"""Large searches: what a state takes in memory and in time as they grow, and what a second worker brings.

They take minutes, so nothing of them runs unless ``REDELIVERY_BENCH_STATES`` says how many states it may be about:
``REDELIVERY_BENCH_STATES=6500000 pytest -s tests/bench/test_bench_workers.py``.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from time import perf_counter
from typing import Any

import pytest
from redelivery.sim.catalogue import find
from redelivery.sim.check.breadth import Frontier, Progress
from redelivery.sim.check.check import check
from redelivery.sim.check.checkpoint import Saver
from redelivery.sim.check.machine import Machine
from redelivery.sim.check.parallel.parcel import state_bytes
from redelivery.sim.check.report import Result
from redelivery.sim.check.resident import resident_bytes
from redelivery.sim.check.sweep import Spread

STATES_MAX = int(os.environ.get("REDELIVERY_BENCH_STATES", "0"))
WORLDS: dict[int, tuple[dict[str, str], tuple[str, ...]]] = {
    444_554: ({}, ("zones",)),
    6_467_639: ({"entries": "5", "crashes": "3"}, ("zones",)),
    4_992_361: ({"entries": "7"}, ("zones", "symmetry")),
}
"""Sizes of ``group-world``, by its parameters and the reductions; the last takes one worker a minute or more."""
MEMORY_BYTES_MAX = 2 << 30
STATE_BYTES_MAX = 100
MARKS = (10_000, 100_000, 1_000_000)
GROWTH_MAX = 1.5
"""So much more a state may cost once there are 100 times as many."""


@dataclass
class Watched:
    """Looks at a search on its way."""

    workers: int = 1
    peak_bytes: int = 0
    began_s: float = field(default_factory=perf_counter)
    at_s: dict[int, float] = field(default_factory=dict)
    """When so many states had been found."""
    spent_s: list[float] = field(default_factory=lambda: processor_s())
    """The processor time of this process and of its workers so far; of this search, once it is over."""

    def tell(self, progress: Progress) -> None:
        for mark in MARKS:
            if progress.states >= mark and mark not in self.at_s:
                self.at_s[mark] = perf_counter() - self.began_s
        self.peak_bytes = max(self.peak_bytes, resident_bytes() + progress.memory_bytes)

    def end(self) -> None:
        self.spent_s = [now_s - then_s for now_s, then_s in zip(processor_s(), self.spent_s, strict=True)]

    @property
    def alone_s(self) -> float:
        """How long it takes where nobody else uses the machine: whoever leads, then workers side by side."""
        return self.spent_s[0] + self.spent_s[1] / self.workers


def processor_s() -> list[float]:
    used = [getrusage(whose) for whose in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    return [each.ru_utime + each.ru_stime for each in used]


def allowed(states: int) -> None:
    if states > STATES_MAX:
        pytest.skip(f"REDELIVERY_BENCH_STATES asks for no search of {states:,} states")


def searched(states: int, workers: int) -> tuple[Result, Watched]:
    params, reduce = WORLDS[states]
    watched = Watched(workers)
    result = check(
        find("group-world"), "repaired", params=params, reduce=reduce, workers=workers, clock=perf_counter,
        report=watched.tell,
    )  # fmt: skip
    watched.end()
    assert (result.verdict, result.states, result.workers) == ("holds", states, workers)
    return result, watched


@pytest.mark.parametrize("states", WORLDS)
def test_two_workers_come_to_the_same_in_less_time(states: int, capsys: pytest.CaptureFixture[str]) -> None:
    allowed(states)
    alone, one = searched(states, 1)
    together, two = searched(states, 2)
    assert (alone.transitions, alone.statistics) == (together.transitions, together.statistics)
    with capsys.disabled():
        for workers, result, watched in ((1, alone, one), (2, together, two)):
            print(
                f"\n{workers} worker{'s' * (workers > 1)}: {states:,} states, {result.transitions:,} transitions in "
                f"{result.seconds:.1f} s, {result.states / result.seconds:,.0f} states/s, "
                f"at most {watched.peak_bytes / 1e6:,.0f} MB"
            )
            lead_s, workers_s = watched.spent_s
            print(f"   processor time: {lead_s:.1f} s of whoever leads, {workers_s:.1f} s of all workers")
            marks = ", ".join(f"{at / mark * 1e6:.1f} to {mark:,}" for mark, at in watched.at_s.items())
            print(f"   µs a state: {marks}")
        print(
            f"   two take {together.seconds / alone.seconds:.2f} of the time; with the machine to themselves they "
            f"would take {two.alone_s / one.alone_s:.2f} of it, if no worker ever waited for the other"
        )
    assert max(one.peak_bytes, two.peak_bytes) < MEMORY_BYTES_MAX
    if MARKS[-1] in one.at_s:
        each_s = [one.at_s[mark] / mark for mark in (MARKS[0], MARKS[-1])]
        assert each_s[1] < GROWTH_MAX * each_s[0]


@pytest.mark.parametrize("states", WORLDS)
def test_a_stored_state_takes_so_many_bytes(
    states: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was seen, and the two levels at hand, as they are in memory, by scene or by state."""
    allowed(states)
    found: dict[int, float] = {}
    calls = count()

    def weigh(saver: Saver, machine: Machine, frontier: Frontier) -> None:
        if next(calls) % 64:
            return
        seen = len(frontier.seen)
        number = (sys.getsizeof((1 << 8 * state_bytes(machine)) - 1) + 15) // 16 * 16
        held_bytes = sum(weight(part) for part in (frontier.seen, frontier.level, frontier.deeper))
        if not isinstance(frontier.seen, Spread):
            held_bytes += number * seen
        found[seen] = held_bytes / seen

    monkeypatch.setattr(Saver, "save", weigh)
    params, reduce = WORLDS[states]
    check(find("group-world"), "repaired", params=params, reduce=reduce, checkpoint=tmp_path / "c")
    sizes = [size for seen, size in found.items() if seen >= MARKS[1]]
    with capsys.disabled():
        print(f"\n{states:,} states: {sizes[-1]:.0f} bytes each, {min(sizes):.0f} to {max(sizes):.0f} on the way")
    assert sizes[-1] <= STATE_BYTES_MAX


def weight(states: Any) -> int:
    """What a set or a list takes; of scenes with masks, their numbers too."""
    if not isinstance(states, Spread):
        return sys.getsizeof(states)
    pairs = [*states._masks.items(), *states._level]
    tables = sys.getsizeof(states._masks) + sys.getsizeof(states._level)
    return tables + sum((sys.getsizeof(number) + 15) // 16 * 16 for pair in pairs for number in pair)
