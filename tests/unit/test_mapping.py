"""Safety maps: points are checks, borders are exact to one step, and what cannot be swept is refused in one line."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from redelivery.sim.catalogue import find
from redelivery.sim.check.check import census
from redelivery.sim.check.mapping import Axis, SafetyMap, as_json, label_of, parse_axis, survey
from redelivery.sim.cli import main
from redelivery.sim.errors import BadInput
from redelivery.sim.views.map_picture import paint

SLOW = find("slow-handler-claimed")
ONE = {"entries": "1"}


@pytest.fixture(scope="module")
def surveyed() -> SafetyMap:
    x, y = Axis("min_idle_ms", 2000, 4000), Axis("handler_ms", 2000, 4100)
    return survey(SLOW, "broken", "redis-8.6", x, y, ONE, steps=2)


def test_beside_each_border_a_check_finds_the_one_and_the_other(surveyed: SafetyMap) -> None:
    assert surveyed.names == ["safe", "duplicate"]
    assert surveyed.borders
    for border in surveyed.borders:
        assert border.first == border.last + 1
        assert border.before != border.after
        for value, label in ((border.last, border.before), (border.first, border.after)):
            idle, slow = (value, border.at) if border.along == "x" else (border.at, value)
            given = ONE | {"min_idle_ms": str(idle), "handler_ms": str(slow)}
            assert label_of(census(SLOW, "broken", params=given)) == label


def test_a_handler_is_doubled_where_it_outlasts_min_idle_by_a_look_of_the_claimer(surveyed: SafetyMap) -> None:
    """The claimer looks every 1001 ms: a border lies at most that much above handler = min-idle, never below."""
    for border in surveyed.borders:
        idle, slow = (border.last, border.at) if border.along == "x" else (border.at, border.first)
        assert idle <= slow <= idle + 1001
        assert (border.before, border.after) == (
            ("duplicate", "safe") if border.along == "x" else ("safe", "duplicate")
        )


def test_rows_say_what_holds_from_where_to_where(surveyed: SafetyMap) -> None:
    row = surveyed.row(4100)
    assert [part[0] for part in row] == [surveyed.labels[2000, 4100], surveyed.labels[4000, 4100]][: len(row)]
    assert (row[0][1], row[-1][2]) == (2000, 4000)
    for (_, _, end), (_, begin, _) in pairwise(row):
        assert begin == end + 1


def test_the_picture_has_every_label_and_every_border(surveyed: SafetyMap) -> None:
    page = paint(surveyed)
    (legend,) = page.legends
    assert [text.get_text() for text in legend.get_texts()] == surveyed.names
    (dots,) = [line for line in page.axes[0].lines if line.get_marker() == "o"]
    assert len(dots.get_xdata()) == len(surveyed.borders)  # type: ignore[arg-type]


def test_as_values(surveyed: SafetyMap) -> None:
    value = json.loads(json.dumps(as_json(surveyed)))
    assert value["x"] == {"name": "min_idle_ms", "low": 2000, "high": 4000, "unit": "ms"}
    assert value["labels"] == [[surveyed.labels[x, y] for x in value["xs"]] for y in value["ys"]]
    assert value["checks"] == len(surveyed.labels)
    assert set(value["borders"][0]) == {"along", "at", "last", "first", "before", "after"}


@pytest.mark.parametrize(
    ("broken", "label"),
    [
        ((), "safe"),
        (("single-handler",), "duplicate"),
        (("handled-at-least-once", "no-orphan"), "starved"),
        (("no-entry-lost", "handled-at-least-once"), "lost"),
        (("single-handler", "no-orphan"), "duplicate and starved"),
        (("never-overdrawn",), "never-overdrawn"),
    ],
)
def test_a_point_is_called_by_what_breaks_there(broken: tuple[str, ...], label: str) -> None:
    assert label_of(broken) == label


@pytest.mark.parametrize(
    ("text", "axis"),
    [
        ("min_idle_ms=1s..60s", Axis("min_idle_ms", 1000, 60_000)),
        ("min_idle=500ms..1.5s", Axis("min_idle_ms", 500, 1500)),
        ("min_idle=1min..1h", Axis("min_idle_ms", 60_000, 3_600_000)),
        ("min_idle=1.5s..2500", Axis("min_idle_ms", 1500, 2500)),
        ("entries=1..9", Axis("entries", 1, 9)),
    ],
)
def test_an_axis_takes_times_with_units_and_numbers(text: str, axis: Axis) -> None:
    assert parse_axis(text, "--x", SLOW) == axis


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("min_idel_ms=1s..2s", "of 'slow-handler-claimed' 'min_idel_ms'; did you mean 'min_idle_ms'?"),
        ("min_idle_ms", "--x 'min_idle_ms' is not of the form NAME=LOW..HIGH"),
        ("min_idle_ms=2s..1s", "2000 is not below 1000"),
        ("min_idle_ms=1s..9x", "'9x' is no value for min_idle_ms; it takes a time such as 500ms"),
        ("entries=1s..9s", "'1s' is no value for entries; it takes a whole number"),
        ("min_idle_ms=0.5ms..9s", "'0.5ms' is no whole number of milliseconds"),
    ],
)
def test_what_cannot_be_swept_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_axis(text, "--x", SLOW)
    assert message in str(refused.value)


def test_the_grid_has_both_ends_and_round_numbers_between_them() -> None:
    assert Axis("n", 0, 10).grid(6) == (0, 2, 4, 6, 8, 10)
    assert Axis("n", 1, 3).grid(7) == (1, 2, 3)
    assert Axis("n_ms", 1000, 60_000).grid(7) == (1000, *range(10_000, 60_001, 10_000))
    assert Axis("n_ms", 1000, 60_000).grid(2) == (1000, 60_000)
    for steps in range(2, 40):
        assert 2 <= len(Axis("n", 7, 731).grid(steps)) <= steps


def call(*arguments: str) -> object:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    return stop.value.code


def test_the_verb_draws_and_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "map.svg"
    asked = ("map", "dollar-race-first-start", "--variant", "broken", "--x", "start=0..2", "--y", "entries=1..2")
    assert call(*asked, "--steps", "2", "-o", str(target), "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["labels"] == [["starved", "starved"], ["starved", "starved"]]
    assert said["picture"] == str(target)
    assert target.read_text().startswith("<?xml")
    assert call(*asked, "--steps", "2") == 0
    assert "entries          2:  start_ms starved 0 ms to 2 ms" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--x", "start=0..2", "--y", "start_ms=0..3"), "--x and --y both sweep start_ms"),
        (("--x", "start=0..2", "--y", "entries=1..2", "--param", "entries=3"), "entries is swept already"),
        (("--x", "start=0..2", "--y", "entries=1..2", "-o", "map.txt"), "its ending must be one of .png, .svg, .pdf"),
        (("--x", "start=0..2", "--y", "entries=0..2"), "at start_ms=0, entries=0: process 'shop': turns is 0"),
        (("--x", "start=0..2"), "Missing option '--y'"),
    ],
)
def test_bad_input_is_told_in_one_line(
    more: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("map", "dollar-race-first-start", *more) == 2
    said = capsys.readouterr().err.strip()
    assert message in said
    assert "Traceback" not in said
