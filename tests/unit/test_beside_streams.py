"""Consumers that keep something beside the stream, as people write them: what was done already, and counters."""

from __future__ import annotations

from typing import Any

import pytest
import redelivery
from redelivery.sim.errors import ScenarioError
from redelivery.sim.real.servers import embedded

SMALL = {"entries": "1", "within_ms": "5000"}


async def _todo(redis: Any, me: str) -> list[Any]:
    todo = list((await redis.xautoclaim("orders", "workers", me, 1000, "0-0", count=10))[1])
    for _, entries in await redis.xreadgroup("workers", me, {"orders": ">"}, count=1, block=500):
        todo += entries
    return todo


async def marks_after(redis: Any, me: str) -> None:
    """Does what was not done yet, and notes it; all that it asks for is what it put there."""
    for entry_id, fields in await _todo(redis, me):
        if not await redis.sismember("done", entry_id):
            await redelivery.handle(entry_id, fields)
            await redis.sadd("done", entry_id)
            await redis.hincrby("stats", "n", 1)
            await redis.zadd("log", {entry_id: await redis.incr("count")})
        assert entry_id in await redis.smembers("done")
        assert b"n" in await redis.hgetall("stats")
        [[member, score]] = await redis.zrange("log", 0, 0, withscores=True)
        assert (member, score) == (entry_id, 1.0)
        await redis.xack("orders", "workers", entry_id)


async def marks_before(redis: Any, me: str) -> None:
    """Notes that it was done and does it then: who crashes between the two loses it."""
    for entry_id, fields in await _todo(redis, me):
        if await redis.sadd("done", entry_id):
            await redelivery.handle(entry_id, fields)
        await redis.xack("orders", "workers", entry_id)


async def runs_a_script(redis: Any, me: str) -> None:
    """Acknowledges in a script."""
    for entry_id, fields in await _todo(redis, me):
        await redelivery.handle(entry_id, fields)
        await redis.register_script("return redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])")(
            ["orders"], ["workers", entry_id]
        )


@pytest.mark.parametrize("reduce", [(), ("zones", "symmetry")])
def test_what_was_done_is_kept_in_a_set_and_every_interleaving_is_tried(reduce: tuple[str, ...]) -> None:
    """Both ways of comparing states come to the same verdicts; a mark that comes too early loses the entry."""
    small = SMALL if reduce else {**SMALL, "consumers": "1", "within_ms": "3000"}
    assert redelivery.check(redelivery.around(marks_after), params=small, reduce=reduce).verdict == "holds"
    found = redelivery.check(redelivery.around(marks_before), params=small, reduce=reduce)
    assert (found.verdict, found.property_name) == ("violated", "handled-at-least-once")


def test_real_servers_answer_the_same_beside_streams() -> None:
    """Hashes, sets, sorted sets and counters of a run are compared like the rest."""
    server = embedded()
    run = redelivery.simulate(redelivery.around(marks_after), dialect=server.dialect, params=SMALL)
    assert run.verdict == "holds"
    assert redelivery.compare(run.history, "embedded").differences == ()


def test_what_the_model_does_not_have_is_no_verdict() -> None:
    """A command that is not modelled is refused by name: an error reply would make any consumer look broken."""
    with pytest.raises(ScenarioError, match=r"sends EVALSHA: .*redelivery\.atomic"):
        redelivery.simulate(redelivery.around(runs_a_script), params=SMALL)

    async def counts(redis: Any, me: str) -> None:
        await redis.pfadd("seen", me)

    with pytest.raises(ScenarioError, match=r"sends PFADD: the model has no such command"):
        redelivery.simulate(redelivery.around(counts), params=SMALL)
