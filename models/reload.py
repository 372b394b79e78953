"""What a stream is after the server has written it out and read it in again (DUMP and RESTORE, or a snapshot).

Sources: rdbSaveObject, rdbLoadObject. Entries, nodes, counters, groups, pending entries and all their times
survive; what a load rebuilds, it rebuilds here.
"""

from __future__ import annotations

from .dialects import Dialect
from .stream import Stream


def reloaded(stream: Stream, dialect: Dialect) -> Stream:
    """An independent stream as a load of ``stream`` gives it, of the same incarnation; ``stream`` is left alone."""
    del dialect  # up to now no dialect's streams hold anything that a load rebuilds
    return stream.copy()
