"""Streams, their groups and what is pending in them, kept in a table by facts."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field

from ....models import facts as f
from ....models import ids
from .. import words
from .rows import ENTRY, GROUP, PENDING, STREAM, Row, Table

FIELDS_LENGTH = 120

_Key = tuple[bytes, int]
"""A stream and its incarnation."""


@dataclass(slots=True)
class _Group:
    row: int
    cursor: int = 0
    told: str = ""
    """The lag that the server told last; ``null`` is one."""
    pending: dict[int, int] = field(default_factory=dict)
    """The rows of what is pending, by ID."""


@dataclass(slots=True)
class _Stream:
    row: int
    live: list[int] = field(default_factory=list)
    """The IDs that are in the stream, ascending."""
    groups: dict[bytes, _Group] = field(default_factory=dict)


class Streams:
    """Hears facts in order. A history that begins in the middle has rows for what it speaks of."""

    def __init__(self, table: Table, numbers: words.Numbering) -> None:
        self._table = table
        self._numbers = numbers
        self._streams: dict[_Key, _Stream] = {}
        self._entries: dict[tuple[bytes, int, int], int] = {}
        self._pending: dict[tuple[int, int], int] = {}
        self._newest: dict[tuple[bytes, int], int] = {}
        self._fields: dict[tuple[bytes, int], str] = {}
        """What was added last under an ID: it may come back after a loss, in another incarnation."""
        self._unsettled: dict[_Key, None] = {}
        self._server_ms = 0

    def hear(self, fact: f.Fact, server_ms: int) -> None:
        """Tells one fact, and the server's clock when it became true."""
        if isinstance(fact, f.KeyMoved | f.KeyCopied):
            self._inherit(fact)
            return
        if isinstance(fact, f.KeyFact):
            return
        self._server_ms = server_ms
        key = (fact.stream, fact.born)
        if isinstance(fact, f.StreamRemoved):
            self._remove(key)
            return
        self._stream(key)
        match fact:
            case f.Added():
                self._fields[fact.stream, fact.id] = words.short(words.fields_of(fact.fields), FIELDS_LENGTH)
                self._arrive(key, fact.id)
            case f.Restored():
                for entry_id in fact.ids:
                    self._arrive(key, entry_id)
            case f.Deleted() | f.Trimmed():
                for entry_id in fact.ids:
                    self._depart(key, entry_id)
            case (
                f.GroupCreated() | f.CursorMoved() | f.LagReported() | f.GroupRemoved()
            ):
                self._of_group(key, fact)
            case _:
                self._of_pending(key, fact)

    def settle(self) -> None:
        """What follows of entries and cursors, when all facts of an event are told."""
        for key in self._unsettled:
            held = self._streams.get(key)
            if held is None:
                continue
            self._table.set(held.row, (len(held.live),))
            for group in held.groups.values():
                lag = len(held.live) - bisect_right(held.live, group.cursor)
                cells = (ids.show(group.cursor).decode(), lag, group.told, len(group.pending))
                self._table.set(group.row, cells)
        self._unsettled = {}

    def entry(self, stream: bytes, born: int, entry_id: int) -> int:
        """The row of an entry; one that this history never saw added has a row that is not there."""
        key = (stream, born, entry_id)
        if key not in self._entries:
            held = self._stream((stream, born))
            number = self._numbers.of(stream, born, entry_id)
            fields = self._fields.get((stream, entry_id), "")
            row = self._table.add(Row(ENTRY, held.row, number, ids.show(entry_id).decode(), fields))
            self._entries[key] = self._newest[stream, entry_id] = row
        return self._entries[key]

    def known(self, stream: bytes, born: int, entry_id: int) -> int:
        """The row of an entry, or -1 where there is none yet."""
        return self._entries.get((stream, born, entry_id), -1)

    def named(self, stream: bytes, entry: bytes) -> int:
        """The row of the newest entry with an ID that is given as text, or -1."""
        entry_id = ids.parse(entry, 0, strict=True)
        return -1 if entry_id is None else self._newest.get((stream, entry_id), -1)

    # -- streams and groups ------------------------------------------------------------------------------

    def _stream(self, key: _Key) -> _Stream:
        if key not in self._streams:
            self._streams[key] = _Stream(self._table.add(Row(STREAM, -1, words.text(key[0]))))
        self._unsettled[key] = None
        return self._streams[key]

    def _group(self, key: _Key, name: bytes) -> _Group:
        held = self._stream(key)
        if name not in held.groups:
            held.groups[name] = _Group(self._table.add(Row(GROUP, held.row, words.text(name))))
        return held.groups[name]

    def _of_group(self, key: _Key, fact: f.GroupCreated | f.CursorMoved | f.LagReported | f.GroupRemoved) -> None:
        group = self._group(key, fact.group)
        match fact:
            case f.GroupCreated():
                group.cursor = fact.cursor
            case f.CursorMoved():
                group.cursor, group.told = fact.cursor, _told(fact.lag)
            case f.LagReported():
                group.told = _told(fact.lag)
            case f.GroupRemoved():
                for row in (*group.pending.values(), group.row):
                    self._table.set(row, None)
                del self._streams[key].groups[fact.group]

    def _arrive(self, key: _Key, entry_id: int) -> None:
        held = self._stream(key)
        if not held.live or entry_id > held.live[-1]:
            held.live.append(entry_id)
        elif not _holds(held.live, entry_id):
            insort(held.live, entry_id)
        self._table.set(self.entry(*key, entry_id), ())
        self._dangle(held, entry_id, "")

    def _depart(self, key: _Key, entry_id: int) -> None:
        held = self._stream(key)
        if _holds(held.live, entry_id):
            del held.live[bisect_left(held.live, entry_id)]
        self._table.set(self.entry(*key, entry_id), None)
        self._dangle(held, entry_id, "gone")

    def _dangle(self, held: _Stream, entry_id: int, gone: str) -> None:
        """What is pending stays so where its entry goes, and finds it again where it comes back."""
        for group in held.groups.values():
            row = group.pending.get(entry_id)
            cells = None if row is None else self._table.cells[row]
            if row is not None and cells is not None:
                self._table.set(row, (*cells[:3], gone))

    def _remove(self, key: _Key) -> None:
        held = self._streams.pop(key, None)
        if held is None:
            return
        for group in held.groups.values():
            for row in (*group.pending.values(), group.row):
                self._table.set(row, None)
        for entry_id in held.live:
            self._table.set(self._entries[(*key, entry_id)], None)
        self._table.set(held.row, None)

    def _inherit(self, fact: f.KeyMoved | f.KeyCopied) -> None:
        """What a key held another incarnation holds; where it was moved, this one does not any more."""
        key, to = (fact.key, fact.born), (fact.to, fact.to_born)
        held = self._streams.get(key)
        if held is None:
            return
        self._stream(to)
        for entry_id in held.live:
            self._fields[to[0], entry_id] = self._table.rows[self._entries[(*key, entry_id)]].fields
            self._arrive(to, entry_id)
        for name, group in held.groups.items():
            twin = self._group(to, name)
            twin.cursor, twin.told = group.cursor, group.told
            for entry_id, row in group.pending.items():
                self._table.set(self._pending_row(to, twin, entry_id), self._table.cells[row])
        if isinstance(fact, f.KeyMoved):
            self._remove(key)

    # -- what is pending ---------------------------------------------------------------------------------

    def _of_pending(self, key: _Key, fact: f.Fact) -> None:
        match fact:
            case f.Delivered():
                if not fact.noack:
                    self._own(key, fact, fact.consumer, self._server_ms)
            case f.Reread():
                self._own(key, fact, fact.consumer, self._server_ms)
            case f.Claimed() | f.Reinstated():
                self._own(key, fact, fact.consumer, fact.delivered_ms)
            case f.Nacked():
                self._own(key, fact, None, 0)
            case f.Acked() | f.Forgotten():
                self._disown(self._group(key, fact.group), (fact.id,))
            case f.ConsumerRemoved():
                self._disown(self._group(key, fact.group), fact.pending)
            case _:
                pass

    def _own(
        self, key: _Key, fact: f.Delivered | f.Reread | f.Claimed | f.Reinstated | f.Nacked, owner: bytes | None,
        delivered_ms: int,
    ) -> None:  # fmt: skip
        row = self._pending_row(key, self._group(key, fact.group), fact.id)
        gone = "" if _holds(self._streams[key].live, fact.id) else "gone"
        self._table.set(row, (None if owner is None else words.text(owner), delivered_ms, fact.count, gone))

    def _pending_row(self, key: _Key, group: _Group, entry_id: int) -> int:
        where = (group.row, entry_id)
        if where not in self._pending:
            entry = self._table.rows[self.entry(*key, entry_id)]
            self._pending[where] = self._table.add(Row(PENDING, group.row, entry.label, entry.id))
        group.pending[entry_id] = self._pending[where]
        return self._pending[where]

    def _disown(self, group: _Group, entries: tuple[int, ...]) -> None:
        for entry_id in entries:
            row = group.pending.pop(entry_id, None)
            if row is not None:
                self._table.set(row, None)


def _told(lag: int | None) -> str:
    return "null" if lag is None else str(lag)


def _holds(live: list[int], entry_id: int) -> bool:
    at = bisect_left(live, entry_id)
    return at < len(live) and live[at] == entry_id
