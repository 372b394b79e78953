"""For each server invariant a bug in the model that makes a run report it; the model as it is reports nothing.

A bug is a change of a line or two of the model's own code, put into the function that is there: it is found
whoever calls the function, and a test fails loudly when the line has moved.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from redelivery.models import group, ids, lag, stream
from redelivery.models.commands import claiming, delivering, removing
from redelivery.sim.catalogue import find
from redelivery.sim.choices import Replayed
from redelivery.sim.plan import Plan, Process
from redelivery.sim.properties import SERVER_INVARIANTS
from redelivery.sim.requests import sleep
from redelivery.sim.run import drive, simulate
from redelivery.sim.watch import Violation, Watch
from redelivery.sim.world import World

from .seeded.faults import code_of

Change = tuple[Callable[..., Any], str, str]


def seed(monkeypatch: pytest.MonkeyPatch, change: Change) -> None:
    """Puts ``new`` in the place of ``old``, which stands once in the source of the function."""
    function, old, new = change
    monkeypatch.setattr(function, "__code__", code_of(function, old, new))


async def add_two(redis: Any, me: str) -> None:
    """Two entries in one transaction: both are there, or neither."""
    async with redis.pipeline() as pipe:
        pipe.xadd("s", {"n": 1}).xadd("s", {"n": 2})
        await pipe.execute()


async def read_all(redis: Any, me: str) -> None:
    await redis.xreadgroup("g", me, {"s": ">"}, count=10)


async def read_one_after_the_other(redis: Any, me: str) -> None:
    await redis.xreadgroup("g", me, {"s": ">"}, count=1)


async def settle_and_look_back(redis: Any, me: str) -> None:
    """Reads, acknowledges, and reads its history, which holds nothing now."""
    for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1):
        for entry_id, _ in entries:
            await redis.xack("s", "g", entry_id)
    await redis.xreadgroup("g", me, {"s": "0"})


async def settle_twice(redis: Any, me: str) -> None:
    """Reads and acknowledges, and acknowledges again."""
    for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1):
        for entry_id, _ in entries:
            await redis.xack("s", "g", entry_id)
            await redis.xack("s", "g", entry_id)


async def look_on(redis: Any, me: str) -> None:
    """Does nothing that depends on the entries."""
    await redis.xlen("s")


async def hand_over_and_look_back(redis: Any, me: str) -> None:
    """Reads, lets another claim what it has, and reads its history, which holds nothing now."""
    for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1):
        await redis.xclaim("s", "g", "other", 0, [entry_id for entry_id, _ in entries])
    await redis.xreadgroup("g", me, {"s": "0"})


async def hand_over_and_settle(redis: Any, me: str) -> None:
    """Reads, lets another claim what it has, and acknowledges it all the same."""
    for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1):
        for entry_id, _ in entries:
            await redis.xclaim("s", "g", "other", 0, [entry_id])
            await redis.xack("s", "g", entry_id)


async def renew_and_look_back(redis: Any, me: str) -> None:
    """Reads, claims what it has, and reads its history."""
    for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1):
        await redis.xclaim("s", "g", me, 0, [entry_id for entry_id, _ in entries])
    await redis.xreadgroup("g", me, {"s": "0"})


async def claim_as_of_the_first(redis: Any, me: str) -> None:
    """Reads all, and claims the first with a LASTID that the cursor has long passed."""
    for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=10):
        first = entries[0][0]
        await redis.execute_command("XCLAIM", "s", "g", me, 0, first, "LASTID", first)


async def read_then_claim_at_once(redis: Any, me: str) -> None:
    await redis.xreadgroup("g", me, {"s": ">"}, count=1)
    await sleep(10)
    await redis.xautoclaim("s", "g", "other", 1000)


def plan(consume: Any, turns: int) -> Plan:
    """One producer that adds two entries, then a consumer."""
    return Plan(
        [Process("producer", add_two, turns=1), Process("consumer", consume, turns=turns, start_ms=10)],
        setup=[("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM")],
        faults_ms=0,
        within_ms=5000,
    )


def crash_before_ack(dialect: str) -> list[Violation]:
    """The shipped scenario: a claim, acknowledgments, reads that move the cursor."""
    return simulate(find("crash-before-ack"), "repaired", dialect=dialect).violations


def world_of(consume: Any, turns: int = 1) -> Callable[[str], list[Violation]]:
    """A world made for the purpose, as a run that tells the server invariants that it breaks."""

    def run(dialect: str) -> list[Violation]:
        world = World(plan(consume, turns), dialect, watch=Watch(SERVER_INVARIANTS))
        drive(world, Replayed(()))
        assert world.watch is not None
        return world.watch.violations

    return run


class Bug(NamedTuple):
    """A bug, the run that shows it, and what it breaks: the property it is seeded for comes first.

    ``too`` are properties that cannot hold either, because they say the same of this one event.
    """

    breaks: str
    how: str
    changes: tuple[Change, ...]
    run: Callable[[str], list[Violation]]
    dialect: str = "redis-8.6"
    too: frozenset[str] = frozenset()


BUGS = [
    Bug("accounted-for", "a read leaves out the first entry that it should deliver",
        ((delivering.deliver, "ids.ID_MAX, count)", "ids.ID_MAX, count)[1:]"),), world_of(read_all)),
    Bug("accounted-for", "what is acknowledged leaves its owner's list, and not that of the group",
        ((group.Group.release, "nack = self.pel.pop(entry_id)", "nack = self.pel.get(entry_id)"),),
        world_of(settle_twice), too=frozenset({"one-owner"})),
    Bug("delivered-once", "the cursor stops one short of what was delivered",
        ((delivering.deliver, "group.cursor = entry_id", "group.cursor = entry_id - 1"),),
        world_of(read_one_after_the_other, 2), "redis-6.2", frozenset({"delivery-in-order"})),
    Bug("delivery-in-order", "a read delivers the newest entry first",
        ((delivering.deliver, "stream.ascending(before + 1", "stream.descending(before + 1"),),
        world_of(read_all), "redis-6.2"),
    Bug("ids-increase", "the second ID of a millisecond is that of the first",
        ((ids.next_generated, "return last + 1", "return last"),
         (stream.Stream.append, "assert entry_id > self.last_id", "assert entry_id >= self.last_id")),
        world_of(look_on)),
    Bug("acked-stays-acked", "XACK answers and does not release",
        ((removing.xack, "group.release(entry_id)", "group.pel.get(entry_id)"),),
        world_of(settle_and_look_back), too=frozenset({"pending-is-owned"})),
    Bug("pending-is-owned", "a claim does not take the entry from its old owner",
        ((group.Group.assign, "owner.pel.pop(entry_id)", "pass"),), world_of(hand_over_and_look_back)),
    Bug("one-owner", "what is claimed is noted for the group's first consumer",
        ((group.Group.assign, "nack = Pending(consumer.name", "nack = Pending(next(iter(self.consumers))"),),
        world_of(hand_over_and_settle)),
    Bug("count-monotone", "a read of history counts from 1 again",
        ((delivering.history, "more = one_more(nack.count, call.dialect)", "more = 1"),),
        world_of(renew_and_look_back)),
    Bug("cursor-monotone", "LASTID moves the cursor back, too",
        ((claiming.xclaim, "last_id > group.cursor", "last_id"),), world_of(claim_as_of_the_first)),
    Bug("claim-respects-idle", "min-idle is compared the wrong way round",
        ((claiming._claim_one, "idle_ms < claim.min_idle_ms", "idle_ms > claim.min_idle_ms"),),
        world_of(read_then_claim_at_once)),
    Bug("claim-respects-idle", "min-idle is not looked at, in the shipped scenario",
        ((claiming._claim_one, "idle_ms < claim.min_idle_ms", "False"),),
        crash_before_ack),
    Bug("lag-exact-or-null", "the lag is one too large, in the shipped scenario",
        ((lag.lag, "signed64(stream.entries_added - group.entries_read)",
          "signed64(stream.entries_added - group.entries_read + 1)"),), crash_before_ack),
    Bug("lag-exact-or-null", "a delivery is not counted, in the shipped scenario",
        ((lag.count_delivery, "group.entries_read = signed64(group.entries_read + 1)", "pass"),),
        crash_before_ack, "redis-7.0"),
]  # fmt: skip


def told(bug: Bug) -> str:
    return f"{bug.breaks}: {bug.how}"


@pytest.mark.parametrize("bug", BUGS, ids=told)
def test_the_run_reports_exactly_the_property_that_the_bug_breaks(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    for change in bug.changes:
        seed(monkeypatch, change)
    violations = bug.run(bug.dialect)
    assert [v.property for v in violations][:1] == [bug.breaks], violations
    assert {v.property for v in violations} == {bug.breaks} | bug.too


@pytest.mark.parametrize("bug", BUGS, ids=told)
def test_the_same_run_of_the_model_as_it_is_reports_nothing(bug: Bug) -> None:
    assert bug.run(bug.dialect) == []


def test_no_variant_is_declared_to_break_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    run = simulate(find("crash-before-ack"), "broken")
    assert run.as_declared
    seed(monkeypatch, next(bug for bug in BUGS if bug.breaks == "lag-exact-or-null").changes[0])
    run = simulate(find("crash-before-ack"), "broken")
    assert {v.property for v in run.violations} == {"no-orphan", "lag-exact-or-null"}
    assert not run.as_declared


def test_every_server_invariant_has_a_bug_of_its_own() -> None:
    assert {bug.breaks for bug in BUGS} == {p.name for p in SERVER_INVARIANTS}


def test_a_seeded_bug_is_taken_out_again() -> None:
    before = ids.next_generated(ids.make(5, 0), 5)
    with pytest.MonkeyPatch.context() as monkeypatch:
        seed(monkeypatch, (ids.next_generated, "return last + 1", "return last"))
        assert ids.next_generated(ids.make(5, 0), 5) == ids.make(5, 0)
    assert ids.next_generated(ids.make(5, 0), 5) == before == ids.make(5, 1)


def test_a_bug_whose_line_has_moved_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match=r"'return first' stands 0 times in next_generated"):
        seed(monkeypatch, (ids.next_generated, "return first", "return last"))
