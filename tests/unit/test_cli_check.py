"""The verbs that search, explain and chart: what they print, with which exit code, and what they say of bad input."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from redelivery.sim.check.schedules import METHODS
from redelivery.sim.cli import main

ORPHAN = "redelivery-1:crash-before-ack:broken:redis-8.6:entries=1:1.2.3x1"
BROKEN = ("check", "crash-before-ack", "--variant", "broken", "--runs", "30")
KEYS = {
    "scenario", "variant", "declared", "dialect", "params", "verdict", "as_declared", "property", "search", "seed",
    "runs", "runs_max", "stopped", "transitions", "depth", "states", "coverage", "remembered", "found_by", "unmet",
    "notes", "seconds", "counterexample",
}  # fmt: skip


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


# ---- check ----


@pytest.mark.parametrize("method", METHODS)
def test_what_is_broken_is_found_lowered_and_told(method: str, redelivery: Call) -> None:
    options = (*BROKEN, "--search", method, "--database", "none")
    said = redelivery(*options, "--json")
    assert (said.code, set(said.json)) == (0, KEYS)
    found = said.json["counterexample"]
    assert (said.json["verdict"], said.json["property"], said.json["as_declared"]) == ("violated", "no-orphan", True)
    assert found["tape"] == ORPHAN
    assert len(found["steps"]) == found["size"]["steps"]
    assert "300 ms: worker-a crashes" in found["steps"]
    assert any("worker-a crashes while it handles entry 1" in line for line in found["story"])
    again = redelivery(*options, "--json").json
    del again["seconds"]
    first = said.json
    del first["seconds"]
    assert again == first


def test_for_people_a_search_ends_with_the_story_the_chart_and_how_to_go_on(redelivery: Call) -> None:
    said = redelivery(*BROKEN, "--finding", "f.json")
    assert said.code == 0
    for text in (
        "budget     shop, worker-a, worker-b", "verdict    violated  as declared", "found      by run 1, seed 0: ",
        "with 0 faults 30 runs found nothing", "3.     300 ms  worker-a crashes while it handles entry 1",
        "lowered    to 1 fault, 12 context switches, 1 entry, 28 steps, 10.005 s",
        "X           │           │           │  worker-a crashes",
        f"again      redelivery replay {ORPHAN}", 'in a test  redelivery.assert_holds("redelivery-1:',
        "saved      f.json: redelivery replay f.json",
    ):  # fmt: skip
        assert text in said.out, text


def test_a_search_that_finds_nothing_is_incomplete_and_says_so(redelivery: Call) -> None:
    said = redelivery("check", "crash-before-ack", "--runs", 5)
    assert said.code == 3
    assert "verdict    incomplete  nothing was found, which proves nothing" in said.out
    assert "search     random, seed 0: 5 runs, " in said.out
    said = redelivery("check", "crash-before-ack", "--runs", 5, "--json")
    assert (said.code, said.json["counterexample"], said.json["stopped"]) == (3, None, "runs")
    assert "budget     shop, worker-a, worker-b" in said.err, "what bounds the world is always said"
    assert said.json["coverage"]["over_runs"][-1]["runs"] == 5


def test_a_stop_by_the_clock_is_reported(redelivery: Call) -> None:
    said = redelivery("check", "crash-before-ack", "--runs", 500, "--seconds", 0, "--json")
    assert (said.code, said.json["stopped"], said.json["runs"]) == (3, "seconds", 1)
    said = redelivery("check", "crash-before-ack", "--runs", 500, "--seconds", 0)
    assert "stopped by --seconds after 1 of 500 runs" in said.out


def test_a_violation_that_is_not_declared_is_a_failure(redelivery: Call, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "async def consume(redis, me):\n"
        '    for _, entries in await redis.xreadgroup("workers", me, {"orders": ">"}, count=1, block=2000):\n'
        "        for entry_id, fields in entries:\n"
        '            await redis.xack("orders", "workers", entry_id)\n'
    )
    said = redelivery("check", "shop.py:consume", "--json", "--runs", 30)
    assert (said.code, said.json["property"]) == (1, "handled-at-least-once")
    assert said.json["counterexample"]["tape"].startswith("redelivery-1:shop.py%3Aconsume:given:")


def test_what_was_found_is_kept_in_the_database_of_hypothesis(redelivery: Call, tmp_path: Path) -> None:
    options = (*BROKEN, "--search", "hypothesis", "--json")
    assert redelivery(*options).json["search"] == "hypothesis"
    assert (tmp_path / ".hypothesis" / "examples").is_dir()
    said = redelivery(*options)
    assert (said.json["search"], said.json["remembered"], said.json["runs"]) == ("memory", 1, 1)
    assert said.json["counterexample"]["tape"] == ORPHAN
    assert redelivery("check", "crash-before-ack", "--search", "random", "--runs", 2, "--json").json["remembered"] == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["crash-before-ak"], "unknown scenario 'crash-before-ak'; did you mean 'crash-before-ack'?"),
        (["crash-before-ack", "--search", "bsf"], "'bsf' is not one of"),
        (["crash-before-ack", "--runs", "0"], "a search of 0 runs searches nothing"),
        (["crash-before-ack", "--search", "hypothesis", "--runs", "0"], "a search of 0 runs searches nothing"),
        (["crash-before-ack", "--search", "pct", "--pct-depth", "0"], "a depth of 0 is none"),
        (["crash-before-ack", "--property", "no-orphans"], "did you mean 'no-orphan'?"),
        (["crash-before-ack", "--param", "entires=2"], "unknown parameter 'entires'; did you mean 'entries'?"),
        (["crash-before-ack", "--dialect", "redis-9"], "unknown dialect 'redis-9'"),
        (["crash-before-ack", "--seconds", "-1"], "Invalid value for '--seconds'"),
        (["crash-before-ack", "--sequence", "f.svg"], "its ending must be one of .txt, .mmd"),
        (["crash-before-ack", "--timeline", "f.doc"], "its ending must be one of .svg"),
        (["crash-before-ack", "--finding", "no/f.json"], "cannot write the finding to no/f.json: No such file"),
        (["crash-before-ack", "--database", "file"], "the example database file is a file"),
    ],
)
def test_bad_input_of_check_is_one_line(arguments: list[str], says: str, redelivery: Call, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = redelivery("check", *arguments)
    assert said.code == 2
    assert says in said.err
    assert len(said.err.splitlines()) == 1
    assert "verdict" not in said.out


def test_everything_is_written_that_was_asked_for(redelivery: Call, tmp_path: Path) -> None:
    files = ("--finding", "f.json", "--timeline", "f.svg", "--sequence", "f.mmd")
    assert redelivery(*BROKEN, *files).code == 0
    assert json.loads((tmp_path / "f.json").read_text())["tape"] == ORPHAN
    assert (tmp_path / "f.svg").read_text().startswith("<?xml")
    assert (tmp_path / "f.mmd").read_text().startswith("sequenceDiagram\n")


# ---- replay of a finding ----


def test_a_finding_replays_and_says_that_it_is_the_same(redelivery: Call, tmp_path: Path) -> None:
    redelivery(*BROKEN, "--finding", "f.json")
    said = redelivery("replay", "f.json")
    assert said.code == 0
    assert said.out.splitlines()[-1] == "finding    the very run that was found"
    said = redelivery("replay", "-", "--json", stdin=(tmp_path / "f.json").read_text())
    assert (said.code, said.json["finding"]) == (0, {"property": "no-orphan", "same": True, "changed": ""})


def test_a_finding_that_has_changed_is_told_in_one_line(redelivery: Call, tmp_path: Path) -> None:
    redelivery(*BROKEN, "--finding", "f.json")
    text = (tmp_path / "f.json").read_text()
    (tmp_path / "f.json").write_text(text.replace("entries=1:", "entries=1,handle_ms=250:"))
    said = redelivery("replay", "f.json")
    assert said.code == 1
    last = said.out.splitlines()[-1]
    assert last.startswith("finding    the run still breaks no-orphan, but it is not the run that was found: 46 events")
    assert "the story parts at '3.     250 ms  worker-a crashes" in last
    said = redelivery("replay", "f.json", "--json")
    assert (said.code, said.json["finding"]["same"]) == (1, False)
    (tmp_path / "f.json").write_text(text.replace("entries=1:1.2.3x1", "entries=1:9"))
    said = redelivery("replay", "f.json")
    assert (said.code, len(said.err.splitlines())) == (2, 1)
    assert "the finding's run has changed: the tape does not fit this run" in said.err
    (tmp_path / "f.json").write_text(text[:100])
    said = redelivery("replay", "f.json")
    assert said.code == 2


# ---- why ----


def test_why_tells_the_chain(redelivery: Call) -> None:
    said = redelivery("why", ORPHAN, "1")
    assert said.code == 0
    assert said.out.splitlines() == [
        "entry 1: 1700000000000-0 of orders in group workers",
        "        0 ms  shop adds entry 1 to orders  (event 7)",
        "        0 ms  worker-a is given entry 1 (delivery 1)  (event 9)",
        "        0 ms  worker-a begins to handle it  (event 11)",
        "      300 ms  worker-a crashes while it handles it; entry 1 stays pending for worker-a  (event 12)",
        "       1.8 s  worker-a starts again as consumer worker-a-2, which owns nothing: entry 1 stays with worker-a  "
        "(event 16)",
        "    10.005 s  nobody takes it up: 10 XREADGROUP by worker-a and worker-b, none of them a claim, did not "
        "return it; it is idle for 10.005 s  (event 44)",
        "",
        "Entry 1 is not acknowledged at 10.005 s: worker-a crashed while it had it pending, and nobody has claimed it "
        "for 10.005 s.",
    ]


def test_why_takes_a_history_a_finding_and_a_tape(redelivery: Call, tmp_path: Path) -> None:
    redelivery(*BROKEN, "--finding", "f.json")
    redelivery("replay", "f.json", "--history", "h.jsonl")
    (tmp_path / "t").write_text(ORPHAN + "\n")
    answers = {redelivery("why", of, "1700000000000-0", "--json").out for of in ("f.json", "h.jsonl", "t", ORPHAN)}
    assert len(answers) == 1
    value = json.loads(answers.pop())
    assert value["chain"][0] == {"event": 7, "at_ms": 0, "kind": "added", "text": "shop adds entry 1 to orders"}
    assert (value["state"], value["acknowledged"], value["handled"]) == ("pending", False, 0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["none.jsonl", "1"], "cannot read the history none.jsonl: No such file"),
        ([ORPHAN, "2"], "the history has no entry '2'; there is 1700000000000-0 (entry 1)"),
        ([ORPHAN, "1", "--group", "worker"], "unknown group of stream 'orders' 'worker'; did you mean 'workers'?"),
        ([ORPHAN, "1", "--stream", "order"], "unknown stream 'order'; did you mean 'orders'?"),
        ([ORPHAN, "1", "--at", "-5"], "a run starts at 0 ms"),
        (["cut.jsonl", "1"], "cut.jsonl, line 3: not JSON"),
        (["other.txt", "1"], "other.txt, line 1: not JSON"),
    ],
)
def test_bad_input_of_why_is_one_line(arguments: list[str], says: str, redelivery: Call, tmp_path: Path) -> None:
    redelivery("replay", ORPHAN, "--history", "h.jsonl")
    lines = (tmp_path / "h.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "cut.jsonl").write_text("".join(lines[:2]) + lines[2][:20] + "\n" + lines[3])
    (tmp_path / "other.txt").write_text("hello\n")
    said = redelivery("why", *arguments)
    assert said.code == 2
    assert says in said.err
    assert len(said.err.splitlines()) == 1


def test_a_finding_and_a_tape_can_be_drawn_without_a_history(redelivery: Call, tmp_path: Path) -> None:
    redelivery(*BROKEN, "--finding", "f.json")
    for of, file in (("f.json", "a.svg"), (ORPHAN, "b.svg")):
        assert redelivery("timeline", of, "-o", file).code == 0
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


# ---- sequence ----


def test_sequence_prints_a_chart_or_writes_one(redelivery: Call, tmp_path: Path) -> None:
    said = redelivery("sequence", ORPHAN)
    assert said.code == 0
    assert said.out.splitlines()[0].split() == ["time", "worker-a", "worker-b", "shop", "redis"]
    assert redelivery("sequence", ORPHAN, "-o", "c.mmd").out == "wrote c.mmd\n"
    assert (tmp_path / "c.mmd").read_text().startswith("sequenceDiagram\n")
    value = redelivery("sequence", ORPHAN, "--json").json
    assert value["chart"] == said.out.splitlines()
    said = redelivery("sequence", ORPHAN, "-o", "c.png")
    assert (said.code, said.err.count("\n")) == (2, 1)


# ---- the graph ----


def test_a_search_writes_the_graph_of_what_it_saw(redelivery: Call, tmp_path: Path) -> None:
    said = redelivery("check", "crash-before-ack", "--runs", 4, "--graph", "g.json", "--json")
    assert said.code == 3
    graph = json.loads((tmp_path / "g.json").read_text())
    assert graph["statistics"] == said.json["graph"]
    assert said.json["graph"]["states"] == len(graph["nodes"]) > 100
    said = redelivery("check", "crash-before-ack", "--runs", 4, "--graph", "g.svg")
    assert "graph      " in said.out
    assert "written to g.svg" in said.out
    assert (tmp_path / "g.svg").read_text().startswith("<?xml")
    said = redelivery("check", "crash-before-ack", "--runs", 4, "--graph", "g.gif")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "cannot write a graph to 'g.gif'" in said.err
