"""XLEN, XRANGE, XREVRANGE: reading entries by ID. Source: xrangeGenericCommand."""

from __future__ import annotations

from .. import ids
from ..replies import NIL_ARRAY, Reply
from .call import SYNTAX, Call, CommandError, need_integer
from .stream_ids import range_end, range_start


def xlen(call: Call) -> Reply:
    """XLEN key"""
    stream = call.stream(call.argv[1])
    return 0 if stream is None else stream.length


def xrange(call: Call) -> Reply:
    """XRANGE key start end [COUNT n]"""
    return _range(call, 2, 3, reverse=False)


def xrevrange(call: Call) -> Reply:
    """XREVRANGE key end start [COUNT n]"""
    return _range(call, 3, 2, reverse=True)


def _range(call: Call, start_at: int, end_at: int, *, reverse: bool) -> Reply:
    argv = call.argv
    start = range_start(argv[start_at], call.dialect.open_ranges)
    end = range_end(argv[end_at], call.dialect.open_ranges)
    count: int | None = None
    at = 4
    while at < len(argv):
        if call.takes(argv[at]) != b"COUNT" or at + 1 >= len(argv):
            raise CommandError(SYNTAX)
        count = max(need_integer(argv[at + 1]), 0)
        at += 2
    stream = call.stream(argv[1])
    if stream is None:
        return ()
    if count == 0:
        return NIL_ARRAY
    found = stream.descending(start, end, count) if reverse else stream.ascending(start, end, count)
    return tuple([(ids.show(entry_id), fields) for entry_id, fields in found])
