"""Links, clients and handlers that fail: what takes effect, what the client sees, and what it does then."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from redelivery.sim import events
from redelivery.sim.choices import Replayed
from redelivery.sim.client_policies import PRESETS, ClientPolicy, preset
from redelivery.sim.errors import BadInput, HandlerFailed, ScenarioError
from redelivery.sim.faults import Delay, FailHandler, Fault, Lose, Pause, Reset, SlowHandler
from redelivery.sim.plan import Plan, Process
from redelivery.sim.requests import gather, handle, sleep, timeout
from redelivery.sim.server_faults import Failover
from redelivery.sim.steps import Strike
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


def struck(*processes: Process, fault: Fault, **more: Any) -> World:
    """A run in which the fault strikes as soon as it can."""
    made = World(
        Plan(processes, setup=GROUP, faults=[fault], **{"faults_ms": 5000, "within_ms": 5000, **more}), "redis-8.6"
    )
    choices = Replayed(())
    while steps := made.enabled():
        made.take(next((step for step in steps if isinstance(step, Strike)), steps[0]), choices)
    made.finish()
    return made


def of(made: World, kind: type) -> list[Any]:
    assert made.history is not None
    return [event for event in made.history if isinstance(event, kind)]


def effects(made: World, name: str) -> list[int]:
    return [event.at_ms for event in of(made, events.Effect) if event.commands[0][0] == name.encode()]


AGAIN = ClientPolicy("again", retries=1, backoff_ms=10, backoff_max_ms=1000)


def test_a_lost_request_has_no_effect_and_the_client_sends_it_again() -> None:
    made = struck(Process("p", add, turns=1, initial=0, client=AGAIN), fault=Lose("p", "XADD", "request"))
    assert effects(made, "XADD") == [20]
    (sent,) = of(made, events.Sent)
    assert sent.commands[0][0] == b"XADD"
    assert of(made, events.Lost) == [events.Lost(0, "p", sent.call, "request")]
    assert of(made, events.Unanswered) == [events.Unanswered(0, "p", sent.call, "reset", 20)]
    assert not of(made, events.Crashed)


def test_a_lost_reply_belongs_to_a_command_that_took_effect() -> None:
    made = struck(Process("p", add, turns=1, initial=0, client=AGAIN), fault=Lose("p", "XADD"))
    assert effects(made, "XADD") == [0, 20], "the entry is there twice"
    assert len(of(made, events.Lost)) == 1


def test_without_retries_the_program_sees_the_error_of_redis_py() -> None:
    made = struck(Process("p", add, turns=1, initial=0), fault=Lose("p", "XADD"))
    (crashed,) = of(made, events.Crashed)
    assert crashed.message == "ConnectionError: Connection closed by server."


def test_a_program_may_catch_the_error() -> None:
    async def careful(client: Any, me: str) -> None:
        try:
            await client.xadd("s", {"n": 1}, id="7-7")
        except redis.ConnectionError:
            await client.xadd("s", {"n": 2}, id="7-8")

    made = struck(Process("p", careful, turns=1), fault=Lose("p", "XADD"))
    assert [e.commands[0][2] for e in of(made, events.Effect) if e.commands[0][0] == b"XADD"] == [b"7-7", b"7-8"]


def test_the_nth_command_of_a_name_is_meant_and_no_other() -> None:
    made = struck(Process("p", add, turns=3, initial=0, client=AGAIN), fault=Lose("p", "xadd", "request", nth=2))
    (lost,) = of(made, events.Lost)
    assert lost.at_ms == 100


def test_silence_lasts_until_the_patience_of_the_client_is_over() -> None:
    patient = ClientPolicy("patient", socket_timeout_ms=700)
    made = struck(Process("p", add, turns=1, initial=0, client=patient), fault=Lose("p", "XADD", how="silence"))
    (unanswered,) = of(made, events.Unanswered)
    assert (unanswered.at_ms, unanswered.error, unanswered.again_ms) == (700, "timeout", None)
    assert of(made, events.Crashed)[0].message.startswith("TimeoutError")


def test_silence_without_a_timeout_lasts_for_ever() -> None:
    made = struck(Process("p", add, turns=1, initial=0), fault=Lose("p", "XADD", how="silence"))
    assert not of(made, events.Unanswered)
    assert not of(made, events.Finished)


def test_the_reply_that_a_blocked_read_gets_in_the_end_is_the_one_that_is_lost() -> None:
    made = struck(
        Process("p", add, turns=1, initial=0, start_ms=300), Process("c", read, client=AGAIN),
        fault=Lose("c", "XREADGROUP"),
    )  # fmt: skip
    assert of(made, events.Lost)[0].at_ms == 300
    assert of(made, events.Served)[0].facts, "the server has delivered the entry"
    assert not of(made, events.Handling)


def test_a_blocked_read_is_cut_by_a_socket_timeout_that_is_shorter() -> None:
    short = ClientPolicy("short", socket_timeout_ms=400)
    made = struck(Process("c", read, turns=1, client=short), fault=Lose("c", "XADD"))
    assert of(made, events.Unanswered)[0].at_ms == 400
    longer = ClientPolicy("longer", socket_timeout_ms=400, blocking="block-and", blocking_margin_ms=100)
    made = struck(Process("c", read, turns=1, client=longer), fault=Lose("c", "XADD"))
    assert not of(made, events.Unanswered)


def test_a_reply_past_the_timeout_reaches_nobody() -> None:
    hasty = ClientPolicy("hasty", socket_timeout_ms=50, retries=1)
    made = struck(Process("p", add, turns=1, initial=0, client=hasty), fault=Delay("p", 80, "XADD"))
    assert effects(made, "XADD") == [0, 50]
    assert [lost.at_ms for lost in of(made, events.Lost)] == [50]
    assert of(made, events.Finished)


def test_a_late_request_is_overtaken_on_another_connection() -> None:
    async def two(redis: Any, me: str) -> None:
        await gather(redis.xadd("s", {"n": 1}), redis.xadd("s", {"n": 2}))

    made = struck(Process("p", two, turns=1), fault=Delay("p", 5, "XADD", "request"))
    assert [(e.at_ms, e.commands[0][4]) for e in of(made, events.Effect) if e.process] == [(0, b"2"), (5, b"1")]


def test_a_reset_ends_every_command_under_way() -> None:
    made = struck(Process("c", read, turns=1, client=AGAIN), fault=Reset("c"))
    assert len(of(made, events.Disconnected)) == 1
    assert of(made, events.Unanswered)[0].error == "reset"
    assert effects(made, "XREADGROUP") == [20]


def test_a_paused_process_goes_on_where_it_was_and_its_replies_wait_for_it() -> None:
    made = struck(
        Process("p", add, turns=1, initial=0, start_ms=100), Process("c", read, turns=1, handle_ms=30),
        fault=Pause("c", 400, when="any"),
    )  # fmt: skip
    assert of(made, events.Paused) == [events.Paused(0, "c", 400)]
    assert of(made, events.Resumed) == [events.Resumed(400, "c")]
    assert of(made, events.Handling)[0].at_ms == 400
    assert of(made, events.Handled)[0].at_ms == 430


def test_work_takes_longer_by_a_pause_and_by_a_slow_handler() -> None:
    processes = Process("p", add, turns=1, initial=0), Process("c", read, turns=1, handle_ms=30)
    paused = struck(*processes, fault=Pause("c", 400, when="holding"))
    assert of(paused, events.Handled)[0].at_ms == 430
    slowed = struck(*processes, fault=SlowHandler("c", 70))
    assert of(slowed, events.Slowed)[0].at_ms == 30
    assert of(slowed, events.Handled)[0].at_ms == 100


def test_a_handler_that_fails_raises_in_the_program() -> None:
    failures: list[str] = []

    async def tolerant(redis: Any, me: str) -> None:
        for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1, block=1000):
            for entry_id, fields in entries:
                try:
                    await handle(entry_id, fields)
                except HandlerFailed as error:
                    failures.append(str(error))

    made = struck(Process("p", add, turns=1, initial=0), Process("c", tolerant, turns=1), fault=FailHandler("c"))
    assert len(of(made, events.HandleFailed)) == 1
    assert not of(made, events.Handled)
    assert "could not be handled" in failures[0]


def test_an_entry_that_can_never_be_handled_is_named_by_its_fields() -> None:
    made = struck(
        Process("p", add, turns=2, initial=0), Process("c", read, turns=9, restart=None, fails_on={"n": "1"}),
        fault=Lose("c", "XADD"),
    )  # fmt: skip
    assert len(of(made, events.Handled)) == 1
    assert len(of(made, events.HandleFailed)) == 1
    assert of(made, events.Crashed)[0].message.startswith("HandlerFailed")


async def impatient(redis: Any, me: str) -> None:
    try:
        await timeout(200, redis.xreadgroup("g", me, {"s": ">"}, count=1, block=5000))
    except TimeoutError:
        await sleep(10_000)


def test_a_read_that_was_given_up_still_takes_the_entry_where_its_client_keeps_the_connection() -> None:
    processes = Process("p", add, turns=1, initial=0, start_ms=300), Process("c", impatient, turns=1)
    closed = struck(*processes, fault=Lose("c", "XADD"))
    assert not of(closed, events.Served)
    keeper = ClientPolicy("keeper", given_up="keeps")
    kept = struck(processes[0], Process("c", impatient, turns=1, client=keeper), fault=Lose("c", "XADD"))
    assert [event.at_ms for event in of(kept, events.Cancelled)] == [200]
    assert of(kept, events.Served)[0].facts
    assert of(kept, events.Lost)[0].at_ms == 300


async def read_and_add(redis: Any, me: str) -> None:
    await gather(redis.xreadgroup("g", me, {"s": ">"}, count=1, block=400), redis.xadd("s", {"n": 1}))


def test_on_one_socket_a_command_waits_until_the_blocked_read_is_answered() -> None:
    one = ClientPolicy("one", one_socket=True)
    made = struck(Process("c", read_and_add, turns=1, client=one), fault=Lose("c", "XACK"))
    assert effects(made, "XADD") == [401], "BLOCK is over one millisecond later"
    assert len({event.session for event in of(made, events.Effect) if event.process}) == 1
    two = ClientPolicy("two", pool_size=2)
    assert effects(struck(Process("c", read_and_add, turns=1, client=two), fault=Lose("c", "XACK")), "XADD") == [0]


def test_a_pool_hands_its_connections_out_in_turn() -> None:
    async def three(redis: Any, me: str) -> None:
        await gather(*(redis.xadd("s", {"n": n}) for n in range(3)))

    made = struck(Process("c", three, turns=1, client=ClientPolicy("one", pool_size=1)), fault=Lose("c", "XACK"))
    assert [event.commands[0][4] for event in of(made, events.Effect) if event.process] == [b"0", b"1", b"2"]
    assert len({event.session for event in of(made, events.Effect) if event.process}) == 1


def test_a_connection_that_breaks_makes_room_for_the_next_command() -> None:
    policy = ClientPolicy("one", one_socket=True, retries=1, backoff_ms=10, backoff_max_ms=20)
    made = struck(Process("c", read_and_add, turns=1, client=policy), fault=Lose("c", "XREADGROUP", "request"))
    assert effects(made, "XADD") == [0], "it did not wait behind the read any more"
    assert effects(made, "XREADGROUP") == [20]


def test_the_presets_are_policies_by_name() -> None:
    assert set(PRESETS) == {"redis-py-7", "redis-py-8", "go-redis", "ioredis", "node-redis", "lettuce", "jedis"}
    block = ((b"XREADGROUP", b"GROUP", b"g", b"c", b"BLOCK", b"8000", b"STREAMS", b"s", b">"),)
    patience = {name: policy.patience_ms(block) for name, policy in PRESETS.items()}
    assert patience == {
        "redis-py-7": None, "redis-py-8": 5000, "go-redis": 18_000, "ioredis": None, "node-redis": None,
        "lettuce": 60_000, "jedis": None,
    }  # fmt: skip
    again = {name: policy.again_ms("reset", 1, block) for name, policy in PRESETS.items()}
    assert again == {
        "redis-py-7": 2000, "redis-py-8": 20, "go-redis": 16, "ioredis": 50, "node-redis": None, "lettuce": 2,
        "jedis": None,
    }  # fmt: skip
    assert PRESETS["go-redis"].again_ms("timeout", 1, block) is None, "a read with a timeout of its own is not retried"
    with pytest.raises(BadInput, match="did you mean 'redis-py-8'"):
        preset("redis-py-88")


@pytest.mark.parametrize("command", ["xack", "XINFO STREAM", "EVALSHA", "hset"])
def test_a_loss_may_name_what_unmodified_programs_send_too(command: str) -> None:
    assert Lose("a", command).command == command


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Lose("a", "XACKK"), "no command 'XACKK'; there is: any, .*XACK"),
        (lambda: Lose("a", "XACK", "answer"), "part='answer' is none of 'request', 'reply'"),
        (lambda: Lose("a", "XACK", nth=2, budget=2), "there is one 2nd XACK of each process, and the budget is 2"),
        (lambda: Lose("a", nth=0), "nth is 0"),
        (lambda: Lose("a", how="loudly"), "how='loudly'"),
        (lambda: Pause("a", 0), "for_ms is 0"),
        (lambda: Pause("a", 5, when="asleep"), "when='asleep'"),
        (lambda: Plan([Process("b", read)], faults=[Lose("a")]), "names 'a', which is no process .*there is: b"),
        (lambda: Plan([Process("b", read)], faults=[Pause("b", 5)], frozen=True), "time is frozen"),
        (lambda: Plan([Process("b", read, client=ClientPolicy(backoff_ms=5))], frozen=True), "time is frozen"),
        (lambda: Plan([Process("b", read)], faults=[Pause("b", 5)], faults_ms=0), "from 0 ms on, .* end at 0 ms"),
        (
            lambda: Plan([Process("b", read)], faults=[Failover(loses=1, from_ms=900)], faults_ms=900),
            "from 900 ms on, and faults end at 900 ms .*it never could",
        ),
        (lambda: ClientPolicy("x", retries=-1), "client policy 'x': retries is -1"),
        (lambda: ClientPolicy("x", one_socket=True, pool_size=3), "one_socket, and a pool of 3"),
    ],
)
def test_faults_and_policies_that_cannot_be_are_refused_in_one_line(make: Any, message: str) -> None:
    with pytest.raises(ScenarioError, match=message) as raised:
        make()
    assert "\n" not in str(raised.value)
