"""The verbs that draw and export recorded runs, ``timeline``, ``export``, ``contrast``, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from redelivery.sim.catalogue import find
from redelivery.sim.cli import main
from redelivery.sim.run import simulate
from redelivery.sim.scenario import Scenario


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
    scenario: Scenario = find("reply-lost-claim")
    for variant in ("broken", "repaired"):
        simulate(scenario, variant).history.write(tmp_path / f"{variant}.jsonl")
    data = (tmp_path / "broken.jsonl").read_bytes()
    (tmp_path / "cut.jsonl").write_bytes(data[: 3 * len(data) // 4])
    (tmp_path / "foreign.jsonl").write_text('{"trace": "of somebody else"}\n')

    def call(*arguments: object) -> Said:
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        code = stop.value.code
        assert isinstance(code, int)
        return Said(code, out, err)

    return call


@pytest.mark.parametrize(
    ("arguments", "form"),
    [("-o x.json", "trace"), ("-o x.json --form spans", "spans"), ("-o x.csv", "csv"), ("-o x.mmd", "mermaid")],
)
def test_a_run_is_exported_by_the_ending_or_as_asked(
    arguments: str, form: str, redelivery: Call, tmp_path: Path
) -> None:
    target = tmp_path / arguments.split()[1]
    said = redelivery("export", "broken.jsonl", *arguments.split(), "--json")
    assert said.code == 0
    assert said.json == {
        "history": "broken.jsonl", "output": target.name, "form": form, "bytes": target.stat().st_size,
    }  # fmt: skip


def test_two_runs_that_part_are_exit_code_1_and_the_same_run_is_0(redelivery: Call, tmp_path: Path) -> None:
    said = redelivery("contrast", "broken.jsonl", "repaired.jsonl", "-o", "pair.svg", "--json")
    assert said.code == 1
    assert said.json["parting"]["second"]["who"] == "new-worker"
    assert said.json["outcomes"][0]["entry"] == "entry 1"
    assert said.json["verdicts"] == ["violated", "holds"]
    assert (tmp_path / "pair.svg").stat().st_size > 10_000
    same = redelivery("contrast", "broken.jsonl", "broken.jsonl")
    assert same.code == 0
    assert "No difference that means anything" in same.out


def test_a_history_that_was_cut_is_drawn_as_far_as_it_goes_and_says_so(redelivery: Call, tmp_path: Path) -> None:
    assert redelivery("timeline", "cut.jsonl", "-o", "cut.svg").code == 0
    drawn = (tmp_path / "cut.svg").read_text(encoding="utf-8")
    assert "This history stops at" in drawn
    assert redelivery("export", "cut.jsonl", "-o", "cut.json").code == 0


def test_on_dark_paper_it_is_another_picture(redelivery: Call, tmp_path: Path) -> None:
    assert redelivery("timeline", "broken.jsonl", "-o", "light.svg").code == 0
    assert redelivery("timeline", "broken.jsonl", "-o", "dark.svg", "--theme", "dark").code == 0
    assert (tmp_path / "light.svg").read_bytes() != (tmp_path / "dark.svg").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ("export broken.jsonl -o x.xml", ["'x.xml'", ".json (trace), .csv (csv), .mmd (mermaid)", "--form"]),
        ("export broken.jsonl -o gone/x.csv", ["cannot write to gone/x.csv", "No such file"]),
        ("export broken.jsonl -o x.json --form xml", ["'xml'", "trace"]),
        ("export foreign.jsonl -o x.json", ["foreign.jsonl, line 1: not the header of a Redelivery history"]),
        ("timeline foreign.jsonl -o x.svg", ["foreign.jsonl, line 1: not the header"]),
        ("timeline broken.jsonl -o x.svg --theme red", ["'red'", "light", "dark"]),
        ("contrast broken.jsonl gone.jsonl", ["cannot read the history gone.jsonl"]),
        ("contrast broken.jsonl repaired.jsonl -o x.txt", ["'x.txt'", ".svg, .png, .pdf"]),
        ("contrast broken.jsonl repaired.jsonl -o gone/x.svg", ["cannot write the picture to gone/x.svg"]),
        ("contrast broken.jsonl", ["Missing argument 'SECOND'"]),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(arguments: str, parts: list[str], redelivery: Call) -> None:
    said = redelivery(*arguments.split())
    assert (said.code, said.out) == (2, "")
    assert len(said.err.splitlines()) == 1
    for part in parts:
        assert part in said.err
