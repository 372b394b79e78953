"""Where the campaign tries a fault: every kind of moment, and all of the run."""

from __future__ import annotations

from typing import Any

import pytest
import redis.asyncio
from redelivery.sim import events
from redelivery.sim.faults import ANY, TORN, Crash, Lose
from redelivery.sim.history import History
from redelivery.sim.loop.places import places
from redelivery.sim.loop.simulation import Simulation
from redelivery.sim.loop.world import LoopWorld


async def poll() -> None:
    client: Any = redis.asyncio.Redis()
    await client.xgroup_create("s", "g", "0", mkstream=True)
    for turn in range(60):
        if turn % 20 == 10:
            await client.xadd("s", {"n": turn})
        await client.xreadgroup("g", "c", {"s": ">"}, block=50)


def build(world: LoopWorld) -> None:
    world.start("p", poll)


def plain(fault: Any) -> tuple[History, list[int]]:
    outcome = Simulation(build, faults=(fault,)).replay(())
    return outcome.history, outcome.offered[0]


def test_the_few_reads_that_got_something_are_among_the_many_that_did_not() -> None:
    history, offered = plain(Lose("p", "XREADGROUP"))
    assert len(offered) == 60
    chosen = places(history, offered, 12)
    assert len(chosen) == 12
    assert chosen == sorted(set(chosen))
    telling = [place for place in chosen if place - 1 in (10, 30, 50)]
    assert len(telling) == 3
    assert max(chosen) - min(chosen) > 30, "the others are spread over the run"


def test_every_kind_of_moment_has_its_share() -> None:
    history, offered = plain(Crash("p"))
    chosen = places(history, offered, 12)
    near = {type(history.events[at]) for place in chosen for at in (offered[place - 1],) if at < len(history)}
    assert {events.Effect, events.Replied} & near
    names = {
        event.commands[0][0]
        for place in chosen
        for event in history.events[offered[place - 1] : offered[place - 1] + 1]
        if isinstance(event, events.Effect)
    }
    assert names == {b"XGROUP", b"XADD", b"XREADGROUP"}
    thirds = {3 * place // (len(offered) + 1) for place in chosen}
    assert thirds == {0, 1, 2}


@pytest.mark.parametrize("most", [0, 1, 2, 5, 59, 60, 61])
def test_as_many_as_are_wanted_and_there(most: int) -> None:
    history, offered = plain(Lose("p", "XREADGROUP"))
    chosen = places(history, offered, most)
    assert len(set(chosen)) == len(chosen) == min(most, 60)
    assert all(1 <= place <= 60 for place in chosen)


async def add() -> None:
    client: Any = redis.asyncio.Redis()
    await client.xadd("s", {"n": 1})


def test_half_of_a_torn_reply_comes_and_the_command_took_effect() -> None:
    made = Simulation(lambda world: world.start("p", add), faults=(Lose("p", "XADD", how=TORN),))
    outcome = made.replay((1,))
    assert [str(fault) for fault in outcome.struck] == ["the reply of p's XADD is cut off in the middle: at most 1"]
    added = [event for event in outcome.history if isinstance(event, events.Effect) and event.facts]
    assert len(added) == 2, "redis-py cannot know, and sends it again"
    assert any(isinstance(event, events.Lost) and event.what == "reply" for event in outcome.history)
    assert Lose("p", ANY, how=TORN).how == "torn"
