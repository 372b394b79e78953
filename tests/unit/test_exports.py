"""Exports: each is what its format says, tells what happened, and is the same twice."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from redelivery import Run, find, simulate
from redelivery.sim.errors import BadInput
from redelivery.sim.exports.calls import LOST, REPLIED, calls
from redelivery.sim.exports.files import ALL_FORMS, export, form_of, write
from redelivery.sim.exports.moments import moments_us
from redelivery.sim.history import History

NAMES = (
    "reply-lost-claim", "failover-loses-ack", "zombie-renewal-steals-back", "self-reclaim", "ack-lost-then-claimed",
)  # fmt: skip


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    return {name: simulate(find(name), "broken") for name in NAMES}


def trace_of(run: Run) -> list[dict[str, Any]]:
    value = json.loads(export(run.history, "trace"))
    assert set(value) == {"displayTimeUnit", "otherData", "traceEvents"}
    records: list[dict[str, Any]] = value["traceEvents"]
    return records


@pytest.mark.parametrize("name", NAMES)
def test_a_trace_keeps_the_rules_of_the_trace_event_format(name: str, runs: dict[str, Run]) -> None:
    named: set[tuple[int, int | None]] = set()
    slices: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    flows: dict[str, list[tuple[str, int, int, int]]] = defaultdict(list)
    records = trace_of(runs[name])
    for record in records:
        assert record["ph"] in "MXisfC", "no phase that the viewer would pass over"
        if record["ph"] == "M":
            named.add((record["pid"], record.get("tid")))
            continue
        assert isinstance(record["ts"], int)
        assert record["ts"] >= 0
        if record["ph"] == "X":
            assert record["dur"] >= 0
            slices[record["pid"], record["tid"]].append((record["ts"], record["ts"] + record["dur"]))
        elif record["ph"] in "sf":
            flows[record["id"]].append((record["ph"], record["pid"], record["tid"], record["ts"]))
            assert record["ph"] == "s" or record["bp"] == "e"
        elif record["ph"] == "i":
            assert record["s"] in ("t", "p", "g")
        else:
            assert all(isinstance(value, int) for value in record["args"].values())
    for place, spans in slices.items():
        assert {place, (place[0], None)} <= named, "every thread has a name"
        open_until: list[int] = []
        for begin, end in sorted(spans, key=lambda span: (span[0], -span[1])):
            while open_until and open_until[-1] <= begin:
                open_until.pop()
            assert not open_until or end <= open_until[-1], "slices of a thread nest"
            open_until.append(end)
    assert flows
    for both in flows.values():
        (start, *where_from), (finish, *where_to) = both
        assert (start, finish) == ("s", "f")
        assert where_from[2] <= where_to[2] + 1
        for pid, tid, at_us in (where_from, where_to):
            assert any(begin <= at_us <= end for begin, end in slices[pid, tid]), "an arrow is bound to a slice"


def test_a_trace_tells_the_loss_the_violation_and_what_is_pending(runs: dict[str, Run]) -> None:
    records = trace_of(runs["reply-lost-claim"])
    assert any(r["ph"] == "i" and r["name"] == "Lost" and r["args"]["what"] == "reply" for r in records)
    assert any(r["ph"] == "i" and r["s"] == "g" and r["name"] == "handled-at-least-once broken" for r in records)
    pending = [r["args"]["pending"] for r in records if r["ph"] == "C" and "pending" in r["args"]]
    assert pending == [2, 1]
    lost = [r for r in records if r["ph"] == "X" and r["cat"] == "request" and r["args"]["end"] == "lost"]
    assert [r["name"] for r in lost] == ["XAUTOCLAIM"]


def test_after_a_failover_effects_are_the_replicas(runs: dict[str, Run]) -> None:
    servers = {call.server for call in calls(runs["failover-loses-ack"].history)}
    assert servers == {1, 2}


def test_a_request_that_never_arrived_has_no_effect(runs: dict[str, Run]) -> None:
    (lost,) = [call for call in calls(runs["ack-lost-then-claimed"].history) if call.effect_us is None]
    assert (lost.name, lost.end) == ("XACK", LOST)
    assert any(call.end == REPLIED for call in calls(runs["ack-lost-then-claimed"].history))


def test_events_of_one_millisecond_keep_their_order(runs: dict[str, Run]) -> None:
    times = moments_us(runs["self-reclaim"].history)
    assert times == sorted(times)
    assert len(set(times)) == len(times)
    assert [us // 1000 for us in times] == [event.at_ms for event in runs["self-reclaim"].history]


def test_spans_make_a_tree_for_each_entry(runs: dict[str, Run]) -> None:
    value = json.loads(export(runs["reply-lost-claim"].history, "spans"))
    spans = [span for each in value["resourceSpans"] for scope in each["scopeSpans"] for span in scope["spans"]]
    assert len({span["spanId"] for span in spans}) == len(spans)
    assert all(len(span["traceId"]) == 32 and len(span["spanId"]) == 16 for span in spans)
    assert all(int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]) for span in spans)
    roots = {span["spanId"]: span for span in spans if not span["parentSpanId"]}
    assert sorted(span["name"] for span in roots.values()) == ["orders 1", "orders 2"]
    assert {span["status"]["code"] for span in roots.values()} == {1, 2}, "one of them is in trouble"
    for span in spans:
        if span["parentSpanId"]:
            assert roots[span["parentSpanId"]]["traceId"] == span["traceId"]
    handlers = [span for span in spans if span["name"] == "process"]
    assert len(handlers) == 2, "the crash cut one, the other went to its end"
    services = {
        attribute["value"]["stringValue"]
        for each in value["resourceSpans"] for attribute in each["resource"]["attributes"]
        if attribute["key"] == "service.name"
    }  # fmt: skip
    assert services == {"orders", "old-worker", "new-worker"}


def test_a_table_has_a_row_for_each_event_and_nothing_is_lost(runs: dict[str, Run]) -> None:
    history = runs["reply-lost-claim"].history
    rows = list(csv.DictReader(io.StringIO(export(history, "csv"))))
    assert [row["kind"] for row in rows] == [type(event).__name__ for event in history]
    lost = next(row for row in rows if row["kind"] == "Lost")
    assert json.loads(lost["more"]) == {"what": "reply"}
    claim = next(row for row in rows if row["command"].startswith("XAUTOCLAIM"))
    assert [fact["fact"] for fact in json.loads(claim["facts"])] == ["ConsumerCreated", "Claimed"]


def test_parquet_has_the_same_rows(runs: dict[str, Run], tmp_path: Path) -> None:
    history = runs["reply-lost-claim"].history
    write(history, tmp_path / "x.parquet", form_of(tmp_path / "x.parquet", None))
    read = pq.read_table(tmp_path / "x.parquet")
    kinds = [str(field.type) for field in read.schema]
    assert kinds == ["int64", "int64", "string", "string", "int64", *4 * ["string"]]
    text = [{name: "" if value is None else str(value) for name, value in row.items()} for row in read.to_pylist()]
    assert text == list(csv.DictReader(io.StringIO(export(history, "csv"))))


def test_without_pyarrow_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BadInput, match=r"Parquet needs pyarrow: pip install 'redelivery\[parquet\]'"):
        write(History(), tmp_path / "x.parquet", "parquet")


@pytest.mark.parametrize("form", ALL_FORMS)
def test_two_runs_of_an_export_are_the_same_bytes(form: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(simulate(find("reply-lost-claim"), "broken").history, tmp_path / name, form)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert write(History(), tmp_path / "a", form), "an empty history has an export too"


def test_the_ending_means_a_form_and_what_it_cannot_mean_is_one_line(tmp_path: Path) -> None:
    assert form_of(Path("x.json"), None) == "trace"
    assert form_of(Path("x.JSON"), "spans") == "spans"
    assert form_of(Path("x.csv"), None) == "csv"
    with pytest.raises(BadInput, match=r"its ending is none of \.json \(trace\)"):
        form_of(Path("x.xml"), None)
    with pytest.raises(BadInput, match="cannot write to"):
        write(History(), tmp_path / "no" / "x.csv", "csv")
