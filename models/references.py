"""Who still refers to an entry: groups that have not come to it, and groups that have it pending.

Sources: streamEntryIsReferenced, streamCleanupEntryCGroupRefs. The server keeps an index; the model looks.
"""

from __future__ import annotations

from .dialect import Dialect
from .facts import Fact, Forgotten
from .ids import ID_MAX
from .stream import Stream

KEEP, DROP, ACKED = "KEEPREF", "DELREF", "ACKED"
"""What becomes of references to an entry that is removed: they stay, they go, or only what has none is removed."""


def slowest_cursor(stream: Stream, dialect: Dialect) -> int:
    """The smallest cursor of the stream's groups; beyond all IDs where there is none.

    Where the server has remembered it wrongly (``destroy_keeps_slowest``) it is what is remembered.
    """
    if not stream.groups:
        return ID_MAX
    if not dialect.destroy_keeps_slowest:
        return min(group.cursor for group in stream.groups.values())
    if stream.slowest is None:
        stream.slowest = min(group.cursor for group in stream.groups.values())
    return stream.slowest


def is_referenced(stream: Stream, slowest: int, entry_id: int) -> bool:
    """Whether a group has still to get the entry, or has it pending; ``slowest`` is the smallest cursor."""
    if slowest < entry_id:
        return True
    return any(group.pel.get(entry_id) is not None for group in stream.groups.values())


def drop_references(key: bytes, stream: Stream, entry_id: int, cause: str, facts: list[Fact]) -> None:
    """Takes an entry off every group's pending list, whether or not the entry is still there."""
    for name in sorted(stream.groups):
        if stream.groups[name].pel.get(entry_id) is None:
            continue
        group = stream.group_for_write(name)
        assert group is not None
        nack = group.release(entry_id)
        assert nack is not None
        facts.append(Forgotten(key, stream.born, name, entry_id, nack.consumer, cause))
