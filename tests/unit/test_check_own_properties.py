"""Properties of a user's own: a search shows them abstract states, and comes to what they would say of runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from redelivery.sim.around import around
from redelivery.sim.check.check import check
from redelivery.sim.errors import BadInput
from redelivery.sim.plan import Plan, Process
from redelivery.sim.requests import handle, sleep
from redelivery.sim.scenario import Scenario, Variant
from redelivery.sim.watch import Monitor, Property

SMALL = {"entries": "1", "every_ms": "10", "within_ms": "2500"}
START_MS = 1_700_000_000_000


async def consume(redis: Any, me: str) -> None:
    todo = list((await redis.xautoclaim("orders", "workers", me, 1000, "0-0"))[1])
    for _, entries in await redis.xreadgroup("workers", me, {"orders": ">"}, count=1, block=1000):
        todo += entries
    for entry_id, fields in todo:
        await handle(entry_id, fields)
        await redis.xack("orders", "workers", entry_id)


async def once(redis: Any, me: str) -> None:
    await redis.xadd("orders", {"n": 1})
    await sleep(300)
    await redis.xadd("orders", {"n": 2})
    found = await redis.xreadgroup("workers", me, {"orders": ">"})
    await sleep(700)
    for entry_id, fields in await redis.xclaim("orders", "workers", me, 100, [entry_id for entry_id, _ in found[0][1]]):
        await handle(entry_id, fields)
        await redis.xack("orders", "workers", entry_id)


ALONE = Scenario(
    "alone", "One process does everything once.",
    {"given": Variant("x", lambda params: Plan(
        [Process("p", once, turns=1)], setup=[("XGROUP", "CREATE", "orders", "workers", "$", "MKSTREAM")],
    ))},
)  # fmt: skip


def wrong(base: Scenario, on: str, is_wrong: Callable[[Any, Any], Any]) -> Scenario:
    """A scenario with a property that complains of a fact and its event, or of the end, at which it is."""

    def told(self: Monitor, what: Any, event: Any = None) -> str | None:
        return f"wrong at {what if event is None else event.at_ms}" if is_wrong(what, event) else None

    monitor = type("Mine", (Monitor,), {on: told, "__module__": __name__})
    rule = Property("mine", "eventually" if on == "at_end" else "always", "as I say", monitor)
    return replace(base, properties=[*base.properties, rule])


@pytest.mark.parametrize(
    ("on", "is_wrong", "why"),
    [
        ("on_acked", lambda fact, event: event.at_ms < 2000, "goes by times"),
        ("on_handled", lambda event, _: event.at_ms % 10_000 < 2000, "goes by times"),
        ("on_acked", lambda fact, event: event.server_ms < START_MS + 2000, "goes by times"),
        ("on_claimed", lambda fact, event: fact.idle_ms > 500, "goes by times"),
        ("on_claimed", lambda fact, event: int(fact.delivered_ms) == START_MS + 1000, "goes by times"),
        ("at_end", lambda at_ms, _: at_ms <= 100_000, "goes by times"),
        ("on_acked", lambda fact, event: (fact.id >> 64) > START_MS + 100, "looks inside IDs"),
        ("on_handled", lambda event, _: event.entry > b"1700000000100", "looks inside IDs"),
    ],
)
def test_a_property_that_goes_by_what_is_left_out_of_states_is_judged_as_in_a_run(
    on: str, is_wrong: Callable[[Any, Any], Any], why: str
) -> None:
    """Each of these is broken in some run; none would be, by the numbers that stand for times and IDs in a state."""
    result = check(wrong(ALONE, on, is_wrong))
    assert (result.verdict, result.property_name) == ("violated", "mine")
    assert any(f"property 'mine' {why}" in note for note in result.notes)


def test_a_property_that_knows_processes_by_parts_of_their_names_tells_them_apart() -> None:
    result = check(wrong(around(consume), "on_acked", lambda fact, event: fact.owner.endswith(b"2-2")), params=SMALL)
    assert (result.verdict, result.property_name) == ("violated", "mine")
    assert any("property 'mine' goes by the names of processes" in note for note in result.notes)


def test_a_property_that_tells_times_is_searched_as_any_other() -> None:
    """To be told, to be there at all, and to be in order leaves states as they are."""

    def is_wrong(fact: Any, event: Any) -> bool:
        return fact.idle_ms is None or not f"{event.at_ms} ms, {fact.id}, {event.process}"

    result = check(wrong(around(consume), "on_claimed", is_wrong), params=SMALL)
    plain = check(around(consume), params=SMALL)
    assert (result.verdict, result.states, result.notes) == ("holds", plain.states, plain.notes)
    found = check(wrong(around(consume), "on_claimed", lambda fact, event: fact.owner_before is not None), params=SMALL)
    assert found.verdict == "violated"
    assert not any("mine" in note for note in found.notes)


def test_a_property_that_raises_is_not_taken_for_one_that_goes_by_times() -> None:
    with pytest.raises(BadInput, match="property 'mine' raised ZeroDivisionError"):
        check(wrong(ALONE, "on_acked", lambda fact, event: 1 // 0))
