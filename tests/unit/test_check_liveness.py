"""Loops on which what must come true never does: found, told as lassos, and replayed."""

from __future__ import annotations

import pytest
from redelivery.sim.catalogue import find
from redelivery.sim.check.finding import make
from redelivery.sim.check.liveness import SYMMETRY_OFF, check_liveness
from redelivery.sim.check.report import LIVENESS
from redelivery.sim.check.trace import Dictated
from redelivery.sim.errors import BadInput
from redelivery.sim.run import build, simulate


def test_the_orphan_is_polled_past_for_ever() -> None:
    scenario = find("crash-before-ack")
    result = check_liveness(scenario, "broken", params={"entries": "2"})
    example = result.counterexample
    assert example is not None
    assert (result.verdict, result.property_name, example.kind) == ("violated", "no-orphan", LIVENESS)
    assert example.loop_ms == 2001
    assert result.notes == (SYMMETRY_OFF,)
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


def test_where_time_is_frozen_there_are_no_loops() -> None:
    with pytest.raises(BadInput, match="time is frozen"):
        check_liveness(find("group-world"))
