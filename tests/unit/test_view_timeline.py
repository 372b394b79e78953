"""Timelines and stories: what they show, byte-stable, and refused in one line where they cannot be written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from redelivery import Run, draw, find, simulate, svg, tell
from redelivery.sim.catalogue import shipped
from redelivery.sim.errors import BadInput
from redelivery.sim.history import History
from redelivery.sim.views.layout import layout
from redelivery.sim.views.picture import Row, Segment, Sign, State
from redelivery.sim.views.timeline import figure

VARIANTS = [(scenario.name, variant) for scenario in shipped() for variant in scenario.variants]


@pytest.fixture(scope="module")
def broken() -> Run:
    return simulate(find("crash-before-ack"), "broken")


@pytest.fixture(scope="module")
def repaired() -> Run:
    return simulate(find("crash-before-ack"), "repaired")


def row_of(history: History, state: State) -> Row:
    (row,) = [
        row for block in layout(history).blocks for row in block.rows if any(s.state is state for s in row.segments)
    ]
    return row


def test_the_orphan_stays_pending_for_its_dead_owner_to_the_end(broken: Run) -> None:
    row = row_of(broken.history, State.ORPHANED)
    last = row.segments[-1]
    assert last.state is State.ORPHANED
    assert last.end_ms == broken.sim_ms
    assert row.trouble
    assert f"pending for {last.owner}" in broken.violations[0].message


def test_the_claim_stands_where_the_idle_clock_crosses_min_idle(repaired: Run) -> None:
    picture = layout(repaired.history)
    (claim,) = picture.claims
    row = row_of(repaired.history, State.ORPHANED)
    assert claim.entries == (row.entry,)
    (first, second) = row.idle
    assert first[-1][0] == claim.at_ms
    assert first[-1][1] >= picture.blocks[0].min_idle_ms[0] == 5000
    assert second[0] == (claim.at_ms, 0), "the claim sets the idle clock back"
    assert not row.trouble


def test_ownership_goes_from_the_dead_worker_to_the_living_one(repaired: Run) -> None:
    row = row_of(repaired.history, State.ORPHANED)
    owners = [segment.process for segment in row.segments if isinstance(segment, Segment) and segment.process]
    assert owners[0] != owners[-1]
    signs = [mark.sign for mark in row.marks]
    assert signs.index(Sign.DELIVERED) < signs.index(Sign.CLAIMED) < signs.index(Sign.ACKED)


def test_the_picture_carries_its_verdict_and_its_replay_command(broken: Run) -> None:
    picture = layout(broken.history)
    assert picture.replay == f"redelivery replay {broken.tape}"
    assert picture.badge == "VIOLATED: no-orphan"
    assert any("no-orphan broke at" in line for line in picture.verdict)


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_every_shipped_run_can_be_drawn_and_nothing_leaves_the_page(name: str, variant: str) -> None:
    page = figure(simulate(find(name), variant).history)
    width, height = page.get_size_inches()
    for text in page.axes[0].texts:
        x, y = text.get_position()
        assert -0.01 <= x <= width + 0.01, text.get_text()
        assert 0 <= y <= height, text.get_text()


def test_the_same_history_gives_the_same_bytes(repaired: Run, tmp_path: Path) -> None:
    for ending in ("svg", "png", "pdf", "txt"):
        first, second = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
        draw(repaired.history, first)
        draw(repaired.history, second)
        assert first.read_bytes() == second.read_bytes()
        assert first.stat().st_size > 500


def test_an_svg_names_no_date_and_is_under_a_megabyte(repaired: Run) -> None:
    text = svg(repaired.history)
    assert text.startswith("<?xml")
    assert "dc:date" not in text
    assert len(text) < 1_000_000


def test_an_empty_history_is_an_empty_picture(tmp_path: Path) -> None:
    draw(History({"redelivery": "history"}), tmp_path / "empty.svg")
    assert (tmp_path / "empty.svg").stat().st_size > 500


@pytest.mark.parametrize("name", ["x.gif", "x", "x.jsonl"])
def test_an_unknown_ending_is_named_with_the_known_ones(name: str, repaired: Run, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"its ending must be one of \.svg, \.png, \.pdf, \.txt"):
        draw(repaired.history, tmp_path / name)


def test_a_folder_that_there_is_not_is_one_clear_line(repaired: Run, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot write the timeline"):
        draw(repaired.history, tmp_path / "no" / "x.svg")


def test_the_story_of_a_lost_order_is_told_in_words(broken: Run) -> None:
    story = [re.sub(r"^ *\d+\. +\S+ \w+  ", "", line) for line in tell(broken.history)]
    assert story[3:9] == [
        "shop adds entry 1 to orders (order=1)",
        "worker-b is given entry 1 and begins to handle it",
        "worker-b has handled entry 1",
        "worker-b crashes; entry 1 stays pending for worker-b",
        "shop adds entry 2 to orders (order=2)",
        "worker-a is given entry 2 and begins to handle it",
    ]
    assert not any("acknowledges entry 1" in line for line in story)
    assert story[-1] == f"redelivery replay {broken.tape}"
