"""The logical read counter of a group, and its lag.

Streams count the entries ever added, groups the entries read. Where deletions make the count
uncertain the server estimates, or says null. Sources: streamRangeHasTombstones,
streamEstimateDistanceFromFirstEverEntry, streamReplyWithCGLag; the wording of the rules is ours.
"""

from __future__ import annotations

from .dialects import Dialect
from .group import UNKNOWN, Group
from .ids import signed64
from .stream import Stream


def tombstone_after(stream: Stream, first_id: int, entry_id: int, dialect: Dialect) -> bool:
    """Whether a deleted entry may lie at or after ``entry_id``."""
    deleted = stream.max_deleted_id
    if deleted == 0 or stream.length == 0:
        return False
    if not dialect.lag_by_position and first_id > deleted:
        return False
    return entry_id <= deleted


def estimate_read(stream: Stream, first_id: int, entry_id: int, dialect: Dialect) -> int:
    """How many entries were ever added up to ``entry_id``, or ``UNKNOWN``."""
    if stream.entries_added == 0:
        return 0
    if stream.length == 0 and entry_id <= stream.last_id:
        return signed64(stream.entries_added)
    if dialect.lag_by_position and entry_id != 0 and entry_id < stream.max_deleted_id:
        return UNKNOWN
    if entry_id == stream.last_id:
        return signed64(stream.entries_added)
    if entry_id > stream.last_id:
        return UNKNOWN
    if stream.max_deleted_id == 0 or stream.max_deleted_id < first_id:
        if entry_id < first_id:
            return signed64(stream.entries_added - stream.length)
        if entry_id == first_id:
            return signed64(stream.entries_added - stream.length + 1)
    return UNKNOWN


def count_delivery(group: Group, stream: Stream, first_id: int, entry_id: int, dialect: Dialect) -> None:
    """Moves the read counter for the delivery of ``entry_id``, before the cursor moves to it."""
    if stream.max_deleted_id == 0:  # mostly
        sure = not dialect.lag_by_position or group.cursor >= first_id
    elif dialect.lag_by_position:
        sure = group.cursor >= first_id and not tombstone_after(stream, first_id, group.cursor, dialect)
    else:
        sure = not tombstone_after(stream, first_id, entry_id, dialect)
    if group.entries_read != UNKNOWN and sure:
        group.entries_read = signed64(group.entries_read + 1)
    elif stream.entries_added != 0:
        group.entries_read = estimate_read(stream, first_id, entry_id, dialect)


def lag(stream: Stream, group: Group, dialect: Dialect) -> int | None:
    """The lag as XINFO shows it; ``None`` for null, and in dialects that do not count."""
    if not dialect.counts_entries:
        return None
    if stream.entries_added == 0:
        return 0
    first_id = stream.first_id()
    if dialect.lag_known_when_unread:
        if stream.length == 0:
            return 0
        if group.cursor < first_id and stream.max_deleted_id < first_id:
            return stream.length
    known = group.entries_read != UNKNOWN
    if known and (stream.max_deleted_id == 0 or not tombstone_after(stream, first_id, group.cursor, dialect)):
        return signed64(stream.entries_added - group.entries_read)
    read = estimate_read(stream, first_id, group.cursor, dialect)
    return None if read == UNKNOWN else signed64(stream.entries_added - read)
