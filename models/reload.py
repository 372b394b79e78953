"""What a stream is after the server has written it out and read it in again (DUMP and RESTORE, or a snapshot).

Sources: rdbSaveObject, rdbLoadObject. Entries, nodes, counters, groups, pending entries and all their times
survive; what a load rebuilds, it rebuilds here.
"""

from __future__ import annotations

from .dialect import Dialect
from .stream import Stream


def reloaded(stream: Stream, dialect: Dialect) -> Stream:
    """An independent stream as a load of ``stream`` gives it, of the same incarnation; ``stream`` is left alone.

    The list of pending entries by time is made anew, in order of time and then of ID (from 8.6 on it is a list, which
    may have been in another order); those that belong to nobody keep theirs. What the smallest cursor of the groups
    is, is found out anew. Records of idempotent XADDs survive.
    """
    loaded = stream.copy()
    loaded.slowest = None
    if dialect.claims_as_listed:
        for name in stream.groups:
            group = loaded.group_for_write(name)
            assert group is not None
            group.sort_by_time()
    return loaded
