"""Pub/Sub in simulated programs: as on a server where real client code runs; refused in one line in a turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from redelivery import Crash, work
from redelivery.sim.check.check import check
from redelivery.sim.choices import Drawn
from redelivery.sim.errors import ScenarioError
from redelivery.sim.faults import Fault
from redelivery.sim.loop.policies import Swarm
from redelivery.sim.loop.program import Program
from redelivery.sim.loop.simulation import Simulation
from redelivery.sim.loop.world import LoopWorld
from redelivery.sim.plan import Params, Plan, Process, TurnFunction
from redelivery.sim.run import simulate
from redelivery.sim.scenario import Scenario, Variant

PROPERTY = "published-implies-received"


def news(protocol: int, got: dict[str, list[bytes]], faults: tuple[Fault, ...] = ()) -> Simulation:
    """One program that publishes three messages, and two that listen; whoever crashes is away for a while."""

    async def listen(me: Program) -> None:
        import redis.asyncio

        pubsub: Any = redis.asyncio.Redis(protocol=protocol).pubsub()
        await pubsub.subscribe("news")
        async for message in pubsub.listen():
            if message["type"] == "message":
                got.setdefault(me.name, []).append(message["data"])
                await work(message["data"], ms=20)

    async def tell() -> None:
        import asyncio

        import redis.asyncio

        client: Any = redis.asyncio.Redis(protocol=protocol)
        for n in range(3):
            await asyncio.sleep(0.1)
            await client.publish("news", f"m{n}")

    def build(world: LoopWorld) -> None:
        for name in "ab":
            world.start(name, listen, restart_ms=150)
        world.start("source", tell)

    return Simulation(build, "news", faults, (PROPERTY,), faults_ms=400, within_ms=1000)


@pytest.mark.parametrize("protocol", [2, 3])
def test_who_listens_gets_everything(protocol: int) -> None:
    got: dict[str, list[bytes]] = {}
    outcome = news(protocol, got).run(Drawn(1))
    assert got == {name: [b"m0", b"m1", b"m2"] for name in "ab"}
    assert (outcome.verdict, outcome.unsupported) == ("holds", [])


@pytest.mark.parametrize("protocol", [2, 3])
def test_who_is_away_misses_what_is_published_meanwhile(protocol: int) -> None:
    for seed in range(40):
        got: dict[str, list[bytes]] = {}
        simulation = news(protocol, got, (Crash("a"),))
        outcome = simulation.run(Swarm(seed))
        if outcome.violations:
            break
    [violation] = outcome.violations
    assert (violation.property, len(outcome.struck)) == (PROPERTY, 1)
    assert "on news went past a, which was not there" in violation.message
    assert len(got["a"]) < len(got["b"]) == 3
    simulation.twice(outcome.answers, outcome)


async def subscribe(redis: Any, me: str) -> None:
    try:
        async with redis.pubsub() as pubsub:
            await pubsub.subscribe("news")
    except Exception:
        pass


async def subscribe_by_hand(redis: Any, me: str) -> None:
    await redis.execute_command("psubscribe", "n*")


async def watch(redis: Any, me: str) -> None:
    pipe = redis.pipeline()
    await pipe.watch("k")


@pytest.mark.parametrize(
    ("turn", "line"),
    [
        (subscribe, "process 'p' sends SUBSCRIBE: no process of a scenario listens to a connection"),
        (subscribe_by_hand, "process 'p' sends PSUBSCRIBE: no process of a scenario listens to a connection"),
        (watch, "process 'p' sends WATCH: a process has no connection of its own that could watch a key"),
    ],
)
def test_a_turn_that_needs_a_connection_of_its_own_is_refused_in_one_line(turn: TurnFunction, line: str) -> None:
    def plan(params: Params) -> Plan:
        return Plan([Process("p", turn, turns=1)])

    scenario = Scenario(name="mine", summary="", variants={"given": Variant("", plan)})
    runs: list[Callable[[Scenario], object]] = [simulate, check]
    for run in runs:
        with pytest.raises(ScenarioError) as said:
            run(scenario)
        assert str(said.value).startswith(line)
        assert "\n" not in str(said.value)
