"""Which process was given which entry, and has it still: followed by facts, command by command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..models import ids
from ..models.facts import Acked, Claimed, ConsumerRemoved, Delivered, Fact, Reread
from .process import Running


def note_held(processes: Sequence[Running], receiver: Running, facts: Iterable[Fact]) -> None:
    """Keeps the books of what each process holds, after a command of ``receiver`` made ``facts`` true."""
    for fact in facts:
        if isinstance(fact, (Delivered, Claimed, Reread)):
            key = (fact.stream, fact.group, fact.id)
            if not isinstance(fact, Reread):
                _release(processes, key)
            if not (isinstance(fact, Delivered) and fact.noack):
                receiver.held[key] = None
            receiver.streams[ids.show(fact.id)] = (fact.stream, fact.group)
        elif isinstance(fact, Acked):
            _release(processes, (fact.stream, fact.group, fact.id))
        elif isinstance(fact, ConsumerRemoved):
            for entry_id in fact.pending:
                _release(processes, (fact.stream, fact.group, entry_id))


def _release(processes: Sequence[Running], key: tuple[bytes, bytes, int]) -> None:
    for process in processes:
        process.held.pop(key, None)
