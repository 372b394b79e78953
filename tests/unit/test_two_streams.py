"""One process with entries of two streams that have the same ID: which one it handles must be known."""

from __future__ import annotations

from typing import Any

import pytest
from redelivery.sim.check.check import check
from redelivery.sim.errors import ScenarioError
from redelivery.sim.events import Handled
from redelivery.sim.plan import Plan, Process
from redelivery.sim.requests import handle
from redelivery.sim.run import simulate
from redelivery.sim.scenario import Scenario, Variant


async def both(redis: Any, me: str) -> None:
    await redis.xadd("orders", {"n": 1})
    await redis.xadd("payments", {"n": 1})


async def says_which(redis: Any, me: str) -> None:
    for stream, entries in await redis.xreadgroup("g", me, {"orders": ">", "payments": ">"}, block=100):
        for entry_id, fields in entries:
            await handle(entry_id, fields, stream=stream)
            await redis.xack(stream, "g", entry_id)


async def says_nothing(redis: Any, me: str) -> None:
    for stream, entries in await redis.xreadgroup("g", me, {"orders": ">", "payments": ">"}, block=100):
        for entry_id, fields in entries:
            await handle(entry_id, fields)
            await redis.xack(stream, "g", entry_id)


async def one_after_the_other(redis: Any, me: str) -> None:
    for stream in ("orders", "payments"):
        for _, entries in await redis.xreadgroup("g", me, {stream: ">"}, block=100):
            for entry_id, fields in entries:
                await handle(entry_id, fields)
                await redis.xack(stream, "g", entry_id)


def world(turn: Any) -> Scenario:
    def plan(params: Any) -> Plan:
        return Plan(
            [Process("shop", both, turns=1), Process("worker", turn, handle_ms=10, start_ms=5)],
            setup=[("XGROUP", "CREATE", stream, "g", "$", "MKSTREAM") for stream in ("orders", "payments")],
            faults_ms=500, within_ms=500,
        )  # fmt: skip

    return Scenario("two", "Two streams.", {"given": Variant("x", plan)}, properties=["handled-at-least-once"])


@pytest.mark.parametrize("turn", [says_which, one_after_the_other])
def test_each_entry_is_handled_in_its_own_stream(turn: Any) -> None:
    run = simulate(world(turn))
    handled = [event.stream for event in run.history if isinstance(event, Handled)]
    assert (run.verdict, handled) == ("holds", [b"orders", b"payments"])
    assert check(world(turn)).verdict == "holds"


def test_where_it_is_not_said_which_it_is_nothing_is_guessed() -> None:
    says = "'worker' handles an entry, and has one of the same ID from orders and from payments: say which it is"
    with pytest.raises(ScenarioError, match=says):
        simulate(world(says_nothing))
