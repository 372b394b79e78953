"""Which process was given which entry, and has it still: followed by facts, command by command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from ..models import ids
from ..models.facts import Acked, Claimed, ConsumerRemoved, Delivered, Fact, Reread

Held: TypeAlias = dict[tuple[bytes, bytes, int], None]
"""(stream, group, id) of what was delivered to a process and not acknowledged, in order."""


def note_held(
    held: Sequence[Held], receiver: int, streams: dict[bytes, tuple[bytes, bytes]], facts: Iterable[Fact]
) -> None:
    """Keeps the books of what each process holds, after a command of ``receiver`` made ``facts`` true.

    ``streams`` are the receiver's: entry ID to the stream and group that it was last delivered from. Where the reply
    was lost nobody is the receiver, -1.
    """
    for fact in facts:
        if type(fact) is Delivered or type(fact) is Claimed or type(fact) is Reread:
            key = (fact.stream, fact.group, fact.id)
            if type(fact) is not Reread:
                _release(held, key)
            if receiver >= 0 and not (type(fact) is Delivered and fact.noack):
                held[receiver][key] = None
            streams[ids.show(fact.id)] = (fact.stream, fact.group)
        elif type(fact) is Acked:
            _release(held, (fact.stream, fact.group, fact.id))
        elif type(fact) is ConsumerRemoved:
            for entry_id in fact.pending:
                _release(held, (fact.stream, fact.group, entry_id))


def _release(held: Sequence[Held], key: tuple[bytes, bytes, int]) -> None:
    for books in held:
        if books and key in books:
            del books[key]
