"""Two runs side by side: aligned on causal order, parted where the first thing that means anything differs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from redelivery import find, simulate
from redelivery.sim.errors import BadInput
from redelivery.sim.history import History
from redelivery.sim.views.contrast import Contrast, contrast, told
from redelivery.sim.views.pair import draw_pair


@dataclass
class Two:
    """The broken and the repaired run of a scenario."""

    first: History
    second: History

    @classmethod
    def of(cls, name: str) -> Two:
        return cls(simulate(find(name), "broken").history, simulate(find(name), "repaired").history)

    def contrast(self) -> Contrast:
        return contrast(self.first, self.second)


def test_a_run_is_no_other_than_itself_nor_than_the_same_in_another_dialect() -> None:
    run = simulate(find("slow-handler-claimed"), "broken")
    found = contrast(run.history, run.history)
    assert (found.parting, found.outcomes) == (None, ())
    older = simulate(find("slow-handler-claimed"), "broken", dialect="redis-6.2")
    found = contrast(run.history, older.history)
    assert found.parting is None
    assert told(found)[0] == "A  dialect redis-8.6: VIOLATED: single-handler"
    assert told(found)[-1].startswith("No difference that means anything: the same 19 moves")


def test_a_fix_shows_as_the_claim_that_only_the_second_run_makes() -> None:
    found = Two.of("autoclaim-cursor-starvation").contrast()
    assert found.parting is not None
    assert (found.parting.who, found.parting.first) == ("worker", None)
    assert found.parting.second is not None
    assert found.parting.second.answer == "hands over entry 11"
    assert found.outcomes == (("entry 11", "pending, its owner is gone, dead", "acknowledged, worker"),)
    assert "  in A  it does nothing more" in told(found)
    assert any(line.startswith("  >") and "hands over entry 11" in line for line in told(found))


def test_what_only_the_second_run_does_counts_when_it_is_earlier() -> None:
    found = Two.of("slow-handler-claimed").contrast()
    assert found.parting is not None
    assert found.parting.second is not None
    assert found.parting.second.what.startswith("XCLAIM orders workers slow"), "the first renewal of the lease"
    assert found.parting.second.at_ms == 3333


def test_workers_that_change_places_are_no_difference() -> None:
    found = Two.of("crash-before-ack").contrast()
    assert dict(found.renamed) == {"worker-a": "worker-b", "worker-b": "worker-a"}
    assert found.same == 4
    assert found.parting is not None
    assert found.parting.first is not None
    assert found.parting.second is not None
    assert (found.parting.first.what, found.parting.first.at_ms) == ("crashes", 300)
    assert found.parting.second.answer == "settles entry 1"


def test_a_history_that_stops_parts_where_the_other_goes_on() -> None:
    two = Two.of("reply-lost-claim")
    cut = History(two.first.header, two.first.events[:10])
    found = contrast(cut, two.first)
    assert found.parting is not None
    assert found.parting.first is None
    assert contrast(History(), History()).parting is None


def test_the_picture_has_both_runs_and_the_line_in_each(tmp_path: Path) -> None:
    two = Two.of("reply-lost-claim")
    for name in ("a.svg", "b.svg"):
        draw_pair(two.first, two.second, two.contrast(), tmp_path / name)
    drawn = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert drawn == (tmp_path / "b.svg").read_text(encoding="utf-8")
    comments = re.findall("<!-- (.*?) -->", drawn)
    assert comments.count("◆ here the runs part") == 1
    assert comments.count("◆ here only the other run does something") == 1
    assert "A   reply-lost-claim, broken" in comments
    assert "B   reply-lost-claim, repaired" in comments
    assert len(drawn) < 1_000_000
    with pytest.raises(BadInput, match="its ending must be one of"):
        draw_pair(two.first, two.second, two.contrast(), tmp_path / "x.txt")
    with pytest.raises(BadInput, match="cannot write the picture"):
        draw_pair(two.first, two.second, two.contrast(), tmp_path / "no" / "x.svg")
