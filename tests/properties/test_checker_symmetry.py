"""Taking interchangeable processes for one another loses nothing and invents nothing."""

from __future__ import annotations

import pickle
from itertools import permutations
from typing import Any

import pytest
from redelivery.sim.catalogue import find
from redelivery.sim.check.abstraction import Abstraction, Refined
from redelivery.sim.check.breadth import breadth_first
from redelivery.sim.check.check import check
from redelivery.sim.check.machine import Machine
from redelivery.sim.check.symmetry import exchanged_server, server_view
from redelivery.sim.plan import Crash, Params, Plan, Process
from redelivery.sim.properties import named
from redelivery.sim.requests import handle
from redelivery.sim.watch import Monitor, Property, Watch
from redelivery.sim.world import World

from .check_worlds import GROUP, SYMMETRIC, twins


def machine_of(make: Any, *, symmetry: bool) -> Machine:
    abstraction = Abstraction(symmetry=symmetry)
    while True:
        machine = Machine(make(), abstraction)
        try:
            breadth_first(machine, lambda broken: False)
        except Refined as refined:
            abstraction = refined.abstraction
        else:
            return machine


def reached(machine: Machine, start: int, following: Any) -> set[int]:
    seen, todo = {start}, [start]
    while todo:
        for _, after, _ in following(todo.pop()):
            if after not in seen:
                seen.add(after)
                todo.append(after)
    return seen


@pytest.mark.parametrize("name", SYMMETRIC)
def test_the_reduced_graph_is_the_whole_one_up_to_who_is_who(name: str) -> None:
    machine = machine_of(SYMMETRIC[name], symmetry=True)
    assert machine.abstraction.symmetry
    whole = reached(machine, machine.first, machine.steps)
    reduced = reached(machine, machine.initial, machine.successors)
    assert {machine.canonical(state) for state in whole} == reduced
    assert all(machine.canonical(state) == state for state in reduced)
    assert len(reduced) < len(whole)
    plain = machine_of(SYMMETRIC[name], symmetry=False)
    assert len(whole) == len(reached(plain, plain.first, plain.steps)), "steps that follow from others are steps"


@pytest.mark.parametrize("name", SYMMETRIC)
def test_the_same_is_broken_at_the_same_depth(name: str) -> None:
    with_it = breadth_first(machine_of(SYMMETRIC[name], symmetry=True), lambda broken: False)
    without = breadth_first(machine_of(SYMMETRIC[name], symmetry=False), lambda broken: False)
    assert with_it.broken == without.broken
    assert (with_it.depth, with_it.bounded) == (without.depth, without.bounded)
    assert with_it.states < without.states


@pytest.mark.parametrize("scenario", ["group-world", "event-sourcing"])
def test_who_changes_places_keeps_the_view_of_who_stood_there(scenario: str) -> None:
    """In the second of these the groups are called after processes, and stand in the order of their names."""
    params = {"consumers": "3", "entries": "2", "crashes": "0"} if scenario == "group-world" else {}
    variant = find(scenario).variants["repaired" if scenario == "group-world" else "double-spend"]
    plan = variant.plan(Params(dict(find(scenario).params), params))
    machine = machine_of(lambda: World(plan, "redis-8.6", watch=Watch([]), record=False), symmetry=True)
    names = machine.taking.names
    breadth_first(machine, lambda broken: False, depth_max=12)
    servers = [frozen for frozen, _ in machine.taking.servers.table]
    assert names.classes
    assert len(servers) > 30
    for places in names.classes:
        for turned in permutations(places):
            order = list(range(len(plan.processes)))
            for place, before in zip(places, turned, strict=True):
                order[place] = before
            for server in servers:
                there = pickle.loads(pickle.dumps(exchanged_server(server, tuple(order), names)))
                for place, before in zip(places, turned, strict=True):
                    assert server_view(there, place, names) == server_view(server, before, names)


async def by_name(redis: Any, me: str) -> None:
    """The left one works, the right one idles: a difference that hides in the code."""
    for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1, block=3):
        for entry_id, fields in entries:
            if me.startswith("l"):
                await handle(entry_id, fields)
            await redis.xack("s", "g", entry_id)


async def own_key(redis: Any, me: str) -> None:
    await redis.set(f"seen:{me}", "1")
    await redis.xreadgroup("g", me, {"s": ">"}, count=1, block=3)


async def summary(redis: Any, me: str) -> None:
    await redis.xpending("s", "g")
    await redis.xreadgroup("g", me, {"s": ">"}, count=1, block=3)


@pytest.mark.parametrize(
    ("turn", "why"),
    [(by_name, "does not look like the others"), (own_key, "does not look like the others"), (summary, "by name")],
)
def test_it_is_off_where_a_turn_can_tell_them_apart(turn: Any, why: str) -> None:
    machine = machine_of(lambda: twins(turn, faults=[]), symmetry=True)
    assert not machine.taking.names.classes
    assert why in machine.abstraction.notes[-1]


WATCHED = ("left",)


async def watch_one(redis: Any, me: str) -> None:
    """Names one of the others, by a global that no look at its own code shows."""
    for name in WATCHED:
        await redis.xpending_range("s", "g", "-", "+", 1, name)


def test_it_is_off_where_an_outsider_names_one_of_them() -> None:
    def watched() -> World:
        plan = Plan(
            processes=[*(Process(name, read_one) for name in ("left", "right")), Process("w", watch_one)],
            setup=GROUP, faults_ms=2, within_ms=2,
        )  # fmt: skip
        return World(plan, "redis-8.6", watch=Watch(named(["no-orphan"])), record=False)

    machine = machine_of(watched, symmetry=True)
    assert not machine.taking.names.classes
    assert any("process 'w' does not look like the others" in note for note in machine.abstraction.notes)


async def read_one(redis: Any, me: str) -> None:
    await redis.xreadgroup("g", me, {"s": ">"}, count=1, block=3)


class Favours(Monitor):
    """Knows one of them by name."""

    def on_crashed(self, event: Any) -> str | None:
        return "left crashed" if event.process == "left" else None


def test_it_is_off_where_a_fault_or_a_property_names_one_of_them() -> None:
    assert not machine_of(lambda: twins(own_key, faults=[Crash("left")]), symmetry=True).taking.names.classes

    def named_world() -> World:
        plan = Plan(
            processes=[Process(name, own_key) for name in ("left", "right")], setup=GROUP, faults_ms=2, within_ms=2
        )
        favours = Property("favours", "always", "left never crashes", Favours)
        return World(plan, "redis-8.6", watch=Watch([*named(["no-orphan"]), favours]), record=False)

    assert not machine_of(named_world, symmetry=True).taking.names.classes


def test_a_counterexample_found_among_canonical_states_is_a_tape_of_the_world() -> None:
    from redelivery.sim.catalogue import find

    params = {"entries": "2"}
    with_it = check(find("group-world"), "broken", params=params)
    without = check(find("group-world"), "broken", params=params, reduce=("zones",))
    assert len(with_it.steps) == len(without.steps) == 3
    assert with_it.states < without.states
