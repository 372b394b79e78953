"""Links that are cut, slow, half open or refused for a while, and clocks that drift: what each side sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis
from redelivery.sim import events
from redelivery.sim.choices import Replayed
from redelivery.sim.client_policies import ClientPolicy
from redelivery.sim.errors import ScenarioError
from redelivery.sim.faults import ClockDrift, Fault, SlowHandler
from redelivery.sim.link_faults import HalfOpen, HostPartition, Partition, SlowLink
from redelivery.sim.plan import Plan, Process
from redelivery.sim.requests import gather, now, publish, sleep
from redelivery.sim.server_faults import CutReplica, Failover, ServerRestart
from redelivery.sim.steps import Strike
from redelivery.sim.world import World

GROUP = [("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")]
PATIENT = ClientPolicy("patient", connect_timeout_ms=40, socket_timeout_ms=70)


async def add(redis: Any, me: str, n: int = 0) -> int:
    await redis.xadd("s", {"n": n})
    await sleep(100)
    return n + 1


async def read(redis: Any, me: str) -> None:
    for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1, block=1000):
        for entry_id, _ in entries:
            await redis.xack("s", "g", entry_id)


def struck(*processes: Process, fault: Fault, at_ms: int = 0, others: tuple[Fault, ...] = (), **more: Any) -> World:
    """A run in which the fault strikes as soon as it can, but not before ``at_ms``."""
    plan = Plan(
        processes, setup=GROUP, faults=[fault, *others], **{"faults_ms": 5000, "within_ms": 5000, **more}
    )
    made = World(plan, "redis-8.6")
    choices = Replayed(())
    while steps := made.enabled():
        strikes = [step for step in steps if isinstance(step, Strike) and step.at_ms >= at_ms and step.fault == 0]
        plain = [step for step in steps if not isinstance(step, Strike)]
        made.take((strikes or plain)[0], choices)
    made.finish()
    return made


def of(made: World, kind: type) -> list[Any]:
    assert made.history is not None
    return [event for event in made.history if isinstance(event, kind)]


def effects(made: World, name: str) -> list[int]:
    return [event.at_ms for event in of(made, events.Effect) if event.commands[0][0] == name.encode()]


def replied(made: World) -> list[int]:
    return [event.at_ms for event in of(made, events.Replied)]


def adder(**more: Any) -> Process:
    return Process("p", add, turns=2, initial=0, **more)


def test_what_is_sent_while_cut_off_arrives_when_it_is_over() -> None:
    made = struck(adder(), fault=Partition("p", 50), at_ms=100)
    assert effects(made, "XADD") == [0, 150]
    assert replied(made) == [0, 150]
    assert of(made, events.Partitioned) == [events.Partitioned(100, "p", "both", 50)]
    assert of(made, events.Mended) == [events.Mended(150, "p")]


def test_replies_alone_are_held_up() -> None:
    made = struck(adder(), fault=Partition("p", 50, cut="replies"), at_ms=100)
    assert effects(made, "XADD") == [0, 100]
    assert replied(made) == [0, 150]


def test_requests_alone_are_held_up_and_a_served_read_gets_through() -> None:
    made = struck(
        Process("p", add, turns=1, initial=0, start_ms=100), Process("c", read, turns=1),
        fault=Partition("c", 500, cut="requests"), at_ms=100,
    )  # fmt: skip
    assert effects(made, "XREADGROUP") == [0]
    assert [event.at_ms for event in of(made, events.Served)] == [100]
    assert effects(made, "XACK") == [600]


def test_a_request_that_was_given_up_takes_effect_all_the_same() -> None:
    made = struck(adder(client=PATIENT), fault=Partition("p", 500), at_ms=100)
    (unanswered,) = of(made, events.Unanswered)
    assert (unanswered.at_ms, unanswered.error) == (170, "timeout")
    assert 600 in effects(made, "XADD")


def test_nobody_connects_while_cut_off() -> None:
    tries = ClientPolicy("tries", connect_timeout_ms=40, socket_timeout_ms=70, retries=1)
    made = struck(adder(client=tries), fault=Partition("p", 900, cut="replies"))
    assert [(event.at_ms, event.error) for event in of(made, events.Unanswered)] == [(70, "timeout"), (110, "connect")]
    assert of(made, events.Crashed)[0].message == "TimeoutError: Timeout connecting to server"
    assert effects(made, "XADD") == [0, 1110, 1210], "the second time nothing was sent, so nothing arrives"


def test_a_client_that_waits_for_ever_connects_in_the_end() -> None:
    made = struck(adder(), fault=Partition("p", 500))
    assert effects(made, "XADD") == [500, 600]


def test_a_host_is_cut_off_whole() -> None:
    made = struck(
        Process("p", add, turns=2, initial=0, host="h"), Process("q", add, turns=2, initial=0, host="h"),
        Process("r", add, turns=2, initial=0), fault=HostPartition("h", 30, from_ms=60),
    )  # fmt: skip
    assert [event.process for event in of(made, events.Partitioned)] == ["p", "q"]
    assert effects(made, "XADD") == [0, 0, 0, 100, 130, 130] or effects(made, "XADD") == [0, 0, 0, 100, 100, 100]


def test_a_partition_outlives_a_crash() -> None:
    async def fails(redis: Any, me: str) -> None:
        await redis.xadd("s", {"n": 1})
        raise ValueError("so it is")

    made = struck(Process("p", fails), fault=Partition("p", 1800), at_ms=0, faults_ms=2000, within_ms=500)
    assert effects(made, "XADD")[0] == 1800


def test_half_open_is_noticed_by_patience_alone() -> None:
    made = struck(
        adder(start_ms=300), Process("c", read, client=ClientPolicy("tight", socket_timeout_ms=1200, retries=1)),
        fault=HalfOpen("c"), at_ms=300,
    )  # fmt: skip
    assert not [event for event in of(made, events.Served) if event.at_ms == 300], "the server knows that it is gone"
    (unanswered, *_) = of(made, events.Unanswered)
    assert (unanswered.at_ms, unanswered.error) == (1200, "timeout")
    assert effects(made, "XREADGROUP")[:2] == [0, 1200]
    forever = struck(adder(start_ms=300), Process("c", read), fault=HalfOpen("c"), at_ms=300)
    assert effects(forever, "XREADGROUP") == [0]
    assert not of(forever, events.Unanswered)


def test_half_open_loses_what_is_under_way() -> None:
    made = struck(adder(client=PATIENT), fault=HalfOpen("p"))
    (lost, *_) = of(made, events.Lost)
    assert (lost.at_ms, lost.what) == (0, "request")
    assert of(made, events.Unanswered)[0].at_ms == 70


def test_a_slow_link_is_slow_both_ways() -> None:
    made = struck(adder(), fault=SlowLink("p", 20, 110))
    assert effects(made, "XADD") == [20, 140], "slow at 0, and as it should be again when the next is sent"
    assert replied(made)[0] == 40


@pytest.mark.parametrize("fault", [ServerRestart(down_ms=200, from_ms=50), Failover(down_ms=200, from_ms=50)])
def test_nobody_is_there_to_connect_to(fault: Fault) -> None:
    made = struck(adder(), fault=fault)
    (unanswered,) = of(made, events.Unanswered)
    assert (unanswered.at_ms, unanswered.error) == (100, "refused")
    assert of(made, events.Crashed)[0].message == "ConnectionError: Error connecting to redis. Connection refused."
    tries = ClientPolicy("tries", retries=4, backoff_ms=50, backoff_max_ms=50)
    made = struck(adder(client=tries), fault=fault)
    assert [event.at_ms for event in of(made, events.Unanswered)] == [100, 150, 200, 250]
    assert effects(made, "XADD") == [0, 300]


@pytest.mark.parametrize(("timeout_ms", "at_ms"), [(0, 0), (30, 30)])
def test_a_pool_that_is_exhausted(timeout_ms: int, at_ms: int) -> None:
    heard: list[str] = []

    async def two(client: Any, me: str) -> None:
        async def second() -> None:
            try:
                await client.xadd("s", {"n": 1})
            except redis.exceptions.MaxConnectionsError as error:
                heard.append(str(error))

        await gather(client.xread({"t": "$"}, block=100), second())

    small = ClientPolicy("small", pool_size=1, pool_timeout_ms=timeout_ms)
    made = struck(Process("c", two, turns=1, client=small), fault=SlowHandler("c", 1))
    assert [(event.at_ms, event.error) for event in of(made, events.Unanswered)] == [(at_ms, "exhausted")]
    assert set(heard) == {"Too many connections"}
    late = ClientPolicy("late", pool_size=1, pool_timeout_ms=500)
    made = struck(Process("c", two, turns=1, client=late), fault=SlowHandler("c", 1))
    assert effects(made, "XADD") == [101]


def test_a_clock_drifts() -> None:
    async def look(redis: Any, me: str) -> None:
        await publish("clock", str(await now()), "0-1")
        await sleep(1000)

    made = struck(
        Process("a", look, turns=3, host="h"), fault=ClockDrift("h", -100, budget=1), at_ms=1000, epoch_ms=0
    )  # fmt: skip
    assert [event.value for event in of(made, events.Projected)] == ["0", "1000", "1900"]
    assert of(made, events.ClockDrifts) == [events.ClockDrifts(1000, "h", -100)]


def test_a_replica_that_is_cut_off_answers_no_wait() -> None:
    async def waits(redis: Any, me: str, n: int = 0) -> int:
        await redis.xadd("s", {"n": n})
        await publish("replicas", str(await redis.wait(1, 50)), "0-1")
        await sleep(100)
        return n + 1

    made = struck(
        Process("p", waits, turns=3, initial=0), fault=CutReplica(60, from_ms=100), others=(Failover(budget=0),),
    )  # fmt: skip
    assert [(event.at_ms, event.value) for event in of(made, events.Projected)] == [(0, "1"), (151, "0"), (251, "1")]


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        (lambda: [Partition("nobody", 5)], "names 'nobody', which is no process of the world; there is: p"),
        (lambda: [Partition("p", 0)], "for_ms is 0, it must be at least 1"),
        (lambda: [Partition("p", 5, cut="cable")], "cut='cable' is none of 'both', 'requests', 'replies'"),
        (lambda: [HostPartition("q", 5)], "names 'q', which is no host of the world; there is: p"),
        (lambda: [HostPartition("redis", 5)], "names the server's own host"),
        (lambda: [ClockDrift("redis", 5)], "names the server's own host"),
        (lambda: [ClockDrift("p", 0)], "ms_a_second is 0"),
        (lambda: [CutReplica(5)], "the world has none: give it a Failover"),
        (lambda: [CutReplica(5), ServerRestart()], "the world has none: give it a Failover"),
        (lambda: [ServerRestart(down_ms=-1)], "down_ms is -1"),
        (lambda: [SlowLink("p", 0, 5)], "by_ms is 0"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(faults: Callable[[], list[Fault]], message: str) -> None:
    with pytest.raises(ScenarioError, match=message.replace("(", r"\(")) as caught:
        Plan([adder()], faults=faults())
    assert "\n" not in str(caught.value)


def test_where_time_is_frozen_no_link_is_at_fault_for_a_while() -> None:
    for fault in (Partition("p", 5), HalfOpen("p"), SlowLink("p", 5, 5), ServerRestart(down_ms=5)):
        with pytest.raises(ScenarioError, match="time is frozen, and a fault takes time"):
            Plan([adder()], faults=[fault], frozen=True)
    with pytest.raises(ScenarioError, match="its pool has no size"):
        ClientPolicy("odd", pool_timeout_ms=5)
