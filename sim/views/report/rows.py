"""A table whose rows come, change and go: the state of a run, as a page can show it at any step.

A row is numbered when it first appears, has a kind, a parent and words that never change, and *cells* that do, or
none while it is not there. What an event changes is a list of rows with their new cells; that is all a page needs to
go to any step, forward or back.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

STREAM, ENTRY, GROUP, PENDING, PROCESS, LIST = "stream", "entry", "group", "pending", "process", "list"
"""Kinds of rows."""

Cells: TypeAlias = tuple[str | int | None, ...]
"""By kind: a stream's length; nothing of an entry; a group's cursor, its lag, the lag that the server told last, and
how many are pending; of what is pending its owner, when it was delivered by the server's clock, how often, and ``gone``
where its entry is; of a process what it is, its consumer's name and what it works on; a list's length and elements."""

Changes: TypeAlias = list[tuple[int, Cells | None]]
"""Rows with their cells from now on; ``None`` where a row is not there any more."""


class Row(NamedTuple):
    """What never changes of a row; ``parent`` is the row that it belongs to, -1 for none.

    A stream, a list, a group and a process have their name as ``label``. An entry has its number as ``label``, its ID
    and its fields; so has what is pending, without the fields.
    """

    kind: str
    parent: int
    label: str
    id: str = ""
    fields: str = ""


class Table:
    """Rows with their cells, and which of them the event at hand touched."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.cells: list[Cells | None] = []
        self._touched: dict[int, Cells | None] = {}

    def add(self, row: Row) -> int:
        """A new row, that is not there yet."""
        self.rows.append(row)
        self.cells.append(None)
        return len(self.rows) - 1

    def set(self, row: int, cells: Cells | None) -> None:
        """What a row has from now on."""
        if self.cells[row] != cells:
            self._touched.setdefault(row, self.cells[row])
            self.cells[row] = cells

    def changes(self) -> Changes:
        """What was changed since this was asked last: each row once, in the order in which they were touched."""
        changed: Changes = [(row, self.cells[row]) for row, was in self._touched.items() if self.cells[row] != was]
        self._touched = {}
        return changed
