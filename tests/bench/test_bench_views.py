"""Pictures: a timeline of 1,000 events in under 2 s, and a run of 80,000 read into what there is to draw in seconds."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest
from redelivery import History, find, simulate
from redelivery.sim.views.draw import render
from redelivery.sim.views.reading import read

LIMIT_S = 2.0


def long_run(entries: int) -> History:
    return simulate(find("slow-handler-claimed"), "broken", params={"entries": str(entries)}).history


@pytest.mark.benchmark(group="a timeline of 1,000 events as SVG")
def test_timeline_ours(benchmark: Any) -> None:
    history = long_run(100)
    assert len(history) > 1000
    spent: list[float] = []

    def draw() -> bytes:
        begun = process_time()
        data = render(history, "svg")
        spent.append(process_time() - begun)
        return data

    drawn = benchmark.pedantic(draw, rounds=3, warmup_rounds=1)
    assert len(drawn) < 1_000_000
    assert min(spent) < LIMIT_S, "of the processor, whoever else needs it"


@pytest.mark.benchmark(group="80,000 events read into lanes and lives")
def test_reading_ours(benchmark: Any) -> None:
    history = long_run(8000)
    assert len(history) > 80_000
    reading = benchmark.pedantic(read, (history,), rounds=1)
    assert reading.entries == 8000
