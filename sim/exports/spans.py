"""A run as OpenTelemetry spans in the JSON form of OTLP, which collectors and trace viewers take.

Each entry is a trace: the span of its life in a group (from when it was added to what became of it), below it a span
for each stretch in which somebody had it pending, and one for each handler. Names of attributes are those of the
semantic conventions for messaging. Identifiers come from the run's tape and the entry, so they are the same each time.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from ...models import ids
from ..events import Effect
from ..history import History
from ..views.picture import Block, Row, Segment, State, Work
from ..views.reading import read

INTERNAL, PRODUCER, CONSUMER = 1, 4, 5
"""Kinds of spans, by their numbers in the protocol."""
OK, ERROR = 1, 2

Span = dict[str, Any]


def spans(history: History) -> str:
    """The whole file; the same history gives the same bytes."""
    reading = read(history)
    epoch_ms = next((event.server_ms - event.at_ms for event in history if isinstance(event, Effect)), 0)
    run = str(reading.header.get("tape") or reading.header.get("scenario") or "")
    maker = _Maker(run, epoch_ms)
    by_service: dict[str, list[Span]] = {}
    for block in reading.blocks:
        for row in block.rows:
            for service, span in maker.of_row(block, row, reading.end_ms):
                by_service.setdefault(service, []).append(span)
    value = {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes({"service.name": service, "redelivery.run": run})},
                "scopeSpans": [{"scope": {"name": "redelivery"}, "spans": found}],
            }
            for service, found in by_service.items()
        ]
    }
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


class _Maker:
    """Makes the spans of one run."""

    def __init__(self, run: str, epoch_ms: int) -> None:
        self.run = run
        self.epoch_ms = epoch_ms

    def of_row(self, block: Block, row: Row, end_ms: int) -> list[tuple[str, Span]]:
        """The spans of an entry's life, each with whom it belongs to."""
        entry = ids.show(row.id).decode()
        group = ", ".join(block.groups)
        trace = self._hex(32, block.stream, entry)
        about = {
            "messaging.system": "redis", "messaging.destination.name": block.stream, "messaging.message.id": entry,
            "messaging.consumer.group.name": group, "redelivery.entry": row.entry,
        }  # fmt: skip
        times = [moment for segment in row.segments for moment in (segment.begin_ms, segment.end_ms)]
        times += [mark.at_ms for mark in row.marks] + [work.end_ms for work in row.works]
        begin_ms = min(times, default=0)
        root = self._span(
            trace, "", f"{block.stream} {row.entry}", PRODUCER, begin_ms, max(times, default=end_ms),
            {**about, "redelivery.outcome": row.outcome, "redelivery.deliveries": row.deliveries},
            ERROR if row.trouble else OK, group,
        )  # fmt: skip
        root["events"] = [
            {"timeUnixNano": self._nano(at_ms), "name": str(sign), "attributes": _attributes({"text": said})}
            for at_ms, sign, said in row.marks
        ]
        out = [(block.stream, root)]
        out += [self._pending(trace, root, about, each) for each in row.segments if each.owner]
        out += [self._work(trace, root, about, work) for work in row.works]
        return out

    def _pending(self, trace: str, root: Span, about: dict[str, Any], segment: Segment) -> tuple[str, Span]:
        orphaned = segment.state is not State.PENDING
        more = {**about, "messaging.client.id": segment.owner, "messaging.operation.name": "receive"}
        span = self._span(
            trace, root["spanId"], f"{segment.state} {segment.owner}", CONSUMER, segment.begin_ms, segment.end_ms, more,
            ERROR if orphaned else OK, segment.owner, str(segment.state),
        )  # fmt: skip
        return segment.process or segment.owner, span

    def _work(self, trace: str, root: Span, about: dict[str, Any], work: Work) -> tuple[str, Span]:
        more = {**about, "messaging.client.id": work.process, "messaging.operation.name": "process"}
        span = self._span(
            trace, root["spanId"], "process", CONSUMER, work.begin_ms, work.end_ms, more, ERROR if work.cut else OK,
            work.process, "work", str(work.level),
        )  # fmt: skip
        return work.process, span

    def _span(
        self, trace: str, parent: str, name: str, kind: int, begin_ms: int, end_ms: int, about: dict[str, Any],
        status: int, *key: str,
    ) -> Span:  # fmt: skip
        return {
            "traceId": trace, "spanId": self._hex(16, trace, name, str(begin_ms), *key), "parentSpanId": parent,
            "name": name, "kind": kind, "startTimeUnixNano": self._nano(begin_ms),
            "endTimeUnixNano": self._nano(end_ms), "attributes": _attributes(about), "status": {"code": status},
        }  # fmt: skip

    def _nano(self, at_ms: int) -> str:
        return str((self.epoch_ms + at_ms) * 1_000_000)

    def _hex(self, length: int, *parts: str) -> str:
        return sha256("\0".join((self.run, *parts)).encode()).hexdigest()[:length]


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in values.items()
        if value != ""
    ]
