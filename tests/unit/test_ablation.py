"""Variants without one of their safeguards: by name in every verb, and all of them by ``check --ablate``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from redelivery.sim.catalogue import find
from redelivery.sim.cli import main
from redelivery.sim.errors import BadInput, ScenarioError
from redelivery.sim.run import simulate
from redelivery.sim.tape import parse

CRASH = find("crash-before-ack")


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert isinstance(stop.value.code, int)
    return stop.value.code


def test_a_variant_without_a_safeguard_is_a_variant_that_breaks() -> None:
    lacking = CRASH.variant("repaired-without-claim")
    assert lacking.declared == "violated (no-orphan)"
    assert lacking.summary.endswith("; but without claim")
    run = simulate(CRASH, "repaired-without-claim")
    assert run.as_declared
    again = simulate(CRASH, tape=parse(str(run.tape)))
    assert list(again.history.lines()) == list(run.history.lines())


def test_it_is_named_as_it_is_spelt() -> None:
    with pytest.raises(BadInput, match=r"did you mean 'repaired-without-claim'\?"):
        CRASH.variant("repaired-without-claims")
    with pytest.raises(BadInput, match="unknown variant"):
        CRASH.variant("broken-without-claim")


def test_what_is_declared_to_break_has_no_safeguards() -> None:
    broken = replace(CRASH.variants["broken"], safeguards=CRASH.variants["repaired"].safeguards)
    with pytest.raises(ScenarioError, match="variant 'broken' has a safeguard, and is declared to break"):
        replace(CRASH, variants={"broken": broken})


def test_what_breaks_is_a_property_that_is_checked() -> None:
    safeguards = {"claim": replace(CRASH.variants["repaired"].safeguards["claim"], breaks="per-key-ordr")}
    with pytest.raises(ScenarioError, match="declares a violation of 'per-key-ordr', which it does not check"):
        replace(CRASH, variants={"repaired": replace(CRASH.variants["repaired"], safeguards=safeguards)})


def test_ablate_names_what_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("check", "crash-before-ack", "--ablate", "--workers", "1", "--json") == 0
    first, second = json.loads(capsys.readouterr().out)["ablations"]
    assert (first["variant"], first["safeguard"], first["property"], first["idle"]) == (
        "repaired", "claim", "no-orphan", False,
    )  # fmt: skip
    assert second["property"] == "single-handler"
    assert call("check", "crash-before-ack", "--ablate", "--workers", "1", "--variant", "repaired") == 0
    out = capsys.readouterr().out
    assert "repaired  claim                    no-orphan" in out
    assert out.splitlines()[-1].startswith("2 safeguards in")


IDLE = """
from dataclasses import replace
from redelivery import Without, find

crash = find("crash-before-ack")
repaired = crash.variants["repaired"]
idle = replace(repaired, safeguards={"luck": Without(repaired.plan, "no-orphan")})
scenario = replace(crash, variants={"repaired": idle})
"""


def test_an_idle_safeguard_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text(IDLE)
    mine = f"{tmp_path / 'mine.py'}:scenario"
    assert call("check", mine, "--ablate", "--workers", "1", "--param", "entries=1", "--json") == 1
    (row,) = json.loads(capsys.readouterr().out)["ablations"]
    assert (row["idle"], row["property"], row["verdict"]) == (True, None, "holds")
    assert call("check", mine, "--ablate", "--workers", "1", "--param", "entries=1") == 1
    assert "nothing: it is idle (declared: violated (no-orphan))" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["crash-before-ack", "--variant", "broken"], "crash-before-ack broken declares no safeguard"),
        (["crash-before-ack", "--variant", "brokn"], "did you mean 'broken'?"),
        (["crash-before-ack", "--param", "entrys=1"], "did you mean 'entries'?"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("check", *arguments, "--ablate", "--workers", "1") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line
