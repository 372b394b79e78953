"""Worlds: commands, clocks, crashes, links, and the bounds that keep them finite."""

from __future__ import annotations

from typing import Any

import pytest
from redelivery.sim import events
from redelivery.sim.choices import Drawn, Replayed
from redelivery.sim.errors import ScenarioError
from redelivery.sim.plan import ClockJump, Crash, Plan, Process, Restart
from redelivery.sim.requests import gather, handle, now, sleep
from redelivery.sim.run import drive
from redelivery.sim.steps import Strike, describe
from redelivery.sim.world import World

GROUP = [("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")]


async def add(redis: Any, me: str, n: int = 0) -> int:
    await redis.xadd("s", {"n": n})
    await sleep(100)
    return n + 1


async def read(redis: Any, me: str) -> None:
    for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1, block=1000):
        for entry_id, fields in entries:
            await handle(entry_id, fields)
            await redis.xack("s", "g", entry_id)


def world(*processes: Process, **more: Any) -> World:
    return World(Plan(processes=processes, setup=GROUP, **more), "redis-8.6")


def ran(*processes: Process, tape: tuple[int, ...] = (), **more: Any) -> World:
    made = world(*processes, **more)
    drive(made, Replayed(tape))
    return made


def of(made: World, kind: type) -> list[Any]:
    assert made.history is not None
    return [event for event in made.history if isinstance(event, kind)]


def commands_of(made: World, process: str) -> list[tuple[int, bytes]]:
    return [(e.at_ms, e.commands[0][0]) for e in of(made, events.Effect) if e.process == process]


def test_an_entry_goes_from_its_producer_through_a_handler_to_its_acknowledgment() -> None:
    made = ran(Process("p", add, turns=1, initial=0), Process("c", read, handle_ms=30), within_ms=50, faults_ms=0)
    story = [type(e).__name__ for e in made.history if getattr(e, "process", "") in ("p", "c")]  # type: ignore[union-attr]
    assert story == [
        "Started", "Started", "Effect", "Replied", "Effect", "Replied", "Handling", "Handled", "Effect", "Replied",
        "Effect",
    ]  # fmt: skip
    assert commands_of(made, "c") == [(0, b"XREADGROUP"), (30, b"XACK"), (30, b"XREADGROUP")]


def test_a_blocked_read_is_served_when_an_entry_comes_and_nil_one_past_its_deadline() -> None:
    made = ran(Process("c", read), Process("p", add, turns=1, initial=0, start_ms=400), faults_ms=0, within_ms=3000)
    served = of(made, events.Served)
    assert [(e.at_ms, type(e.reply).__name__) for e in served] == [(400, "Map"), (1451, "Nil"), (2452, "Nil")]


def test_a_turn_that_did_not_wait_costs_a_millisecond() -> None:
    async def spin(redis: Any, me: str) -> None:
        await redis.xlen("s")

    made = ran(Process("c", spin), faults_ms=0, within_ms=3)
    assert commands_of(made, "c") == [(0, b"XLEN"), (1, b"XLEN"), (2, b"XLEN"), (3, b"XLEN")]


def test_a_turn_that_never_ends_is_an_error_with_a_bound() -> None:
    async def endless(redis: Any, me: str) -> None:
        while True:
            await redis.xlen("s")

    with pytest.raises(ScenarioError, match=r"process 'c' sent more than 64 commands in one turn"):
        ran(Process("c", endless))


def test_a_crash_while_holding_strikes_between_handling_and_acknowledging() -> None:
    made = world(
        Process("p", add, turns=1, initial=0),
        Process("c", read, handle_ms=30, restart=Restart(after_ms=500, new_name=True)),
        faults=[Crash("c", when="holding")],
    )
    choices = Replayed(())
    while not any(isinstance(step, Strike) for step in made.enabled()):
        made.take(made.enabled()[0], choices)
    made.take(made.enabled()[0], choices)  # it handles to the end, and is about to acknowledge
    steps = made.enabled()
    names = tuple(p.plan.name for p in made.processes)
    assert [describe(s, names, tuple(made.plan.faults)) for s in steps] == [
        f"c: XACK s g {made.plan.epoch_ms}-0",
        "c crashes",
    ]
    made.take(steps[1], choices)
    drive(made, choices)
    assert not [c for _, c in commands_of(made, "c") if c == b"XACK"], "the request was not sent before the crash"
    assert [(e.consumer, e.incarnation) for e in of(made, events.Started) if e.process == "c"] == [("c", 1), ("c-2", 2)]
    assert of(made, events.Started)[-1].at_ms == 530


def test_a_crash_strikes_nobody_who_holds_nothing_and_no_more_often_than_its_budget() -> None:
    plan = {"faults": [Crash("c", when="holding", budget=2)], "faults_ms": 5000, "within_ms": 5000}
    for seed in range(30):
        made = world(Process("p", add, turns=5, initial=0), Process("c", read), **plan)
        drive(made, Drawn(seed))
        crashes = of(made, events.Crashed)
        assert len(crashes) <= 2
        for crash in crashes:
            assert crash.why == "fault"
            assert crash.at_ms < 5000, "no fault happens once the first phase is over"


def test_a_crashed_process_leaves_no_client_blocked_on_the_server() -> None:
    made = world(Process("c", read, restart=None), faults=[Crash("c")])
    choices = Replayed((0,))
    made.take(made.enabled()[0], choices)
    made.take(made.enabled()[0], choices)
    assert made.server.waiting
    made.take(next(s for s in made.enabled() if isinstance(s, Strike)), choices)
    assert not made.server.waiting
    assert made.server.next_deadline() is None
    assert made.enabled() == []


def test_a_request_that_is_on_its_way_when_its_process_dies_still_takes_effect() -> None:
    async def once(redis: Any, me: str) -> None:
        await redis.xadd("s", {"a": "1"})

    made = world(Process("p", once, restart=None), faults=[Crash("p")], latency_ms=(10,))
    choices = Replayed(())
    made.take(made.enabled()[0], choices)
    made.take(next(s for s in made.enabled() if isinstance(s, Strike)), choices)
    drive(made, choices)
    assert commands_of(made, "p") == [(10, b"XADD")]
    assert [(e.at_ms, e.what) for e in of(made, events.Lost)] == [(10, "reply")]
    assert of(made, events.Replied) == []


def test_a_reply_that_is_on_its_way_when_its_process_dies_is_lost() -> None:
    async def once(redis: Any, me: str) -> None:
        await redis.xadd("s", {"a": "1"})

    made = world(Process("p", once, restart=None), faults=[Crash("p")], latency_ms=(10,))
    choices = Replayed(())
    made.take(made.enabled()[0], choices)
    made.take(made.enabled()[0], choices)
    made.take(next(s for s in made.enabled() if isinstance(s, Strike)), choices)
    assert [(e.at_ms, e.what) for e in of(made, events.Lost)] == [(20, "reply")]


def test_latency_delays_effect_and_reply_and_is_a_choice_where_there_are_several() -> None:
    async def once(redis: Any, me: str) -> None:
        await redis.xadd("s", {"a": "1"})

    made = ran(Process("p", once, turns=1), latency_ms=(5, 50), tape=(1, 0))
    (effect,) = [e for e in of(made, events.Effect) if e.process == "p"]
    assert (effect.sent_ms, effect.at_ms, of(made, events.Replied)[0].at_ms) == (0, 50, 55)


def test_hosts_have_their_own_clocks() -> None:
    seen: dict[str, int] = {}

    async def look(redis: Any, me: str) -> None:
        await sleep(10)
        seconds, micros = await redis.time()
        seen[me] = await now()
        seen["redis"] = seconds * 1000 + micros // 1000

    made = world(Process("a", look, turns=1), faults=[ClockJump("redis", -5000), ClockJump("a", 60_000)])
    choices = Replayed(())
    made.take(made.enabled()[0], choices)
    for _ in range(2):
        made.take(next(s for s in made.enabled() if isinstance(s, Strike)), choices)
    drive(made, choices)
    start = made.plan.epoch_ms
    assert seen == {"a": start + 10 + 60_000, "redis": start + 10 - 5000}


def test_a_process_that_raises_is_a_crash_in_the_history() -> None:
    async def fails(redis: Any, me: str) -> None:
        await redis.xadd("s", {"a": "1"}, id="0-0")

    made = ran(Process("p", fails, restart=Restart(after_ms=4000)), faults_ms=0, within_ms=3000)
    (crash,) = of(made, events.Crashed)
    assert (crash.process, crash.why) == ("p", "raised")
    assert crash.message == "ResponseError: The ID specified in XADD must be greater than 0-0"


def test_gathered_commands_take_connections_of_their_own() -> None:
    async def two(redis: Any, me: str) -> None:
        await gather(redis.xlen("s"), redis.xlen("s"))
        await redis.xlen("s")

    made = ran(Process("c", two, turns=1), within_ms=10)
    sessions = [e.session for e in of(made, events.Effect) if e.process == "c"]
    assert sessions[0] != sessions[1]
    assert sessions[2] in sessions[:2], "an idle connection is used again"


def test_a_pipeline_is_one_transaction_that_nothing_comes_between() -> None:
    values: list[Any] = []

    async def both(redis: Any, me: str) -> None:
        async with redis.pipeline() as pipe:
            pipe.xadd("s", {"a": "1"}, id="1-1")
            pipe.xlen("s")
            values.extend(await pipe.execute())

    made = ran(Process("c", both, turns=1), within_ms=10)
    assert values == [b"1-1", 1]
    (effect,) = [e for e in of(made, events.Effect) if e.process == "c"]
    assert [c[0] for c in effect.commands] == [b"MULTI", b"XADD", b"XLEN", b"EXEC"]


def test_the_phases_meet_where_the_faults_end() -> None:
    made = ran(Process("p", add, initial=0), faults_ms=250, within_ms=500)
    (healed,) = of(made, events.Healed)
    assert healed.at_ms == 250
    assert of(made, events.Ended)[0].at_ms == 700


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"processes": [Process("a", read), Process("a", read)]}, "two processes are called 'a'"),
        ({"processes": [Process("a", read)], "faults": [Crash("ghost")]}, "names 'ghost', which is no .*there is: a"),
        ({"processes": [Process("a", read)], "faults": [ClockJump("mars", 5)]}, "names 'mars', .*there is: a, redis"),
        ({"processes": [], "latency_ms": ()}, "latency_ms must name at least one"),
        ({"processes": []}, "without processes"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_by_name(plan: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        Plan(**plan)


def test_a_setup_command_that_fails_is_named() -> None:
    with pytest.raises(ScenarioError, match=r"setup command 'XGROUP CREATE s g \$' failed"):
        World(Plan(processes=[Process("a", read)], setup=[("XGROUP", "CREATE", "s", "g", "$")]), "redis-8.6")


def test_a_turn_must_be_an_async_function() -> None:
    with pytest.raises(ScenarioError, match="is not an 'async def' function"):
        Process("a", lambda redis, me: None)  # type: ignore[arg-type,return-value]


class Done(Exception):
    """Ends what runs beside it."""


def test_a_cancelled_sibling_leaves_nothing_behind() -> None:
    async def first_of_three(redis: Any, me: str) -> None:
        async def quick() -> None:
            await sleep(50)
            raise Done

        with pytest.raises(Done):
            await gather(quick(), sleep(500), redis.xreadgroup("g", me, {"s": ">"}, block=5000))
        await redis.xlen("s")

    made = ran(Process("c", first_of_three, turns=1), within_ms=8000)
    assert commands_of(made, "c") == [(0, b"XREADGROUP"), (50, b"XLEN")]
    assert not made.server.waiting, "the connection of the abandoned read was closed"
    assert [e.at_ms for e in of(made, events.Closed) if e.process == "c"] == [50]


def test_work_that_is_cancelled_has_an_end() -> None:
    async def impatient(redis: Any, me: str) -> None:
        async def quick() -> None:
            await sleep(50)
            raise Done

        for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1, block=1000):
            with pytest.raises(Done):
                await gather(quick(), handle(entries[0][0]))

    made = ran(Process("p", add, turns=1, initial=0), Process("c", impatient, turns=1, handle_ms=500), within_ms=2000)
    (begun,) = of(made, events.Handling)
    (failed,) = of(made, events.HandleFailed)
    assert failed == events.HandleFailed(begun.at_ms + 50, *begun[1:])
    assert not of(made, events.Handled)


def test_the_request_of_a_cancelled_sibling_arrives_if_it_was_on_its_way() -> None:
    async def first_of_two(redis: Any, me: str) -> None:
        async def quick() -> None:
            await sleep(5)
            raise Done

        with pytest.raises(Done):
            await gather(quick(), redis.xadd("s", {"a": "1"}))
        await sleep(100)

    made = ran(Process("c", first_of_two, turns=1), latency_ms=(10,))
    assert commands_of(made, "c") == [(10, b"XADD")]
    assert [(e.at_ms, e.what) for e in of(made, events.Lost)] == [(10, "reply")]
    assert of(made, events.Replied) == []


def test_where_time_is_frozen_a_turn_that_only_raises_is_named() -> None:
    async def fails(redis: Any, me: str) -> None:
        raise ValueError("no such order")

    with pytest.raises(ScenarioError, match=r"process 'p' fails again and again .*ValueError: no such order"):
        World(Plan([Process("p", fails)], frozen=True), "redis-8.6")
    gone = World(Plan([Process("p", fails, restart=None)], frozen=True), "redis-8.6")
    assert [event.message for event in of(gone, events.Crashed)] == ["ValueError: no such order"]


def test_where_time_is_frozen_a_turn_may_raise_after_its_first_command() -> None:
    async def fails(redis: Any, me: str) -> None:
        await redis.xadd("s", {"a": "1"})
        raise ValueError("no such order")

    made = World(Plan([Process("p", fails)], frozen=True), "redis-8.6")
    for _ in range(100):
        made.take(made.enabled()[0], Replayed(()))
    assert len(of(made, events.Crashed)) == 100
