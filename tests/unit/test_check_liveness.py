"""Loops on which what must come true never does: found, told as lassos, and replayed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from redelivery.sim.catalogue import find
from redelivery.sim.check import lasso
from redelivery.sim.check.finding import make
from redelivery.sim.check.liveness import FROZEN_OFF, check_liveness
from redelivery.sim.check.reductions import ALL
from redelivery.sim.check.report import LIVENESS
from redelivery.sim.check.trace import Dictated
from redelivery.sim.errors import BadInput
from redelivery.sim.plan import Crash, Plan, Process
from redelivery.sim.requests import handle, sleep
from redelivery.sim.run import build, simulate
from redelivery.sim.scenario import Scenario, Variant
from redelivery.sim.watch import Monitor, Property, Watch
from redelivery.sim.world import World


def test_the_orphan_is_polled_past_for_ever() -> None:
    scenario = find("crash-before-ack")
    result = check_liveness(scenario, "broken", params={"entries": "2"})
    example = result.counterexample
    assert example is not None
    assert (result.verdict, result.property_name, example.kind) == ("violated", "no-orphan", LIVENESS)
    assert example.loop_ms == 2001
    assert (result.reductions, result.notes) == (("zones", "symmetry"), ())
    assert result == check_liveness(scenario, "broken", params={"entries": "2"})
    finding, run = make(example, scenario)
    assert finding.lasso is not None
    assert "no-orphan" in {violation.property for violation in run.violations}
    assert "no-orphan" in {violation.property for violation in simulate(scenario, tape=finding.tape).violations}


def test_the_loop_leads_back_to_the_state_before_it() -> None:
    """Once round and twice round differ in nothing but the time, as far as processes can see."""
    scenario = find("crash-before-ack")
    result = check_liveness(scenario, "broken", params={"entries": "1"})
    example = result.counterexample
    assert example is not None
    assert example.loop_start is not None
    seen = []
    loop = example.choices[example.loop_start : example.loop_end]
    for rounds in (1, 2, 3):
        world, _ = build(scenario, "broken", "redis-8.6", {"entries": "1"}, record=False)
        choices = Dictated()
        choices.dictate([*example.choices[: example.loop_start], *loop * rounds])
        taken = 0
        while choices.left and taken < 1000:
            steps = world.enabled()
            place = choices.choose(len(steps), "next step")
            world.take(steps[place], choices)
            taken += 1
        logs = [(process.state, tuple(process.log), process.consumer) for process in world.processes]
        pending = [sorted(group.pel.keys()) for group in world.server.keys[b"orders"].groups.values()]  # type: ignore[union-attr]
        seen.append((logs, pending))
    assert seen[0] == seen[1] == seen[2]


def test_what_is_repaired_has_no_such_loop() -> None:
    assert check_liveness(find("crash-before-ack"), "repaired", params={"entries": "2"}).verdict == "holds"
    assert check_liveness(find("slow-handler-claimed"), "repaired", params={"entries": "1"}).verdict == "holds"


@pytest.mark.parametrize("variant", ["broken", "repaired"])
def test_with_symmetry_and_without_it_comes_to_the_same(variant: str) -> None:
    scenario, params = find("crash-before-ack"), {"entries": "2"}
    reduced = check_liveness(scenario, variant, params=params)
    whole = check_liveness(scenario, variant, params=params, reduce=("zones",))
    assert (reduced.verdict, reduced.property_name) == (whole.verdict, whole.property_name)
    assert reduced.states < whole.states


def test_what_might_lose_a_loop_is_off_and_the_result_says_so() -> None:
    result = check_liveness(find("crash-before-ack"), "broken", params={"entries": "1"}, reduce=ALL)
    assert result.reductions == ("zones", "symmetry")
    assert result.notes == tuple(f"{name} is off: it may leave out steps of a loop" for name in ALL[2:])
    with pytest.raises(BadInput, match="needs the reduction 'zones'"):
        check_liveness(find("crash-before-ack"), "broken", reduce=())


# -- a loop whose rounds change who is who --------------------------------------------------------------


async def swap(redis: Any, me: str, phase: int = 0) -> int:
    """Two that are always in different phases: each round of the abstract loop swaps them."""
    if not phase:
        return int(await redis.lpop("phases"))
    await sleep(2)
    return 3 - phase


class NeverTrue(Monitor):
    """Stays broken."""

    def at_end(self, at_ms: int) -> str | None:
        return "never"


NEVER = Property("never", "eventually", "what does not come true", NeverTrue)


def scenario_of(plan: Plan, *properties: Any) -> Scenario:
    return Scenario("mine", "it", {"broken": Variant("it", lambda params: plan, properties=[NEVER, *properties])})


def test_a_loop_is_gone_round_until_everybody_is_back_in_their_own_place() -> None:
    processes = [Process(name, swap, initial=0) for name in ("left", "right")]
    plan = Plan(processes, [("RPUSH", "phases", "1", "2")], faults_ms=0, within_ms=1000)
    result = check_liveness(scenario_of(plan))
    example = result.counterexample
    assert example is not None
    assert example.loop_start is not None
    loop = example.choices[example.loop_start : example.loop_end]
    seen = []
    for rounds in (1, 2, 3):
        world = World(plan, "redis-8.6", watch=Watch([NEVER]), record=False)
        choices = Dictated()
        choices.dictate([*example.choices[: example.loop_start], *loop * rounds])
        while choices.left:
            steps = world.enabled()
            world.take(steps[choices.choose(len(steps), "next step")], choices)
        seen.append([(process.state, tuple(process.log)) for process in world.processes])
    assert example.loop_ms == 4, "after 2 ms each is where the other was"
    assert seen[0] == seen[1] == seen[2]


# -- frozen worlds ---------------------------------------------------------------------------------------


async def add_one(redis: Any, me: str) -> None:
    await redis.xadd("s", {"n": 1})


async def look(redis: Any, me: str, n: int = 0) -> int:
    """Looks at the stream for ever; that it has looked is something that it knows."""
    await redis.xlen("s")
    return 1 - n


async def take_one(redis: Any, me: str) -> None:
    for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1):
        await handle(entries[0][0], None)
        await redis.xack("s", "g", entries[0][0])


def frozen(*processes: Process, **more: Any) -> Scenario:
    setup = [("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")]
    plan = Plan([Process("p", add_one, turns=1), *processes], setup, frozen=True, **more)
    return Scenario("mine", "it", {"broken": Variant("it", lambda params: plan, properties=["no-orphan"])})


def test_where_time_is_frozen_an_orphan_is_polled_past_for_ever() -> None:
    crash = Crash("dies", when="busy")
    scenario = frozen(
        Process("dies", take_one, turns=1, handle_ms=0, restart=None), Process("looks", look, initial=0), faults=[crash]
    )
    result = check_liveness(scenario)
    assert (result.verdict, result.property_name) == ("violated", "no-orphan")
    assert result.notes == (FROZEN_OFF,)
    assert result.counterexample is not None
    finding, run = make(result.counterexample, scenario)
    assert finding.lasso is not None
    assert "no-orphan" in {violation.property for violation in run.violations}
    assert "crashes" in " ".join(finding.story)


def test_where_time_is_frozen_nobody_is_put_off_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing keeps the worker from acknowledging but that it is never its turn: that is no loop."""
    scenario = frozen(Process("works", take_one, turns=1, handle_ms=0), Process("looks", look, initial=0))
    assert check_liveness(scenario).verdict == "holds"
    monkeypatch.setattr(lasso, "_must", lambda graph, walk, component: [])
    assert check_liveness(scenario).verdict == "violated", "without fairness it would be one"


async def stare(redis: Any, me: str) -> None:
    """Does nothing that counts: it waits until something happens."""
    await redis.get("nothing")
    await redis.get("nothing")


def test_looking_in_vain_is_no_loop_where_time_is_frozen() -> None:
    """Who has found nothing looks again when something has happened; it does not turn round and round."""
    crash = Crash("dies", when="busy")
    scenario = frozen(
        Process("dies", take_one, turns=1, handle_ms=0, restart=None), Process("stares", stare), faults=[crash]
    )
    assert check_liveness(scenario).verdict == "holds"


def test_the_world_of_one_group_has_no_such_loop() -> None:
    scenario = replace(find("group-world"), properties=["acked-implies-handled", "handled-at-least-once"])
    assert check_liveness(scenario, params={"entries": "1", "consumers": "2"}).verdict == "holds"


def test_a_world_in_which_nothing_has_to_come_true_is_not_searched_for_loops() -> None:
    with pytest.raises(BadInput, match=r"^group-world repaired checks nothing that must come true eventually"):
        check_liveness(find("group-world"))
