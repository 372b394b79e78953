"""Processes, kept in a table by events: whether they run, under which name, and what they work on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ... import events as e
from .. import words
from .rows import PROCESS, Row, Table

RUNNING, CRASHED, PAUSED, FINISHED = "running", "crashed", "paused", "finished"


@dataclass(slots=True)
class _Process:
    row: int
    consumer: str
    what: str = RUNNING
    works: list[str] = field(default_factory=list)


class Processes:
    """Hears events in order."""

    def __init__(self, table: Table, number: Callable[[bytes, bytes], str]) -> None:
        self._table = table
        self._number = number
        """The number of an entry of a stream, that is given as text."""
        self._known: dict[str, _Process] = {}

    def hear(self, event: e.Event) -> None:
        """Tells one event; a process that this history never saw started runs from here on."""
        name = getattr(event, "process", "")
        if not name:
            return
        process = self._process(name)
        match event:
            case e.Started():
                process.what, process.consumer, process.works = RUNNING, event.consumer, []
            case e.Handling():
                process.works.append(self._number(event.stream, event.entry))
            case e.Handled() | e.HandleFailed():
                number = self._number(event.stream, event.entry)
                if number in process.works:
                    process.works.remove(number)
            case e.Crashed():
                process.what, process.works = CRASHED, []
            case e.Paused():
                process.what = PAUSED
            case e.Resumed():
                process.what = RUNNING
            case e.Finished():
                process.what = FINISHED
            case _:
                pass
        works = words.entries(process.works) if process.works else ""
        self._table.set(process.row, (process.what, process.consumer, works))

    def _process(self, name: str) -> _Process:
        if name not in self._known:
            self._known[name] = _Process(self._table.add(Row(PROCESS, -1, name)), name)
        return self._known[name]
