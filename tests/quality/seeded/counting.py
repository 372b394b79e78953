"""Bugs in the read counter and the lag of a group, which servers have from 7.0 on."""

from __future__ import annotations

from redelivery.models import lag
from redelivery.models.commands import adding, claiming, groups, info, removing

from .faults import CLAIMING, GROUPING, REMOVING, Bug, Flip, Lines

SEVEN = ("redis-7.0", "valkey-8.1", "redis-8.0", "redis-8.6")

BUGS = (
    Bug("reading-is-not-counted", "entries-read stays what it was when the group was made",
        "dragonflydb/dragonfly #1945",
        Lines(lag.count_delivery, "group.entries_read = signed64(group.entries_read + 1)", "pass"), SEVEN, GROUPING),
    Bug("setid-keeps-entries-read", "XGROUP SETID without ENTRIESREAD leaves entries-read as it was",
        "mis-modelled: it makes the counter unknown, also where the ID stays the same",
        Lines(groups._set_id, "group.entries_read = _capped(call, stream, entries_read)", "pass"), SEVEN, GROUPING),
    Bug("lag-is-never-null", "a lag that cannot be known is 0",
        "valkey-io/valkey PR #685, redis/go-redis PR #3369",
        Lines(info._progress, "NIL if behind is None else behind", "0 if behind is None else behind"), SEVEN, GROUPING),
    Bug("lag-is-never-negative", "a lag below 0 is shown as 0",
        "redis/redis #15488, apache/kvrocks PR #3596",
        Lines(lag.lag, "return signed64(stream.entries_added - group.entries_read)",
              "return max(stream.entries_added - group.entries_read, 0)"), ("redis-7.0", "valkey-8.1"), GROUPING),
    Bug("trimming-counts-as-deleting", "trimming raises max-deleted-entry-id, so that the lag becomes unknown",
        "redis/redis #13957",
        Lines(adding._trim, "    if removed:\n",
              "    if removed:\n        stream.max_deleted_id = max(stream.max_deleted_id, removed[-1])\n"),
        SEVEN, REMOVING),
    Bug("deleting-lowers-entries-added", "XDEL takes what it deletes off entries-added",
        "apache/kvrocks PR #3578 (counters that drift)",
        Lines(removing.xdel, "    if deleted:\n", "    if deleted:\n        stream.entries_added -= len(deleted)\n"),
        SEVEN, REMOVING),
    Bug("lastid-forgets-entries-read", "XCLAIM LASTID makes entries-read unknown",
        "redis/redis #10569 (one would expect it)",
        Lines(claiming.xclaim, "before, group.cursor = group.cursor, last_id",
              "before, group.cursor, group.entries_read = group.cursor, last_id, -1"), SEVEN, CLAIMING),
    Bug("lag-by-position-too-early", "7.0 judges deleted entries where the group is, as from 8.0 on",
        "redis/redis #13957",
        Flip("lag_by_position", True), ("redis-7.0",), GROUPING),
    Bug("lag-by-entry-still", "8.0 judges deleted entries at the entry that is delivered, as up to 7.4",
        "redis/redis #13957",
        Flip("lag_by_position", False), ("redis-8.0", "valkey-8.1", "redis-8.6"), GROUPING),
    Bug("lag-of-unread-unknown", "8.0 does not know the lag of a group that has read nothing",
        "redis/redis #13957",
        Flip("lag_known_when_unread", False), ("redis-8.0", "redis-8.6"), GROUPING),
    Bug("entries-read-above-added", "ENTRIESREAD may be more than was ever added, as up to 8.2",
        "redis/redis #15488",
        Flip("entries_read_capped", False), ("redis-8.6",), GROUPING),
)  # fmt: skip
