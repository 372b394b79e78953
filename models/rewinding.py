"""What a restart or a failover made of a server's keys, as facts: the difference between what was and what is.

The keys stay the incarnations that they were. What is gone is told by the facts of its loss, with the cause; what is
there again, by ``Restored`` and ``Reinstated``. Each group's cursor begins a new epoch.
"""

from __future__ import annotations

from .databases import born_of
from .facts import (
    CursorMoved,
    Deleted,
    Fact,
    Forgotten,
    GroupCreated,
    GroupRemoved,
    LastIdSet,
    ListEdited,
    ListRemoved,
    Reinstated,
    Restored,
    StreamCreated,
    StreamRemoved,
)
from .group import UNKNOWN, Group, Pending
from .lag import lag
from .lists import List
from .node import Fields
from .server import Server
from .stream import Stream


def take_place(before: Server, after: Server, cause: str) -> tuple[Fact, ...]:
    """Makes ``after`` the server that comes after ``before``, with incarnations and epochs of its own.

    It goes on counting births, and nobody is connected to it. Returns the facts of the first database.
    """
    facts: list[Fact] = []
    after.resume(before.counters()[0])
    after.read_lines = before.read_lines
    old = before.databases[0].keys
    for index, database in sorted(after.databases.items()):
        after.select(index)
        for key in sorted(database.keys):
            value = database.keys[key]
            known = old.get(key) if index == 0 else None
            if isinstance(value, bytes):
                continue
            known_born = born_of(known) if type(known) is type(value) and known is not None else 0
            own = value.copy(known_born or after.next_birth())
            after.keys[key] = own
            if isinstance(own, Stream):
                _stream(key, known if isinstance(known, Stream) else None, own, after, cause, facts)
            elif isinstance(own, List) and isinstance(known, List) and known.items != own.items:
                facts.append(ListEdited(key, own.born, tuple(known.items), tuple(own.items), cause))
    after.select(0)
    for key in sorted(old):
        if type(old[key]) is not type(after.keys.get(key)):
            _gone(key, old[key], cause, facts)
    return tuple(facts)


def _gone(key: bytes, value: object, cause: str, facts: list[Fact]) -> None:
    if isinstance(value, Stream):
        for name in sorted(value.groups):
            group = value.groups[name]
            facts.append(GroupRemoved(key, value.born, name, group.epoch, group.pel.keys(), cause))
        facts.append(StreamRemoved(key, value.born, cause))
    elif isinstance(value, List):
        facts.append(ListRemoved(key, value.born, tuple(value.items), cause))


def _stream(key: bytes, old: Stream | None, new: Stream, server: Server, cause: str, facts: list[Fact]) -> None:
    if old is None:
        facts.append(StreamCreated(key, new.born))
        old = Stream(new.born)
    had, has = _entries(old), _entries(new)
    lost = tuple(entry_id for entry_id, fields in had.items() if has.get(entry_id) != fields)
    back = tuple(entry_id for entry_id, fields in has.items() if had.get(entry_id) != fields)
    if lost:
        facts.append(Deleted(key, new.born, lost, cause))
    if back:
        facts.append(Restored(key, new.born, back, cause))
    if old.last_id != new.last_id:
        facts.append(LastIdSet(key, new.born, old.last_id, new.last_id))
    new.slowest = None
    for name in sorted(old.groups):
        if name not in new.groups:
            group = old.groups[name]
            facts.append(GroupRemoved(key, new.born, name, group.epoch, group.pel.keys(), cause))
    for name in sorted(new.groups):
        _group(key, old.groups.get(name), new, name, server, cause, facts)


def _entries(stream: Stream) -> dict[int, Fields]:
    return dict(stream.ascending(0, stream.last_id)) if stream.length else {}


def _group(
    key: bytes, old: Group | None, stream: Stream, name: bytes, server: Server, cause: str, facts: list[Fact]
) -> None:
    new = stream.group_for_write(name)
    assert new is not None
    if old is None:
        new.epoch = server.next_birth()
        facts.append(GroupCreated(key, stream.born, name, new.epoch, new.cursor))
        old = Group(name, new.cursor, new.entries_read, new.epoch)
    elif old.cursor != new.cursor or _pending(old) != _pending(new):
        new.epoch = server.next_birth()
        read = new.entries_read if server.dialect.counts_entries and new.entries_read != UNKNOWN else None
        moved = lag(stream, new, server.dialect)
        facts.append(CursorMoved(key, stream.born, name, new.epoch, old.cursor, new.cursor, read, moved, cause))
    else:
        new.epoch = old.epoch
    for entry_id, nack in old.pel.items():
        if new.pel.get(entry_id) is None:
            facts.append(Forgotten(key, stream.born, name, entry_id, nack.consumer, cause))
    for entry_id, nack in new.pel.items():
        was = old.pel.get(entry_id)
        if nack.consumer is not None and (was is None or _differs(was, nack)):
            owner = None if was is None else was.consumer
            count, delivered_ms = nack.count, nack.delivered_ms
            facts.append(
                Reinstated(key, stream.born, name, nack.consumer, entry_id, owner, count, delivered_ms, cause)
            )


def _pending(group: Group) -> list[tuple[int, bytes | None, int, int]]:
    return [(entry_id, nack.consumer, nack.count, nack.delivered_ms) for entry_id, nack in group.pel.items()]


def _differs(was: Pending, now: Pending) -> bool:
    return (was.consumer, was.count, was.delivered_ms) != (now.consumer, now.count, now.delivered_ms)
