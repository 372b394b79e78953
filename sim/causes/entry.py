"""Which entry, in which group, a question is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ...models import ids
from ...models.facts import KeyFact
from ..errors import BadInput, unknown
from ..events import Effect, Handled, Handling, Served
from ..history import History
from ..views.words import Numbering, listed, text

NEAREST = 3


class EntryKey(NamedTuple):
    """An entry of one incarnation of a key."""

    stream: bytes
    born: int
    id: int


@dataclass(frozen=True, slots=True)
class Subject:
    """An entry in a group; ``group`` is ``None`` where no group ever read the stream."""

    entry: EntryKey
    group: bytes | None
    number: str
    """How the story calls the entry."""


def subject(history: History, entry: str, stream: str | None = None, group: str | None = None) -> Subject:
    """The entry that ``entry`` means: an ID, or its number in the story. ``BadInput`` where that is not clear."""
    known = _Known(history)
    found = known.entries(entry)
    if stream is not None:
        streams = {text(key.stream) for key in known.numbers}
        if stream not in streams:
            raise unknown("stream", stream, streams)
        found = [key for key in found if text(key.stream) == stream]
    if not found:
        where = "" if stream is None else f" in stream {stream!r}"
        raise BadInput(f"the history has no entry {entry!r}{where}{known.nearest(entry)}")
    streams_of = list(dict.fromkeys(text(key.stream) for key in found))
    if len(streams_of) > 1:
        raise BadInput(f"entry {entry!r} is in several streams: give --stream, one of: {', '.join(streams_of)}")
    key = found[-1]  # of several incarnations of a key the newest
    groups = {text(name): name for name in known.groups.get((key.stream, key.born), ())}
    number = known.numbers[key]
    if group is not None:
        if group not in groups:
            raise unknown(f"group of stream {text(key.stream)!r}", group, groups)
        return Subject(key, groups[group], number)
    if len(groups) > 1:
        raise BadInput(f"stream {text(key.stream)!r} has several groups: give --group, one of: {', '.join(groups)}")
    return Subject(key, next(iter(groups.values()), None), number)


class _Known:
    """Every entry and every group that a history speaks of."""

    def __init__(self, history: History) -> None:
        numbering = Numbering(history)
        self.numbers: dict[EntryKey, str] = {}
        self.groups: dict[tuple[bytes, int], dict[bytes, None]] = {}
        born: dict[bytes, int] = {}
        for event in history:
            if isinstance(event, Effect | Served):
                for fact in event.facts:
                    if isinstance(fact, KeyFact):
                        continue
                    stream, incarnation = fact.stream, fact.born
                    born[stream] = incarnation
                    entry_id = getattr(fact, "id", None)
                    if entry_id is not None:
                        number = numbering.of(stream, incarnation, entry_id)
                        self.numbers.setdefault(EntryKey(stream, incarnation, entry_id), number)
                    group = getattr(fact, "group", None)
                    if group is not None:
                        self.groups.setdefault((stream, incarnation), {})[group] = None
            elif isinstance(event, Handling | Handled):
                entry_id = ids.parse(event.entry, 0, strict=True)
                if entry_id is not None and event.stream:
                    key = EntryKey(event.stream, born.get(event.stream, 0), entry_id)
                    self.numbers.setdefault(key, numbering.of(*key))

    def entries(self, entry: str) -> list[EntryKey]:
        """What an ID or a number means."""
        by_number = [key for key, number in self.numbers.items() if number == entry]
        entry_id = ids.parse(entry.encode(errors="replace"), 0, strict=True)
        by_id = [key for key in self.numbers if key.id == entry_id]
        return by_id or by_number

    def nearest(self, entry: str) -> str:
        """The entries that somebody may have meant."""
        if not self.numbers:
            return ": it speaks of no entry at all"
        wanted = ids.parse(entry.encode(errors="replace"), 0, strict=True)
        keys = list(self.numbers)
        if wanted is not None:
            keys.sort(key=lambda key: (abs(key.id - wanted), key))
        names = [f"{ids.show(key.id).decode()} (entry {self.numbers[key]})" for key in keys[:NEAREST]]
        return f"; the nearest are {listed(names)}" if len(names) > 1 else f"; there is {names[0]}"
