"""A history as the page reads it: events in columns, the state as changes, the story, and the words around it."""

from __future__ import annotations

from typing import Any, TypeAlias

from ...events import ClockJumped, Effect, Ended, Event, ReplicaCut, Served, ServerLost
from ...history import History
from ...plan import SERVER
from .. import words
from ..story import linked
from .lists import Lists
from .processes import Processes
from .rows import Table
from .sentences import Sentences
from .streams import Streams

VERSION = 1
STORY_LINES_MAX = 1000
"""Of a longer story the page tells what the entries that went another way than the others have to do with."""

Recording: TypeAlias = dict[str, Any]
"""A value for JSON. Columns have one item for each event: ``at`` (ms), ``who`` and ``kind`` (places in ``names`` and
``kinds``), ``call``, ``text``, ``about`` (rows of entries) and ``ops`` (rows and their new cells by turns). ``clock``
holds pairs: an event, and how far the server's clock is ahead of true time from there on."""


def record(history: History) -> Recording:
    """What the page needs; equal histories give equal values."""
    return {**_words(history), **_Recorder(history).columns(), "story": _story(history)}


def _words(history: History) -> Recording:
    header = dict(history.header)
    header["violations"] = [{**item, "step": _step(item, len(history))} for item in words.violations(header)]
    numbers = words.Numbering(history)
    properties = header.get("properties")
    found = [
        {
            "property": str(item.get("property")),
            "step": item["step"],
            "message": numbers.in_sentence(str(item.get("message") or "")),
        }
        for item in words.violations(header)
    ]
    notes = []
    if not history.events:
        notes.append("Nothing happened in this history.")
    elif not isinstance(history.events[-1], Ended):
        notes.append("This history is not whole: it ends before its run did.")
    return {
        "version": VERSION,
        "title": words.title(header),
        "subtitle": words.subtitle(header),
        "summary": words.summary(header),
        "badge": words.badge(header) or "NO VERDICT",
        "state": str(header.get("verdict") or "none"),
        "verdict": [numbers.in_sentence(sentence) for sentence in words.verdict(header)],
        "replay": words.replay(header),
        "properties": [[str(name), str(value)] for name, value in properties.items()] if isinstance(properties, dict)
        else [],
        "violations": found,
        "notes": notes,
    }


def _step(violation: dict[str, Any], events: int) -> int | None:
    """The event at which a property broke; what is still wrong when the run is over breaks at its last event."""
    step = violation.get("step")
    return min(step, events - 1) if isinstance(step, int) and step >= 0 and events else None


def _story(history: History) -> list[list[Any]]:
    """Lines with the event that each begins with; longer stories without the entries of which nothing is to be told."""
    told = linked(history)
    if len(told) > STORY_LINES_MAX:
        eventful = {line.entry for _, line in told if line.eventful and line.entry}
        told = [item for item in told if item[1].eventful or item[1].entry in eventful]
    return [[step, f"{line.who} {line.line}"] for step, line in told[:STORY_LINES_MAX]]


class _Recorder:
    """Goes through the events once."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._names: dict[str, int] = {"": 0}
        self._kinds: dict[str, int] = {}
        self._clock: list[list[int]] = []

    def columns(self) -> Recording:
        """The columns, with the tables that they refer to."""
        table, numbers = Table(), words.Numbering(self._history)
        streams, lists = Streams(table, numbers), Lists(table)
        processes = Processes(table, numbers.named)
        sentences = Sentences(numbers, streams)
        columns: dict[str, list[Any]] = {name: [] for name in ("at", "who", "kind", "call", "text", "about", "ops")}
        for step, event in enumerate(self._history):
            server_ms = self._server_ms(step, event)
            for fact in getattr(event, "facts", ()):
                streams.hear(fact, server_ms)
                lists.hear(fact)
            processes.hear(event)
            kind, text = sentences.of(event)
            columns["about"].append(sentences.about(event))
            streams.settle()
            columns["at"].append(event.at_ms)
            columns["who"].append(self._names.setdefault(getattr(event, "process", ""), len(self._names)))
            columns["kind"].append(self._kinds.setdefault(kind, len(self._kinds)))
            columns["call"].append(getattr(event, "call", 0))
            columns["text"].append(text)
            columns["ops"].append([part for change in table.changes() for part in change])
        return {
            **columns,
            "names": [words.text(name.encode()) for name in self._names],
            "kinds": list(self._kinds),
            "rows": [list(row) for row in table.rows],
            "clock": self._clock,
        }

    def _server_ms(self, step: int, event: Event) -> int:
        """The server's clock at an event; a change of how far it is ahead is noted."""
        ahead = self._clock[-1][1] if self._clock else 0
        if isinstance(event, Effect | Served | ServerLost | ReplicaCut):
            now = event.server_ms - event.at_ms
        elif isinstance(event, ClockJumped) and event.host == SERVER:
            now = ahead + event.by_ms
        else:
            now = ahead
        if now != ahead or not self._clock:
            self._clock.append([step, now])
        return event.at_ms + now
