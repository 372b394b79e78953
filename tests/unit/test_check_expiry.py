"""Keys with an expiry beside a stream: what never expires within a run is left out of states, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from redelivery.sim.around import around
from redelivery.sim.check.check import check
from redelivery.sim.requests import handle

SMALL = {"entries": "1", "consumers": "1", "within_ms": "2500"}


async def _todo(redis: Any, me: str) -> list[Any]:
    todo = list((await redis.xautoclaim("orders", "workers", me, 1000, "0-0"))[1])
    for _, entries in await redis.xreadgroup("workers", me, {"orders": ">"}, count=1, block=1000):
        todo += entries
    return todo


async def _marked_before(redis: Any, me: str, seconds: int, *, asks: bool = False) -> None:
    """Marks an order as done before it is: who crashes at the work leaves the mark, for so long."""
    for entry_id, fields in await _todo(redis, me):
        mark = b"done:" + fields[b"n"]
        if await redis.set(mark, me, nx=True, ex=seconds):
            await handle(entry_id, fields)
        if asks:
            await redis.ttl(mark)
        await redis.xack("orders", "workers", entry_id)


async def for_a_minute(redis: Any, me: str) -> None:
    await _marked_before(redis, me, 60)


async def for_ever(redis: Any, me: str) -> None:
    for entry_id, fields in await _todo(redis, me):
        if await redis.set(b"done:" + fields[b"n"], me, nx=True):
            await handle(entry_id, fields)
        await redis.xack("orders", "workers", entry_id)


async def for_a_second(redis: Any, me: str) -> None:
    await _marked_before(redis, me, 1)


async def for_a_minute_and_asks(redis: Any, me: str) -> None:
    await _marked_before(redis, me, 60, asks=True)


def test_a_key_that_outlives_every_run_is_like_one_without_expiry() -> None:
    found, plain = check(around(for_a_minute), params=SMALL), check(around(for_ever), params=SMALL)
    assert (found.verdict, found.property_name) == ("violated", "handled-at-least-once")
    assert (found.states, found.transitions, found.notes) == (plain.states, plain.transitions, plain.notes)
    exact = check(around(for_a_minute), params=SMALL, reduce=())
    assert (exact.verdict, exact.property_name) == (found.verdict, found.property_name)


@pytest.mark.parametrize(
    ("turn", "verdict"), [(for_a_second, "holds"), (for_a_minute_and_asks, "violated")], ids=["expires", "asks"]
)
def test_a_key_that_may_expire_or_is_asked_for_it_is_compared_exactly(turn: Any, verdict: str) -> None:
    found = check(around(turn), params=SMALL)
    assert found.verdict == verdict
    assert "states are compared exactly: keys expire" in found.notes
