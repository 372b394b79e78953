"""Which process was given which entry, and has it still: followed by facts, command by command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from ..models import ids
from ..models.facts import Acked, Claimed, ConsumerRemoved, Delivered, Fact, Reread

Held: TypeAlias = dict[tuple[bytes, bytes, int], None]
"""(stream, group, id) of what was delivered to a process and not acknowledged, in order."""

Place: TypeAlias = tuple[bytes, bytes, bool]
"""A stream and a group that an entry was delivered from, and whether it was acknowledged since."""
Places: TypeAlias = dict[bytes, tuple[Place, ...]]
"""By an entry's ID: from where it was delivered to a process, the last one last.

There are several where streams have entries of the same ID, of which the earlier ones were not acknowledged yet.
"""


def note_held(held: Sequence[Held], receiver: int, places: Places, facts: Iterable[Fact]) -> None:
    """Keeps the books of what each process holds, after a command of ``receiver`` made ``facts`` true.

    ``places`` are the receiver's. Where the reply was lost nobody is the receiver, -1.
    """
    for fact in facts:
        if type(fact) is Delivered or type(fact) is Claimed or type(fact) is Reread:
            key = (fact.stream, fact.group, fact.id)
            if type(fact) is not Reread:
                _release(held, key)
            if receiver >= 0 and not (type(fact) is Delivered and fact.noack):
                held[receiver][key] = None
            entry = ids.show(fact.id)
            others = [place for place in places.get(entry, ()) if place[0] != fact.stream and not place[2]]
            places[entry] = (*others, (fact.stream, fact.group, False))
        elif type(fact) is Acked:
            _release(held, (fact.stream, fact.group, fact.id))
            entry = ids.show(fact.id)
            if entry in places:
                acked = (fact.stream, fact.group)
                places[entry] = tuple([(*place[:2], place[2] or place[:2] == acked) for place in places[entry]])
        elif type(fact) is ConsumerRemoved:
            for entry_id in fact.pending:
                _release(held, (fact.stream, fact.group, entry_id))


def _release(held: Sequence[Held], key: tuple[bytes, bytes, int]) -> None:
    for books in held:
        if books and key in books:
            del books[key]
