"""``redelivery check`` as a search of all there is: what it prints, writes and answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from redelivery.sim.cli import main, proving

KEYS = {
    "verdict", "property", "states", "transitions", "depth", "seconds", "unmet", "coverage", "counterexample",
}  # fmt: skip


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Call = Callable[..., Said]


@pytest.fixture
def redelivery(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Said:
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        code = stop.value.code
        assert isinstance(code, int)
        return Said(code, out, err)

    return call


BROKEN = ("check", "crash-before-ack", "--variant", "broken", "--param", "entries=1")


def test_a_violation_has_its_tape_and_its_steps(redelivery: Call) -> None:
    said = redelivery(*BROKEN, "--json")
    assert said.code == 0
    assert set(said.json) >= KEYS
    assert (said.json["verdict"], said.json["property"], said.json["collision_probability"]) == (
        "violated", "no-orphan", 0.0,
    )  # fmt: skip
    example = said.json["counterexample"]
    assert example["steps"]
    again = redelivery("replay", example["tape"], "--json").json
    assert example["property"] in {violation["property"] for violation in again["violations"]}
    assert redelivery(*BROKEN, "--json").json["counterexample"] == example


def test_a_proof_has_its_numbers(redelivery: Call) -> None:
    said = redelivery("check", "crash-before-ack", "--param", "entries=1")
    assert said.code == 0
    assert "verdict    holds  as declared" in said.out
    assert "reductions: zones, symmetry" in said.out
    assert "faults: worker-a or worker-b crashes while it holds an entry: at most 1" in said.out


def test_a_bounded_search_is_incomplete(redelivery: Call) -> None:
    said = redelivery("check", "crash-before-ack", "--param", "entries=1", "--depth", 3, "--json")
    assert (said.code, said.json["verdict"]) == (3, "incomplete")


def test_a_lasso_is_told_saved_and_replayed(redelivery: Call, tmp_path: Path) -> None:
    said = redelivery(*BROKEN, "--liveness", "--finding", "f.json", "--json")
    assert (said.code, said.json["counterexample"]["kind"]) == (0, "liveness")
    assert said.json["counterexample"]["lasso"]["loop_ms"] == 2001
    assert redelivery("replay", "f.json").code == 0
    assert redelivery("check", "crash-before-ack", "--param", "entries=1", "--liveness").code == 0


def test_the_graph_of_all_states_is_written(redelivery: Call, tmp_path: Path) -> None:
    said = redelivery(*BROKEN, "--graph", "g.json", "--json")
    assert said.code == 0
    graph = json.loads((tmp_path / "g.json").read_text())
    assert len(graph["nodes"]) > 100
    before = (tmp_path / "g.json").read_bytes()
    redelivery(*BROKEN, "--graph", "g.json", "--json")
    assert (tmp_path / "g.json").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "check takes a SCENARIO, or --all"),
        (["crash-before-ack", "--all"], "check takes a SCENARIO, or --all"),
        (["crash-before-ack", "--search", "dfs", "--checkpoint", "c"], "are for a breadth-first search"),
        (["crash-before-ack", "--resume", "none"], "cannot read the checkpoint none"),
        (["crash-before-ack", "--without", "zone"], "did you mean 'zones'?"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], says: str, redelivery: Call) -> None:
    said = redelivery("check", *arguments)
    assert said.code == 2
    assert says in said.err
    assert len(said.err.splitlines()) == 1



def test_a_world_without_bounds_is_refused_before_it_is_simulated(
    redelivery: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def simulate(*what: Any, **more: Any) -> Any:
        raise AssertionError("it would go on for years")

    monkeypatch.setattr(proving, "simulate", simulate)
    (tmp_path / "long.py").write_text(
        "from redelivery.sim.plan import Plan, Process\n"
        "from redelivery.sim.scenario import Scenario, Variant\n"
        "async def poll(redis, me):\n"
        "    await redis.ping()\n"
        "plan = Plan([Process('w', poll)], faults_ms=10**12)\n"
        "scenario = Scenario('long', 'it', {'broken': Variant('it', lambda params: plan)})\n"
    )
    said = redelivery("check", str(tmp_path / "long.py"))
    assert said.code == 2
    assert "the scenario has no bounds that a check could reach" in said.err
