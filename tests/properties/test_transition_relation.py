"""One transition relation: forks, restored processes and random tapes all live in the same graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redelivery.sim.catalogue import shipped_names
from redelivery.sim.choices import Drawn, Enumerated, Replayed
from redelivery.sim.plan import Crash, Plan, Process, Restart
from redelivery.sim.properties import named
from redelivery.sim.requests import gather, handle, sleep
from redelivery.sim.run import build, drive
from redelivery.sim.steps import Step
from redelivery.sim.watch import Watch
from redelivery.sim.world import World

SCENARIOS = [(name, variant) for name in shipped_names() for variant in ("broken", "repaired")]


def scenario_world(name: str, variant: str) -> World:
    from redelivery.sim.catalogue import find

    scenario = find(name)
    size = next(key for key in ("entries", "turns") if key in scenario.params)
    return build(scenario, variant, "redis-8.6", {size: "2"})[0]


async def add(redis: Any, me: str, n: int = 0) -> int:
    await redis.xadd("s", {"n": n})
    return n + 1


async def consume(redis: Any, me: str, cursor: bytes = b"0-0") -> bytes:
    cursor, claimed, *_ = await redis.xautoclaim("s", "g", me, 5, cursor, count=1)
    for _, entries in [("s", claimed)] if claimed else await redis.xreadgroup("g", me, {"s": ">"}, count=1, block=5):
        for entry_id, fields in entries:
            await gather(handle(entry_id, fields), sleep(1))
            await redis.xack("s", "g", entry_id)
    return bytes(cursor)


def crowded() -> World:
    """A producer and two consumers on perfect links."""
    plan = Plan(
        processes=[
            Process("p", add, turns=2, initial=0),
            Process("a", consume, initial=b"0-0", handle_ms=2, restart=Restart(2, new_name=True)),
            Process("b", consume, initial=b"0-0", handle_ms=1),
        ],
        setup=[("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")],
        faults=[Crash("a", when="holding")],
        faults_ms=4,
        within_ms=6,
    )
    return World(plan, "redis-8.6", watch=Watch(named(["no-orphan", "pending-is-owned"])), record=False)


def slow_link() -> World:
    """A producer and one consumer, whose requests and replies may be under way for a while."""
    plan = Plan(
        processes=[
            Process("p", add, turns=1, initial=0),
            Process("a", consume, initial=b"0-0", handle_ms=2, restart=Restart(2, new_name=True)),
        ],
        setup=[("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")],
        faults=[Crash("a")],
        faults_ms=4,
        within_ms=6,
        latency_ms=(0, 2),
    )
    return World(plan, "redis-6.2", watch=Watch(named(["no-orphan", "pending-is-owned"])), record=False)


WORLDS = {"crowded": (crowded, 3922, 5980), "slow-link": (slow_link, 4020, 6175)}
"""Small worlds, each with the exact numbers of its states and transitions."""


def successors(world: World) -> Iterator[tuple[Step, tuple[int, ...], World]]:
    """Every way that a world can go on by one step, its inner choices included."""
    for step in world.enabled():
        inner = Enumerated()
        while True:
            twin = world.fork()
            twin.take(step, inner)
            yield step, tuple(inner.answers), twin
            if not inner.advance():
                break


def explore(start: World, limit: int = 60_000) -> dict[bytes, dict[tuple[Any, ...], bytes]]:
    """The whole graph below a world: state to its steps to the states that they lead to."""
    graph: dict[bytes, dict[tuple[Any, ...], bytes]] = {}
    frontier = [(start.fingerprint(), start)]
    while frontier:
        key, world = frontier.pop()
        if key in graph:
            continue
        edges = graph[key] = {}
        for i, (_, inner, twin) in enumerate(successors(world)):
            at = twin.fingerprint()
            edges[i, inner] = at
            if at not in graph:
                frontier.append((at, twin))
        assert len(graph) < limit, "the small world has grown"
    return graph


@pytest.fixture(scope="module", params=WORLDS)
def small(request: pytest.FixtureRequest) -> tuple[str, dict[bytes, dict[Any, bytes]]]:
    return request.param, explore(WORLDS[request.param][0]())


def test_the_graph_of_a_small_world_has_exactly_these_many_states(
    small: tuple[str, dict[bytes, dict[Any, bytes]]],
) -> None:
    name, graph = small
    assert (len(graph), sum(map(len, graph.values()))) == WORLDS[name][1:]


def test_every_random_tape_is_a_path_of_the_graph(small: tuple[str, dict[bytes, dict[Any, bytes]]]) -> None:
    name, graph = small
    for seed in range(60):
        world, choices = WORLDS[name][0](), Drawn(seed)
        key = world.fingerprint()
        while steps := world.enabled():
            edges = set(graph[key].values())
            world.take(steps[choices.choose(len(steps), "step")], choices)
            key = world.fingerprint()
            assert key in edges
        assert graph[key] == {}, "the run ends where the graph does"


@pytest.mark.parametrize(("name", "variant"), SCENARIOS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_fork_and_go_on_equals_go_on(name: str, variant: str, data: st.DataObject) -> None:
    tape = Drawn(data.draw(st.integers(0, 10_000), label="seed"))
    at = data.draw(st.integers(0, 120), label="fork after")
    world = scenario_world(name, variant)
    for _ in range(at):
        steps = world.enabled()
        if not steps:
            break
        world.take(steps[tape.choose(len(steps), "step")], tape)
    before = world.fingerprint()
    twin = world.fork()
    assert twin.fingerprint() == before
    rest = data.draw(st.integers(0, 10_000), label="rest")
    drive(twin, Drawn(rest))
    assert world.fingerprint() == before, "what the fork does leaves the original alone"
    drive(world, Drawn(rest))
    assert twin.fingerprint() == world.fingerprint()
    assert list(twin.history.lines()) == list(world.history.lines())  # type: ignore[union-attr]


@pytest.mark.parametrize(("name", "variant"), SCENARIOS)
@pytest.mark.parametrize("seed", [0, 1])
def test_restoring_every_process_from_its_log_at_every_step_changes_nothing(name: str, variant: str, seed: int) -> None:
    plain, restored = scenario_world(name, variant), scenario_world(name, variant)
    left, right = Drawn(seed), Drawn(seed)
    while steps := plain.enabled():
        plain.take(steps[left.choose(len(steps), "step")], left)
        for process in restored.processes:
            process.turn = None  # as after a fork: the coroutines are gone, the log is there
        again = restored.enabled()
        restored.take(again[right.choose(len(again), "step")], right)
    assert plain.fingerprint() == restored.fingerprint()
    assert plain.history.events == restored.history.events  # type: ignore[union-attr]


def test_the_tape_of_a_run_replays_to_the_same_state() -> None:
    for seed in range(20):
        first, choices = scenario_world("crash-before-ack", "repaired"), Drawn(seed)
        drive(first, choices)
        again = scenario_world("crash-before-ack", "repaired")
        drive(again, Replayed(choices.answers))
        assert again.fingerprint() == first.fingerprint()
