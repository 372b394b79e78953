"""The command line: what it prints, where, with which exit code, and one clear line for everything that is wrong."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from redelivery.sim.catalogue import find, shipped
from redelivery.sim.cli import VERBS, main
from redelivery.sim.history import read
from redelivery.sim.run import simulate

RUN_KEYS = {
    "scenario", "variant", "dialect", "seed", "tape", "budget", "verdict", "properties", "violations", "unmet",
    "commands", "events", "sim_ms", "wall_s",
}  # fmt: skip
"""What ``run`` and ``replay`` promise."""


class Said(NamedTuple):
    """What a call of the command line printed and returned."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on standard output; fails where there is anything else."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


Call = Callable[..., Said]


FAILS_ON_NOTHING = """
from redelivery import HandlerFailed, Plan, Process, Scenario, Variant, handle


async def sell(redis, me, n=0):
    await redis.xadd("orders", {"order": n + 1})
    return n + 1


async def work(redis, me):
    for _, entries in await redis.xreadgroup("workers", me, {"orders": ">"}, count=1, block=1000):
        for entry_id, fields in entries:
            try:
                await handle(entry_id, fields)
            except HandlerFailed:
                pass


def plan(params):
    return Plan(
        processes=[
            Process("shop", sell, turns=2, initial=0), Process("worker", work, fails_on={"order": str(params.bad)}),
        ],
        setup=[("XGROUP", "CREATE", "orders", "workers", "$", "MKSTREAM")],
    )


scenario = Scenario(name="mine", summary="", params={"bad": 9}, variants={"given": Variant("", plan)})
"""


@pytest.fixture
def redelivery(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """The command line, in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())

    def call(*arguments: object, stdin: str | None = None) -> Said:
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return Said(stop.value.code, out, err)

    return call


CONSUMER = """
async def consume(redis, me):
    for _, entries in await redis.xreadgroup("workers", me, {"orders": ">"}, count=1, block=500):
        for entry_id, fields in entries:
            await redis.xack("orders", "workers", entry_id)
"""


# ---- list, show ----


def test_list_tells_every_scenario_with_its_variants(redelivery: Call) -> None:
    said = redelivery("list", "--json")
    assert (said.code, said.err) == (0, "")
    assert set(said.json) == {"scenarios"}
    assert [row["name"] for row in said.json["scenarios"]] == [scenario.name for scenario in shipped()]
    for row in said.json["scenarios"]:
        assert set(row) == {"name", "summary", "variants"}
        assert {"name": "repaired", "declared": "holds"} in row["variants"]
    (told,) = [row for row in said.json["scenarios"] if row["name"] == "crash-before-ack"]
    (broken,) = [variant for variant in told["variants"] if variant["name"] == "broken"]
    assert broken == {"name": "broken", "declared": "violated (no-orphan)"}


def test_list_for_people_names_scenarios_variants_and_verdicts(redelivery: Call) -> None:
    said = redelivery("list")
    assert said.code == 0
    for scenario in shipped():
        assert scenario.name in said.out.splitlines()
        assert f"  {scenario.summary}" in said.out.splitlines()
        for name, variant in scenario.variants.items():
            assert any(name in line and variant.declared in line for line in said.out.splitlines())


def test_show_tells_intent_variants_advice_and_the_story(redelivery: Call) -> None:
    scenario = find("crash-before-ack")
    said = redelivery("show", "crash-before-ack", "--variant", "broken")
    assert said.code == 0
    for text in (scenario.summary, scenario.advice, "declared: violated (no-orphan)", "worker-a"):
        assert text in said.out
    said = redelivery("show", "crash-before-ack", "--json")
    assert set(said.json) >= {
        "name",
        "summary",
        "evidence",
        "advice",
        "variant",
        "declared",
        "verdict",
        "story",
        "tape",
    }
    assert (said.json["name"], said.json["variant"], said.json["verdict"]) == ("crash-before-ack", "broken", "violated")
    assert len(said.json["story"]) > 5


# ---- run ----


@pytest.mark.parametrize(
    ("arguments", "verdict", "violated"),
    [
        (["crash-before-ack", "--variant", "broken"], "violated", ["no-orphan"]),
        (["crash-before-ack", "--variant", "repaired"], "holds", []),
        (["slow-handler-claimed", "--variant", "broken"], "violated", ["single-handler"]),
        (["event-sourcing", "--variant", "double-spend"], "violated", ["never-overdrawn"]),
        (["event-sourcing"], "holds", []),
    ],
)
def test_run_prints_one_json_object_and_the_budget_elsewhere(
    arguments: list[str], verdict: str, violated: list[str], redelivery: Call
) -> None:
    said = redelivery("run", *arguments, "--json")
    found = said.json
    assert said.code == 0
    assert set(found) >= RUN_KEYS
    assert not {"server", "version", "replies", "differences"} & set(found)
    assert found["verdict"] == verdict
    assert [violation["property"] for violation in found["violations"]] == violated
    assert all(set(violation) == {"property", "step", "at_ms", "message"} for violation in found["violations"])
    assert {name for name, value in found["properties"].items() if value == "violated"} == set(violated)
    assert (found["dialect"], found["seed"], found["unmet"]) == ("redis-8.6", 0, [])
    assert "faults" in said.err
    assert all(process in said.err for process in found["budget"]["processes"])
    assert "Traceback" not in said.err


def test_run_for_people_prints_budget_verdicts_and_the_tape(redelivery: Call) -> None:
    said = redelivery("run", "crash-before-ack", "--variant", "broken", "--seed", "3")
    run = simulate(find("crash-before-ack"), "broken", seed=3)
    assert (said.code, said.err) == (0, "")
    for text in (
        "crash-before-ack", "broken", "redis-8.6", "budget",
        "worker-a or worker-b crashes while it holds an entry: at most 1",
        "verdict", "violated", "as declared", run.violations[0].message, f"redelivery replay {run.tape}",
    ):  # fmt: skip
        assert text in said.out
    for name, verdict in run.properties.items():
        assert any(line.split() == [name, verdict] for line in said.out.splitlines()), name


def test_the_variant_is_repaired_unless_one_is_given(redelivery: Call) -> None:
    assert redelivery("run", "crash-before-ack", "--json").json["variant"] == "repaired"


def test_parameters_are_taken_and_stand_on_the_tape(redelivery: Call) -> None:
    said = redelivery("run", "crash-before-ack", "--param", "entries=2", "--param", "handle_ms=10", "--json")
    assert said.json["params"] == {"entries": 2, "handle_ms": 10, "min_idle_ms": 5000}
    assert ":entries=2,handle_ms=10:" in said.json["tape"]
    assert said.json["budget"]["turns"] == {"shop": 2}


@pytest.mark.parametrize("dialect", ["redis-6.2", "redis-7.0", "redis-8.6"])
def test_the_dialect_is_taken(dialect: str, redelivery: Call) -> None:
    said = redelivery("run", "crash-before-ack", "--dialect", dialect, "--json")
    assert (said.code, said.json["dialect"]) == (0, dialect)
    assert f":{dialect}:" in said.json["tape"]


def test_a_consumer_of_the_users_own_runs_the_same_way(redelivery: Call, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(CONSUMER)
    said = redelivery("run", "mine.py:consume", "--json")
    assert (said.code, said.json["verdict"], said.json["variant"]) == (1, "violated", "given")
    assert set(said.json) >= RUN_KEYS
    again = redelivery("replay", said.json["tape"], "--json")
    assert again.code == 1
    assert again.json["violations"] == said.json["violations"]
    assert redelivery("run", "mine:consume", "--json").json["violations"] == said.json["violations"]


def test_work_that_fails_on_an_entry_that_there_is_not_is_refused(redelivery: Call, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(FAILS_ON_NOTHING)
    said = redelivery("run", "mine.py", "--json")
    assert (said.code, said.out) == (2, "")
    assert "process 'worker' fails on order=9, and no entry of the run has that; there is: order=1; order=2" in said.err
    assert redelivery("run", "mine.py", "--param", "bad=2", "--json").code == 0


def test_a_consumer_that_raises_is_no_traceback(redelivery: Call, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        CONSUMER.replace("await redis.xack", "raise RuntimeError('burnt')\n            await redis.xack")
    )
    said = redelivery("run", "mine.py:consume", "--history", "h.jsonl", "--json")
    assert said.code == 1
    assert "Traceback" not in said.err
    assert '"why":"raised","message":"RuntimeError: burnt"' in (tmp_path / "h.jsonl").read_text()


# ---- exit codes ----

NOT_AS_DECLARED = """
from redelivery.sim.plan import Plan, Process
from redelivery.sim.properties.sometimes import TRIMMED
from redelivery.sim.scenario import Scenario, Variant

ORPHAN = ["no-orphan"]

async def add(redis, me):
    await redis.xadd("s", {"a": 1})

def plan(params):
    setup = [("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")]
    return Plan([Process("p", add, turns=1)], setup=setup, faults_ms=10, within_ms=10)

mine = Scenario("mine", "Something is added.", {
    "kept": Variant("nobody reads", plan, violates="handled-at-least-once"),
    "broken": Variant("nobody reads", plan),
    "too-good": Variant("nobody reads", plan, violates="no-orphan", properties=ORPHAN),
    "nothing-shown": Variant("nobody trims", plan, violates="no-orphan", properties=ORPHAN, sometimes=[TRIMMED]),
}, properties=["handled-at-least-once"])
quiet = Scenario("quiet", "Something is added.", {
    "holds": Variant("nobody looks", plan),
    "too-good": Variant("nobody looks", plan, violates="no-orphan", properties=ORPHAN),
    "nothing-shown": Variant("nobody trims", plan, sometimes=[TRIMMED]),
    "nothing-broken": Variant("nobody trims", plan, violates="no-orphan", properties=ORPHAN, sometimes=[TRIMMED]),
})
"""


@pytest.mark.parametrize(
    ("scenario", "variant", "code", "verdict"),
    [
        ("quiet", "holds", 0, "holds"),
        ("mine", "kept", 0, "violated"),
        ("mine", "broken", 1, "violated"),
        ("mine", "too-good", 1, "violated"),
        ("mine", "nothing-shown", 1, "violated"),
        ("quiet", "too-good", 1, "holds"),
        ("quiet", "nothing-shown", 3, "incomplete"),
        ("quiet", "nothing-broken", 3, "incomplete"),
    ],
)
def test_the_exit_code_tells_whether_the_run_is_as_declared(
    scenario: str, variant: str, code: int, verdict: str, redelivery: Call, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(NOT_AS_DECLARED)
    said = redelivery("run", f"mine.py:{scenario}", "--variant", variant, "--json")
    assert (said.code, said.json["verdict"]) == (code, verdict)
    assert said.json["unmet"] == (["trimmed"] if "nothing" in variant else [])
    human = redelivery("run", f"mine.py:{scenario}", "--variant", variant)
    assert human.code == code
    assert ("as declared" in human.out) == (code == 0)


# ---- replay ----


@pytest.fixture
def recorded(redelivery: Call, tmp_path: Path) -> tuple[str, bytes]:
    """A run's tape, and the bytes of its history, which stand in ``first.jsonl``."""
    said = redelivery(
        "run", "crash-before-ack", "--variant", "broken", "--seed", "5", "--param", "entries=3",
        "--dialect", "redis-7.0", "--history", "first.jsonl", "--json",
    )  # fmt: skip
    return said.json["tape"], (tmp_path / "first.jsonl").read_bytes()


def test_a_history_that_was_written_holds_the_run(recorded: tuple[str, bytes], tmp_path: Path) -> None:
    run = simulate(find("crash-before-ack"), "broken", seed=5, params={"entries": "3"}, dialect="redis-7.0")
    assert read(tmp_path / "first.jsonl") == run.history


@pytest.mark.parametrize("source", ["line", "file", "history", "history by another name", "stdin", "history on stdin"])
def test_replay_gives_the_same_history_from_wherever_the_tape_comes(
    source: str, recorded: tuple[str, bytes], redelivery: Call, tmp_path: Path
) -> None:
    tape, history = recorded
    (tmp_path / "tape.txt").write_text(tape + "\n")
    (tmp_path / "copy.txt").write_bytes(history)
    argument, stdin = {
        "line": (tape, None),
        "file": ("tape.txt", None),
        "history": ("first.jsonl", None),
        "history by another name": ("copy.txt", None),
        "stdin": ("-", tape + "\n"),
        "history on stdin": ("-", history.decode()),
    }[source]
    said = redelivery("replay", argument, "--history", "again.jsonl", "--json", stdin=stdin)
    assert said.code == 0
    assert set(said.json) >= RUN_KEYS
    assert (said.json["tape"], said.json["seed"], said.json["dialect"]) == (tape, None, "redis-7.0")
    assert (tmp_path / "again.jsonl").read_bytes() == history


# ---- timeline ----


@pytest.mark.parametrize(("ending", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("txt", b"")])
def test_a_history_is_drawn_by_the_ending_of_the_file(
    ending: str, start: bytes, recorded: tuple[str, bytes], redelivery: Call, tmp_path: Path
) -> None:
    said = redelivery("timeline", "first.jsonl", "-o", f"drawn.{ending}", "--json")
    data = (tmp_path / f"drawn.{ending}").read_bytes()
    assert said.code == 0
    assert said.json == {"history": "first.jsonl", "output": f"drawn.{ending}", "bytes": len(data)}
    assert data.startswith(start)
    assert len(data) > 200


def test_a_run_draws_what_its_history_draws(recorded: tuple[str, bytes], redelivery: Call, tmp_path: Path) -> None:
    tape, _ = recorded
    assert redelivery("replay", tape, "--timeline", "run.svg").code == 0
    assert redelivery("timeline", "first.jsonl", "-o", "drawn.svg").code == 0
    assert (tmp_path / "run.svg").read_bytes() == (tmp_path / "drawn.svg").read_bytes()


# ---- what is wrong ----

TAPE = "redelivery-1:crash-before-ack:broken:redis-8.6::"


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ("run crash-befor-ack", ["unknown scenario 'crash-befor-ack'", "did you mean 'crash-before-ack'?"]),
        ("run", ["Missing argument 'SCENARIO'"]),
        ("run crash-before-ack --variant brokn", ["unknown variant", "'brokn'", "did you mean 'broken'?"]),
        ("run crash-before-ack --dialect redis-8.7", ["unknown dialect 'redis-8.7'", "did you mean 'redis-8.8'?"]),
        ("rum crash-before-ack", ["no such verb 'rum'", "did you mean 'run'?"]),
        ("zzz", ["no such verb 'zzz'", "list"]),
        ("--zzz", ["--zzz"]),
        ("run crash-before-ack --param entrys=3", ["unknown parameter 'entrys'", "did you mean 'entries'?"]),
        ("run crash-before-ack --param entries", ["--param 'entries' is not of the form K=V"]),
        ("run crash-before-ack --param =3", ["--param '=3' is not of the form K=V"]),
        ("run crash-before-ack --param entries=many", ["parameter 'entries' takes a whole number, not 'many'"]),
        ("run crash-before-ack --param entries=0", ["turns is 0, it must be at least 1"]),
        ("run crash-before-ack --seed many", ["--seed", "many"]),
        ("run crash-before-ack --sed 1", ["--sed", "--seed"]),
        ("run crash-before-ack --against nowhere", ["nowhere"]),
        ("run crash-before-ack --against redis://127.0.0.1:1", ["127.0.0.1"]),
        ("run crash-before-ack --against redis://:x:y", ["redis://:x:y"]),
        ("run crash-before-ack --against ./gone", ["gone", "no such file"]),
        ("run crash-before-ack --history gone/h.jsonl", ["cannot write the history to gone/h.jsonl", "No such file"]),
        ("run crash-before-ack --history .", ["cannot write the history to .", "Is a directory"]),
        ("run crash-before-ack --timeline t.gif", ["'t.gif'", ".svg, .png, .pdf"]),
        ("run crash-before-ack --timeline t", ["'t'", ".svg"]),
        ("run crash-before-ack --timeline gone/t.svg", ["cannot write the timeline to gone/t.svg", "No such file"]),
        ("run gone.py", ["there is no file gone.py"]),
        ("run raises.py", ["raises.py, line 2: ZeroDivisionError"]),
        ("run syntax.py:consume", ["syntax.py, line 1: SyntaxError"]),
        ("run leaves.py", ["leaves.py, line 1: SystemExit"]),
        ("run mine.py", ["mine.py holds no scenario; name one: mine.py:consume"]),
        ("run mine.py:consum", ["unknown name in mine.py 'consum'", "did you mean 'consume'?"]),
        ("run plan.py", ["the plan of 'planless', variant 'only', raised ZeroDivisionError"]),
        ("run property.py", ["property 'mine' raised KeyError at event 0"]),
        ("run no_such_module:x", ["there is no module 'no_such_module'"]),
        ("show crash-befor-ack", ["did you mean 'crash-before-ack'?"]),
        ("show crash-before-ack --variant brokn", ["did you mean 'broken'?"]),
        ("show crash-before-ack --dialect redis-8.7", ["did you mean 'redis-8.8'?"]),
        ("replay zzz", ["'zzz' is neither a tape", "nor a file"]),
        ("replay " + "z" * 3000, ["is neither a tape", "nor a file"]),
        ("replay .", ["'.' is neither a tape", "nor a file"]),
        ("replay redelivery-2:a:b:c:d:e", ["format 'redelivery-2'", "'redelivery-1'"]),
        ("replay redelivery-1:a:b", ["3 parts between colons"]),
        (f"replay {TAPE}x", ["'x', which is neither a number nor a run"]),
        (f"replay {TAPE}{'9' * 5000}", ["5000 digits"]),
        (f"replay {TAPE}999", ["the tape does not fit this run: decision 1"]),
        (f"replay {TAPE}9999x0", ["the tape does not fit this run", "choices are left"]),
        (f"replay {TAPE.replace('broken', 'brokn')}", ["unknown variant", "did you mean 'broken'?"]),
        (f"replay {TAPE.replace('8.6', '8.7')}", ["unknown dialect 'redis-8.7'"]),
        (f"replay {TAPE.replace('ack:', 'ac:')}", ["unknown scenario 'crash-before-ac'"]),
        (f"replay {TAPE}1 --history gone/h.jsonl", ["cannot write the history to gone/h.jsonl"]),
        ("replay old.jsonl", ["old.jsonl is a history of version 0; this Redelivery reads version 1"]),
        ("replay bad.jsonl", ["bad.jsonl, line 2: not an event of a history"]),
        ("replay bare.jsonl", ["bare.jsonl", "holds no tape"]),
        ("replay binary.txt", ["not a tape"]),
        ("replay empty.txt", ["the tape is empty"]),
        ("timeline gone.jsonl -o t.svg", ["cannot read the history gone.jsonl", "No such file"]),
        ("timeline old.jsonl -o t.svg", ["old.jsonl is a history of version 0"]),
        ("timeline bad.jsonl -o t.svg", ["bad.jsonl, line 2: not an event of a history"]),
        ("timeline good.jsonl -o t.gif", ["'t.gif'", ".svg, .png, .pdf"]),
        ("timeline good.jsonl -o gone/t.svg", ["cannot write the timeline to gone/t.svg"]),
        ("timeline good.jsonl", ["Missing option '-o'"]),
        ("list --zzz", ["--zzz"]),
        ("list zzz", ["zzz"]),
    ],
)
def test_what_is_wrong_is_one_line_on_standard_error_and_exit_code_2(
    arguments: str, parts: list[str], redelivery: Call, tmp_path: Path
) -> None:
    (tmp_path / "raises.py").write_text("x = 1\n1 / 0\n")
    (tmp_path / "syntax.py").write_text("def f(:\n")
    (tmp_path / "leaves.py").write_text("raise SystemExit(0)\n")
    (tmp_path / "mine.py").write_text(CONSUMER)
    (tmp_path / "plan.py").write_text(
        "from redelivery import Scenario, Variant\n"
        "mine = Scenario('planless', 'None.', {'only': Variant('x', lambda p: 1 / 0)})\n"
    )
    (tmp_path / "property.py").write_text(
        "from redelivery import Monitor, Plan, Process, Property, Scenario, Variant\n"
        "async def turn(redis, me): await redis.ping()\n"
        "class Mine(Monitor):\n    def on_closed(self, event):\n        raise KeyError('k')\n"
        "plan = Plan([Process('a', turn, turns=1)])\n"
        "only = Variant('x', lambda p: plan, properties=[Property('mine', 'always', 'x', Mine)])\n"
        "mine = Scenario('propertyless', 'None.', {'only': only})\n"
    )
    (tmp_path / "old.jsonl").write_text('{"redelivery":"history","version":0}\n')
    (tmp_path / "bad.jsonl").write_text('{"redelivery":"history","version":1}\n{}\n')
    (tmp_path / "bare.jsonl").write_text('{"redelivery":"history","version":1}\n')
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\0\r\n\xff")
    (tmp_path / "empty.txt").write_bytes(b"")
    simulate(find("crash-before-ack")).history.write(tmp_path / "good.jsonl")
    for more in ([], ["--json"]):
        said = redelivery(*arguments.split(), *more)
        assert said.code == 2
        assert said.out == ""
        (line,) = said.err.splitlines()
        assert line.startswith("redelivery")
        for part in parts:
            assert part in line


def test_an_empty_standard_input_is_no_tape(redelivery: Call) -> None:
    said = redelivery("replay", "-", stdin="")
    assert (said.code, said.out, said.err) == (2, "", "redelivery: the tape is empty\n")


# ---- help, version, processes ----


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_every_verb_has_an_example(verb: str, redelivery: Call) -> None:
    for option in ("--help", "-h"):
        said = redelivery(verb, option)
        assert (said.code, said.err) == (0, "")
        assert f"Example:  redelivery {verb}" in said.out
        assert "--json" in said.out


def test_the_help_of_all_names_every_verb(redelivery: Call) -> None:
    said = redelivery("--help")
    assert said.code == 0
    assert "Example:  redelivery run" in said.out
    assert "Exit codes:" in said.out
    for verb in VERBS:
        assert any(line.split()[:1] == [verb] for line in said.out.splitlines())


def test_without_a_verb_the_help_is_shown(redelivery: Call) -> None:
    said = redelivery()
    assert said.code in (0, 2)
    assert "Usage:" in said.out + said.err
    assert "timeline" in said.out + said.err


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=cwd, env=os.environ | {"PYTHONHASHSEED": "5"}
    )


def test_as_a_process_it_says_the_same(redelivery: Call, tmp_path: Path) -> None:
    done = python("-m", "redelivery", "run", "crash-before-ack", "--variant", "broken", "--json", cwd=tmp_path)
    said = redelivery("run", "crash-before-ack", "--variant", "broken", "--json")
    theirs, ours = json.loads(done.stdout), said.json
    assert (done.returncode, theirs | {"wall_s": 0}) == (0, ours | {"wall_s": 0})
    assert done.stderr == said.err
    done = python("-m", "redelivery", "run", "zzz", cwd=tmp_path)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        f"'{sys.executable}' -u -m redelivery run crash-before-ack | head -n 1",
        shell=True, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.stderr == ""
