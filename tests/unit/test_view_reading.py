"""What a history is read into: pauses, scans, servers, what is pending, and entries that fared alike."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from redelivery import Run, find, read_history, simulate, svg
from redelivery.sim.errors import BadInput
from redelivery.sim.history import History
from redelivery.sim.views.axis import BREAKS_MAX
from redelivery.sim.views.layout import choose, layout
from redelivery.sim.views.ordinal import timeless
from redelivery.sim.views.palette import DARK, LIGHT, PAPER
from redelivery.sim.views.picture import Sign
from redelivery.sim.views.reading import read
from redelivery.sim.views.timeline import figure, text

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def starving() -> Run:
    return simulate(find("autoclaim-cursor-starvation"), "broken")


def test_every_scan_stops_before_the_orphan_that_it_starves(starving: Run) -> None:
    reading = read(starving.history)
    (block,) = reading.blocks
    orphan = next(row for row in block.rows if row.outcome == "pending, its owner is gone")
    assert len(reading.scans) > 5
    assert all(scan.until is not None and scan.until <= orphan.id for scan in reading.scans)
    assert {scan.process for scan in reading.scans} == {"worker"}
    assert layout(starving.history).scans, "and the picture shows some of them"


def test_a_scan_that_comes_to_the_end_is_not_worth_a_line() -> None:
    run = simulate(find("slow-handler-claimed"), "broken")
    assert read(run.history).scans
    assert not layout(run.history).scans


def test_entries_that_fared_alike_share_a_row_and_all_are_counted(starving: Run) -> None:
    reading = read(starving.history)
    picture = choose(reading)
    together = picture.blocks[0].rows[0]
    assert together.names == tuple(str(n) for n in range(1, 11))
    assert together.fields == "10 alike"
    assert sum(len(row.names) for row in picture.blocks[0].rows) == reading.entries == 13
    assert together.last_id < picture.blocks[0].rows[1].id


def test_the_levels_are_those_that_the_rows_add_up_to(starving: Run) -> None:
    levels = read(starving.history).blocks[0].levels
    assert levels.pending[0] == (0, 12), "ten leases, the orphan, and the first order"
    assert levels.pending[-1][1] == 11, "what is pending at the end is not taken for settled"
    assert levels.most == 12


def test_what_nobody_reads_is_lag() -> None:
    levels = read(simulate(find("last-id-zero-after-restart"), "broken").history).blocks[0].levels
    assert [number for _, number in levels.lag] == [1, 2, 3]
    assert levels.pending == ()


def test_a_pause_lasts_until_the_process_goes_on() -> None:
    reading = read(simulate(find("zombie-renewal-steals-back"), "broken").history)
    lane = next(lane for lane in reading.lanes if lane.pauses)
    ((begin_ms, end_ms),) = lane.pauses
    assert (lane.name, end_ms - begin_ms) == ("worker-a", 1800)


def test_a_failover_ends_one_server_and_another_answers_from_then_on() -> None:
    reading = read(simulate(find("failover-loses-ack"), "broken").history)
    first, second = reading.servers
    assert (first.name, second.name) == ("server", "replica")
    assert first.end_ms == second.begin_ms
    assert second.end_ms is None
    for command in reading.commands:
        assert command.server == (1 if command.at_ms > second.begin_ms else 0)


def test_what_broke_stands_at_the_top_with_the_numbers_of_entries(starving: Run) -> None:
    broke = layout(starving.history).broke
    assert broke.startswith("Entry 11 of orders is pending for dead")
    assert broke in {text.get_text() for text in figure(starving.history).axes[0].texts}
    assert not layout(simulate(find("crash-before-ack"), "repaired").history).broke


def test_more_breaks_than_can_be_read_are_not_made() -> None:
    for name in ("block-vs-socket-timeout", "nogroup-after-flush", "explicit-id-skew"):
        assert len(layout(simulate(find(name), "broken").history).axis.breaks) <= BREAKS_MAX


def test_dark_is_dark_all_over_and_as_stable_as_light(starving: Run) -> None:
    light, dark = svg(starving.history), svg(starving.history, theme="dark")
    assert dark == svg(starving.history, theme="dark")
    assert DARK.paper.lower() in dark
    known = {colour.lower() for colour in LIGHT.becomes} | {colour.lower() for colour in DARK.becomes}
    left = known.intersection(re.findall(r"#[0-9a-f]{6}", dark))
    assert left <= {colour.lower() for colour in DARK.becomes.values()}, "no colour of the light theme is left"
    assert PAPER.lower() in light
    with pytest.raises(BadInput, match=r"theme 'drak'"):
        svg(starving.history, theme="drak")


def test_a_history_that_stops_early_is_told_from_one_that_came_to_its_end(starving: Run) -> None:
    assert read(starving.history).whole
    cut = History(starving.history.header, starving.history.events[:40])
    assert not read(cut).whole
    assert "stops at" in " ".join(layout(cut).verdict)


def test_the_readmes_picture_is_what_the_command_under_it_draws() -> None:
    kept = (ROOT / "notebooks" / "crash-before-ack.svg").read_text(encoding="utf-8")
    drawn = svg(simulate(find("crash-before-ack"), "repaired").history)
    # The shapes of letters depend on the version of matplotlib; the words and where they stand do not.
    assert re.findall("<!-- (.*?) -->", kept) == re.findall("<!-- (.*?) -->", drawn)


def test_a_file_that_stops_in_the_middle_of_a_line_is_taken_up_to_there(starving: Run, tmp_path: Path) -> None:
    starving.history.write(tmp_path / "whole.jsonl")
    data = (tmp_path / "whole.jsonl").read_bytes()
    (tmp_path / "cut.jsonl").write_bytes(data[: len(data) // 2])
    with pytest.raises(BadInput, match=r"cut.jsonl, line \d+: not JSON"):
        read_history(tmp_path / "cut.jsonl")
    cut = read_history(tmp_path / "cut.jsonl", partial=True)
    assert 20 < len(cut) < len(starving.history)
    assert cut.events == starving.history.events[: len(cut)]
    (tmp_path / "head.jsonl").write_bytes(data[:50])
    with pytest.raises(BadInput, match=r"head.jsonl, line 1: not JSON"):
        read_history(tmp_path / "head.jsonl", partial=True)


def test_the_text_form_has_a_line_for_each_process_and_each_entry() -> None:
    lines = text(simulate(find("reply-lost-claim"), "broken").history)
    assert lines[3].startswith("old-worker |1X...")
    assert "L2---" in lines[4]
    assert next(line for line in lines if line.startswith("1  order=1")).endswith("|  still pending, new-worker")
    meanings = next(line for line in lines if line.startswith("X crash"))
    assert "L lost on its way" in meanings
    assert "timeout" not in meanings, "only letters that are used are explained"
    assert any("new-worker claims entry 1" in line for line in lines), "and the story follows"
    assert all(len(line) <= 100 for line in lines[3:12])


def test_a_pause_and_a_break_are_seen_in_the_text_too() -> None:
    paused = text(simulate(find("zombie-renewal-steals-back"), "broken").history)
    assert any(line.lstrip().startswith("worker-a |1###P==") for line in paused)
    broken = text(simulate(find("slow-handler-claimed"), "broken").history)
    assert any("~" in line and "+" in line for line in broken)


def test_where_no_time_passes_the_steps_are_counted() -> None:
    run = simulate(find("group-world"), "broken")
    assert {event.at_ms for event in run.history} <= {0, 1}
    picture = layout(run.history)
    assert picture.axis.unit == "steps"
    assert picture.axis.end_ms > 30
    (line,) = [line for line in picture.lines if line.kind == "violated"]
    acked = next(mark for row in picture.blocks[0].rows for mark in row.marks if mark.sign is Sign.ACKED)
    assert line.at_ms == acked.at_ms, "it breaks where the entry is acknowledged"
    assert "broke at 0 ms (event 15)" in " ".join(picture.verdict), "the words keep the time that it was"
    assert not timeless(simulate(find("crash-before-ack"), "broken").history)


def test_what_broke_after_the_end_of_a_cut_history_has_no_place_in_it() -> None:
    whole = simulate(find("crash-before-ack"), "broken").history
    cut = History(whole.header, whole.events[:40])
    assert [line.text for line in layout(whole).lines if line.kind == "violated"] == ["✗ no-orphan broken"]
    assert [line for line in layout(cut).lines if line.kind == "violated"] == []
    assert any(line.startswith("This history stops at 1.5 s, after 40 events") for line in text(cut))
    assert not any("This history stops" in line for line in text(whole))


def test_a_replica_that_is_cut_off_is_no_clock_that_was_set() -> None:
    history = simulate(find("failover-loses-xadd"), "cut-off").history
    told = {label.get_text() for label in figure(history).axes[0].texts}
    assert {"⚡", "replica cut off 80 ms"} <= told
    assert not any(label.startswith("clock") for label in told)


def test_only_a_violation_about_handling_says_that_an_entry_was_not_handled() -> None:
    rows = layout(simulate(find("event-sourcing"), "broken").history).blocks[0].rows
    assert {row.outcome for row in rows} == {"acknowledged", "acknowledged, then trimmed"}
    assert not any(row.trouble for row in rows), "projections differ; nobody had to handle anything"
    row = layout(simulate(find("error-is-acked"), "broken").history).blocks[0].rows[2]
    assert (row.outcome, row.trouble) == ("acknowledged, not handled", True)
