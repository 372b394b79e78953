"""Turns: coroutines that are driven by hand, and made again from their log."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from contextlib import closing, suppress
from typing import Any

import pytest
from redelivery.sim.errors import ScenarioError
from redelivery.sim.plan import Process
from redelivery.sim.process import Running, check_state
from redelivery.sim.requests import Clock, Pick, Sleep, choose, gather, now, simulated, sleep
from redelivery.sim.running_loop import hold_stage
from redelivery.sim.turn import Turn


async def nap_thrice(redis: Any, me: str) -> list[int]:
    await sleep(1)
    values = await gather(choose(2, "left"), both_naps(), now())
    await sleep(3)
    return values


async def both_naps() -> int:
    await gather(sleep(10), sleep(20))
    return 7


def test_a_turn_asks_for_one_thing_after_the_other() -> None:
    turn = Turn(nap_thrice(None, "a"))
    assert turn.waiting == {(): Sleep(1)}
    turn.feed((), None)
    assert turn.waiting == {
        (0, 0): Pick(2, "left"),
        (0, 1, 0, 0): Sleep(10),
        (0, 1, 0, 1): Sleep(20),
        (0, 2): Clock(),
    }


def test_gather_goes_on_when_the_last_of_its_coroutines_is_done_in_whatever_order() -> None:
    turn = Turn(nap_thrice(None, "a"))
    turn.feed((), None)
    for path, answer in [((0, 1, 0, 1), None), ((0, 2), 99), ((0, 1, 0, 0), None), ((0, 0), 1)]:
        assert not turn.over
        turn.feed(path, answer)
    assert turn.waiting == {(): Sleep(3)}
    turn.feed((), None)
    assert turn.over
    assert turn.value == [1, 7, 99]


def test_an_error_in_one_coroutine_ends_its_siblings_and_reaches_the_gather() -> None:
    ended: list[str] = []

    async def waits() -> None:
        try:
            await sleep(5)
        finally:
            ended.append("waits")

    async def fails() -> None:
        await sleep(1)
        raise ValueError("no")

    async def turn() -> str:
        try:
            await gather(waits(), fails(), waits())
        except ValueError as error:
            await sleep(2)
            return f"caught {error}"
        return "not caught"

    running = Turn(turn())
    running.feed((0, 1), None)
    assert ended == ["waits", "waits"]
    assert running.waiting == {(): Sleep(2)}
    running.feed((), None)
    assert running.value == "caught no"


def test_two_gathers_after_each_other_have_different_paths() -> None:
    async def turn() -> None:
        await gather(sleep(1))
        await gather(sleep(2))

    running = Turn(turn())
    assert running.waiting == {(0, 0): Sleep(1)}
    running.feed((0, 0), None)
    assert running.waiting == {(1, 0): Sleep(2)}


def test_an_empty_gather_is_over_at_once() -> None:
    async def turn() -> list[None]:
        return await gather()

    assert Turn(turn()).value == []


def test_what_a_coroutine_does_while_it_is_closed_is_discarded() -> None:
    async def clings() -> None:
        try:
            await sleep(1)
        finally:
            await sleep(99)

    turn = Turn(clings())
    turn.close()
    assert turn.waiting == {}


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_what_awaits_while_it_is_closed_or_forgotten_comes_to_its_end_and_nobody_complains() -> None:
    ended: list[str] = []

    async def unlock(redis: Any, me: str) -> None:
        try:
            await sleep(5)
        finally:
            try:
                await sleep(6)
            finally:
                await sleep(7)
                ended.append(me)

    turn = Turn(unlock(None, "closed"))
    turn.close()
    forgotten = Turn(unlock(None, "forgotten"))
    assert forgotten.waiting == {(): Sleep(5)}
    del forgotten, turn
    gc.collect()
    assert ended == [], "what stands behind an await in a finally is not reached"


def test_a_turn_may_sleep_as_asyncio_code_does() -> None:
    async def turn() -> tuple[str, str]:
        first = await asyncio.sleep(0.0101, "rested")
        return first, await asyncio.sleep(0, "yielded")

    running = Turn(turn())
    assert running.waiting == {(): Sleep(11)}
    running.feed((), None)
    assert running.waiting == {(): Sleep(0)}
    running.feed((), None)
    assert running.value == ("rested", "yielded")


def test_the_loop_that_was_running_before_runs_again_afterwards() -> None:
    async def turn() -> None:
        await asyncio.sleep(1)

    async def outside() -> None:
        loop = asyncio.get_running_loop()
        running = Turn(turn())
        assert asyncio.get_running_loop() is loop
        running.close()
        assert asyncio.get_running_loop() is loop
        await asyncio.sleep(0)

    asyncio.run(outside())
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()


async def other() -> None:
    await asyncio.sleep(1)


async def gathers() -> None:
    with closing(other()) as child:
        await asyncio.gather(child)


async def starts_a_task() -> None:
    with closing(other()) as child:
        await asyncio.create_task(child)


async def goes_to_a_thread() -> None:
    await asyncio.to_thread(print)


async def asks_the_loop() -> None:
    asyncio.get_running_loop().call_at(1.0, print)


async def hides_it() -> None:
    try:
        await starts_a_task()
    except Exception:
        await asyncio.sleep(1)


async def hides_it_in_a_gather() -> None:
    with suppress(Exception):
        await gather(hides_it(), other())


async def waits_for_a_lock() -> None:
    lock = asyncio.Lock()
    await lock.acquire()
    await lock.acquire()


async def sets_a_timeout() -> None:
    async with asyncio.timeout(1):
        await asyncio.sleep(0.1)


async def groups_tasks() -> None:
    async with asyncio.TaskGroup():
        await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("turn", "instead"),
    [
        (gathers, "use redelivery.gather"),
        (starts_a_task, "use redelivery.gather"),
        (goes_to_a_thread, "call the function directly"),
        (asks_the_loop, "the event loop (call_at): use redelivery.sleep"),
        (hides_it, "use redelivery.gather"),
        (hides_it_in_a_gather, "use redelivery.gather"),
        (waits_for_a_lock, "asyncio's locks, events, queues or futures"),
        (sets_a_timeout, "use redelivery.timeout"),
        (groups_tasks, "asyncio.TaskGroup: use redelivery.gather"),
    ],
)
def test_what_else_asyncio_offers_is_refused_with_what_to_use_instead(
    turn: Callable[[], Coroutine[Any, Any, None]], instead: str
) -> None:
    running = Turn(turn())
    assert isinstance(running.failure, ScenarioError)
    assert instead in str(running.failure)


def test_a_turn_that_never_ends_is_told_so() -> None:
    async def turn() -> None:
        while True:
            await asyncio.sleep(0)

    running = Turn(turn())
    while running.failure is None:
        running.feed((), None)
    assert str(running.failure) == "a turn made more than 10,000 requests; does it never end?"


def test_a_process_is_made_again_from_its_log() -> None:
    running = Running(Process("a", nap_thrice))
    running.rise()
    running.begin()
    for path, answer in [((), None), ((0, 2), 5), ((0, 1, 0, 0), None)]:
        running.feed(path, answer)
    twin = running.fork()
    assert twin.turn is None
    assert twin.live().waiting == running.live().waiting
    twin.feed((0, 0), 0)
    assert (0, 0) in running.live().waiting, "the original is not touched"
    assert (0, 0) not in twin.live().waiting


def test_a_turn_that_is_not_deterministic_is_named_when_it_is_made_again() -> None:
    courses = [5, 6]

    async def fickle(redis: Any, me: str) -> None:
        if courses.pop() == 6:
            await gather(sleep(1), sleep(2))
        else:
            await sleep(3)

    running = Running(Process("moody", fickle))
    running.rise()
    running.begin()
    running.feed((0, 0), None)
    with pytest.raises(ScenarioError, match=r"process 'moody' is not deterministic"):
        running.fork().live()


@pytest.mark.parametrize("state", [None, 3, "x", b"x", (1, ("a", b"b")), True])
def test_plain_values_may_be_kept_between_turns(state: object) -> None:
    check_state(state, "a")


@pytest.mark.parametrize("state", [[1], {"a": 1}, (1, [2]), 1.5, {1}, object()])
def test_values_that_can_change_may_not(state: object) -> None:
    with pytest.raises(ScenarioError, match=r"process 'a': its turn returned a"):
        check_state(state, "a")


def test_the_same_awaitables_are_asyncios_outside_the_simulator() -> None:
    async def real() -> list[int]:
        assert not simulated()
        await sleep(1)
        return await gather(choose(3, "x"), choose(2, "y"))

    assert asyncio.run(real()) == [0, 0]


def test_the_stage_may_be_held_from_turn_to_turn_and_is_given_back() -> None:
    seen = []

    async def nap(redis: Any, me: str) -> None:
        seen.append(simulated())
        await asyncio.sleep(0.01)
        seen.append(simulated())

    async def drives() -> None:
        outside = asyncio.get_running_loop()
        with hold_stage():
            turn = Turn(nap(None, "a"))
            assert not simulated(), "no turn has control"
            with hold_stage():
                turn.feed((), None)
        assert turn.over
        assert asyncio.get_running_loop() is outside
        await asyncio.sleep(0)

    asyncio.run(drives())
    assert seen == [True, True]


def test_gather_outside_the_simulator_raises_the_first_error_and_ends_the_others() -> None:
    ended = []

    async def waits() -> None:
        try:
            await sleep(60_000)
        finally:
            ended.append(True)

    async def fails() -> None:
        await sleep(1)
        raise ValueError("no")

    async def real() -> None:
        await gather(waits(), fails())

    with pytest.raises(ValueError, match="no"):
        asyncio.run(real())
    assert ended == [True]
