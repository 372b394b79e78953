"""What the first consumers of a new user do wrong is told in words: the verdict alone would not say it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import redelivery
from redelivery.sim.remarks import remarks

SMALL = {"entries": "1", "within_ms": "3000"}


async def _read(redis: Any, me: str, stream: str = "orders") -> list[Any]:
    found = await redis.xreadgroup("workers", me, {stream: ">"}, count=1, block=500)
    return [entry for _, entries in found for entry in entries]


async def takes_bytes_for_text(redis: Any, me: str) -> None:
    for entry_id, fields in await _read(redis, me):
        await redelivery.handle(entry_id, {"n": fields["n"]})


async def reads_another_stream(redis: Any, me: str) -> None:
    await _read(redis, me, "events")


async def never_says_that_it_works(redis: Any, me: str) -> None:
    for entry_id, _ in await _read(redis, me):
        await asyncio.sleep(0.3)
        await redis.xack("orders", "workers", entry_id)


async def leaves_it_to_others(redis: Any, me: str) -> None:
    for entry_id, fields in await _read(redis, me):
        await redelivery.handle(entry_id, fields)


@pytest.mark.parametrize(
    ("consumer", "told"),
    [
        (takes_bytes_for_text, ["raised KeyError: 'n' (at 0 ms); IDs and fields are bytes here"]),
        (
            reads_another_stream,
            [
                "raised ResponseError: NOGROUP No such key 'events' or consumer group 'workers'",
                "no process was given anything of stream orders as group workers; --param stream=NAME --param group=",
            ],
        ),
        (never_says_that_it_works, ["nothing was handled: no process came to redelivery.handle(entry_id, fields)"]),
        (leaves_it_to_others, []),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_explains_the_verdict_is_told(consumer: Any, told: list[str]) -> None:
    """One line each; where the violation says it all, none."""
    run = redelivery.simulate(redelivery.around(consumer), params=SMALL)
    assert run.verdict == "violated"
    lines = remarks(run)
    assert len(lines) == len(told)
    for line, part in zip(lines, told, strict=True):
        assert part in line


def test_a_run_that_shows_what_it_is_declared_to_show_needs_no_remark() -> None:
    """Scenarios in which programs raise on purpose are not commented."""
    assert remarks(redelivery.simulate(redelivery.find("nogroup-after-flush"), "broken")) == []


async def never_acknowledges(redis: Any, me: str) -> None:
    todo = (await redis.xautoclaim("orders", "workers", me, 1000, "0-0"))[1]
    for entry_id, fields in [*todo, *await _read(redis, me)]:
        await redelivery.handle(entry_id, fields)


def test_a_consumer_that_never_acknowledges_is_told_so_though_it_loses_nothing() -> None:
    run = redelivery.simulate(redelivery.around(never_acknowledges), params=SMALL)
    assert run.as_declared
    says = "nothing was acknowledged: what is handled stays pending in group workers, and is claimed again"
    assert remarks(run) == [says]
