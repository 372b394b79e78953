"""A run in the Trace Event Format, which Perfetto and Chrome's own viewer open.

One process of the trace for each process of the run, with a thread for what it handles and one for its requests; one
for the servers; one for each group, with a thread for each entry and counters of what is pending and waits. Arrows go
from a request to its effect and from there to the reply. Slices of one thread nest, as the format demands: what would
overlap gets a thread of its own. Times are microseconds of true time; events of one millisecond keep their order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from .. import events as e
from ..history import History
from ..views import words
from ..views.picture import Block, Lane, Row
from ..views.reading import Reading, read
from .calls import REPLIED, calls
from .moments import moments_us

SERVERS, GROUPS = 1000, 2000
"""The numbers of the servers' process and of the first group's; processes of the run count from 1."""
REQUESTS = 100
"""The thread of a process's requests; the next ones are for what overlaps."""
_FAULTS = (
    e.Crashed, e.Lost, e.Paused, e.Disconnected, e.Cancelled, e.HandleFailed, e.Slowed, e.Delayed, e.ClockJumped,
    e.ServerLost, e.Unanswered,
)  # fmt: skip

Record = dict[str, Any]


def trace_events(history: History) -> str:
    """The whole file; the same history gives the same bytes."""
    reading = read(history)
    pids = {lane.name: n for n, lane in enumerate(reading.lanes, 1)}
    records = [
        *_names(reading, pids),
        *_handlers(reading.lanes, pids),
        *_commands(history, pids),
        *_faults(history, pids),
        *_violations(reading),
    ]
    for n, block in enumerate(reading.blocks):
        records += [*_entries(block, GROUPS + n), *_counters(block, GROUPS + n)]
    header = reading.header
    names = ("scenario", "variant", "dialect", "seed", "tape", "verdict")
    about: Record = {key: header[key] for key in names if key in header}
    lines = ",\n".join(_line(record) for record in records)
    return f'{{"displayTimeUnit":"ms","otherData":{_line(about)},"traceEvents":[\n{lines}\n]}}\n'


def _line(value: Record) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _name(pid: int, name: str, tid: int | None = None) -> Iterator[Record]:
    what = "process" if tid is None else "thread"
    where = {"pid": pid} if tid is None else {"pid": pid, "tid": tid}
    yield {"ph": "M", "name": f"{what}_name", **where, "args": {"name": name}}
    order = pid if tid is None else tid
    yield {"ph": "M", "name": f"{what}_sort_index", **where, "args": {"sort_index": order}}


def _names(reading: Reading, pids: dict[str, int]) -> Iterator[Record]:
    for lane in reading.lanes:
        yield from _name(pids[lane.name], lane.name)
        for level in range(lane.levels):
            yield from _name(pids[lane.name], "handles" if level == 0 else f"handles, {level + 1}", level + 1)
    yield from _name(SERVERS, "servers")
    for n, server in enumerate(reading.servers, 1):
        yield from _name(SERVERS, server.name, n)
    for n, block in enumerate(reading.blocks):
        groups = f" in {words.listed(block.groups)}" if block.groups else ", which no group reads"
        yield from _name(GROUPS + n, f"entries of {block.stream}{groups}")
        for tid, row in enumerate(block.rows, 1):
            yield from _name(GROUPS + n, f"{row.entry} {row.fields}".strip(), tid)


def _slice(pid: int, tid: int, name: str, begin_us: int, end_us: int, kind: str, **args: Any) -> Record:
    return {
        "ph": "X", "name": name, "cat": kind, "pid": pid, "tid": tid, "ts": begin_us, "dur": max(end_us - begin_us, 0),
        "args": args,
    }  # fmt: skip


def _instant(pid: int, tid: int, name: str, at_us: int, kind: str, scope: str = "t", **args: Any) -> Record:
    return {
        "ph": "i", "s": scope, "name": name, "cat": kind, "pid": pid, "tid": tid, "ts": at_us, "args": args,
    }  # fmt: skip


def _handlers(lanes: Iterable[Lane], pids: dict[str, int]) -> Iterator[Record]:
    for lane in lanes:
        for work in lane.works:
            yield _slice(
                pids[lane.name], work.level + 1, f"entry {work.entry}", work.begin_ms * 1000, work.end_ms * 1000,
                "handler", cut=work.cut,
            )  # fmt: skip


def _commands(history: History, pids: dict[str, int]) -> Iterator[Record]:
    """Requests as slices from where they left to where the reply came, effects as slices of a microsecond."""
    free: dict[int, list[int]] = {}
    for call in calls(history):
        about = {"command": call.line, "call": call.number}
        if call.effect_us is not None:
            yield _slice(
                SERVERS, call.server, call.name, call.effect_us, call.effect_us + 1, "effect", by=call.process, **about
            )  # fmt: skip
        if call.process not in pids:
            continue
        pid, end_us = pids[call.process], max(call.end_us, call.begin_us + 1)
        levels = free.setdefault(pid, [])
        level = next((n for n, until_us in enumerate(levels) if until_us <= call.begin_us), len(levels))
        if level == len(levels):
            levels.append(0)
            yield from _name(pid, "requests" if level == 0 else f"requests, {level + 1}", REQUESTS + level)
        levels[level] = end_us
        tid = REQUESTS + level
        yield _slice(pid, tid, call.name, call.begin_us, end_us, "request", end=call.end, **about)
        if call.effect_us is not None:
            there = (SERVERS, call.server, call.effect_us)
            yield from _arrow("request", 2 * call.number, (pid, tid, call.begin_us), there)
            if call.end == REPLIED:
                yield from _arrow("reply", 2 * call.number + 1, there, (pid, tid, end_us - 1))


def _arrow(name: str, number: int, start: tuple[int, int, int], end: tuple[int, int, int]) -> Iterator[Record]:
    """A flow event from one slice to another; ``number`` tells it from the others: of text Perfetto makes no arrow."""
    for phase, (pid, tid, at_us) in (("s", start), ("f", end)):
        record: Record = {
            "ph": phase, "name": name, "cat": "way", "id": number, "pid": pid, "tid": tid, "ts": at_us,
        }  # fmt: skip
        yield record | ({"bp": "e"} if phase == "f" else {})


def _faults(history: History, pids: dict[str, int]) -> Iterator[Record]:
    for at_us, event in zip(moments_us(history), history, strict=True):
        if isinstance(event, _FAULTS):
            process = getattr(event, "process", "")
            pid, scope = (pids[process], "p") if process in pids else (SERVERS, "p")
            said = {name: item for name, item in event._asdict().items() if isinstance(item, int | str)}
            yield _instant(pid, 1, type(event).__name__, at_us, "fault", scope, **said)


def _violations(reading: Reading) -> Iterator[Record]:
    for item in words.violations(reading.header):
        if isinstance(item.get("at_ms"), int):
            name, message = f"{item.get('property')} broken", str(item.get("message"))
            yield _instant(SERVERS, 1, name, item["at_ms"] * 1000, "violation", "g", message=message)


def _entries(block: Block, pid: int) -> Iterator[Record]:
    for tid, row in enumerate(block.rows, 1):
        for segment in row.segments:
            name = f"{segment.state}: {segment.owner}" if segment.owner else str(segment.state)
            yield _slice(pid, tid, name, segment.begin_ms * 1000, segment.end_ms * 1000, "entry")
        yield from _marks(row, pid, tid)


def _marks(row: Row, pid: int, tid: int) -> Iterator[Record]:
    for mark in row.marks:
        yield _instant(pid, tid, f"{mark.sign} {mark.text}".strip(), mark.at_ms * 1000, "entry")


def _counters(block: Block, pid: int) -> Iterator[Record]:
    for name, values in (("pending", block.levels.pending), ("lag", block.levels.lag)):
        for at_ms, number in values:
            # Perfetto calls a counter by both names: "entries pending".
            yield {"ph": "C", "name": "entries", "pid": pid, "tid": 0, "ts": at_ms * 1000, "args": {name: number}}
