"""A compiled model is there on request only, and what is missing for it is said in one line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from redelivery.sim import compiling
from redelivery.sim.compiling import Wheel, extensions
from setuptools import Distribution

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("variable", "commands", "asks"),
    [
        (None, ["bdist_wheel"], False),
        ("", ["bdist_wheel"], False),
        ("0", ["bdist_wheel"], False),
        ("1", ["bdist_wheel"], True),
        ("1", ["dist_info"], False),
        ("1", ["editable_wheel"], False),
    ],
)
def test_only_a_wheel_that_was_asked_for_is_compiled(
    variable: str | None, commands: list[str], asks: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    asked: list[Path] = []

    def note(root: Path) -> list[Any]:
        asked.append(root)
        return []

    monkeypatch.setattr(compiling, "extensions", note)
    if variable is None:
        monkeypatch.delenv(compiling.VARIABLE, raising=False)
    else:
        monkeypatch.setenv(compiling.VARIABLE, variable)
    distribution = Distribution({"name": "anything", "version": "1"})
    distribution.commands = commands
    Wheel(distribution).ensure_finalized()
    assert asked == [tmp_path] * asks


def test_what_is_missing_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -O2")
    with pytest.raises(SystemExit, match=r"^REDELIVERY_COMPILE is set, but .* 'no-such-compiler' .* without .*$"):
        extensions(ROOT)
    monkeypatch.setitem(sys.modules, "mypyc.build", None)
    with pytest.raises(SystemExit, match=r"^REDELIVERY_COMPILE is set, but there is no mypyc here: pip install .*$"):
        extensions(ROOT)
