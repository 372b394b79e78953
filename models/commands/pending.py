"""XPENDING: what was delivered and not acknowledged. Source: xpendingCommand."""

from __future__ import annotations

from collections.abc import Iterator

from .. import ids
from ..group import Group, Pending
from ..replies import NIL, NIL_ARRAY, Reply
from .call import SYNTAX, Call, CommandError, need_integer, shown
from .stream_ids import range_end, range_start


def xpending(call: Call) -> Reply:
    """XPENDING key group [[IDLE ms] start end count [consumer]]"""
    argv = call.argv
    argc = len(argv)
    if argc == 3:
        return _summary(_group(call))
    if not 6 <= argc <= call.dialect.xpending_argc_max:
        raise CommandError(SYNTAX)
    at, min_idle_ms = 3, 0
    if call.takes(argv[3]) == b"IDLE":
        min_idle_ms = need_integer(argv[4])
        if argc < 8:
            raise CommandError(SYNTAX)
        at = 5
    count = need_integer(argv[at + 2])
    start = range_start(argv[at], call.dialect.open_ranges)
    end = range_end(argv[at + 1], call.dialect.open_ranges)
    consumer = argv[at + 3] if argc > at + 3 else None  # what comes after it is ignored
    return _range(_group(call), start, end, count, min_idle_ms, consumer, call.now_ms)


def _group(call: Call) -> Group:
    key, name = call.argv[1], call.argv[2]
    stream = call.stream(key)
    group = None if stream is None else stream.groups.get(name)
    if group is None:
        raise CommandError(b"NOGROUP No such key '%b' or consumer group '%b'" % (shown(key), shown(name)))
    return group


def _summary(group: Group) -> Reply:
    if not len(group.pel):
        return (0, NIL, NIL, NIL_ARRAY)
    owners = tuple((c.name, b"%d" % len(c.pel)) for c in group.sorted_consumers() if len(c.pel))
    return (len(group.pel), ids.show(group.pel.first()), ids.show(group.pel.last()), owners)


def _range(
    group: Group, start: int, end: int, count: int, min_idle_ms: int, consumer: bytes | None, now_ms: int
) -> Reply:
    found: Iterator[tuple[int, Pending]]
    if consumer is None:
        found = group.pel.items(start)
    elif consumer in group.consumers:
        found = group.consumers[consumer].pel.items(start)
    else:
        return ()
    rows: list[Reply] = []
    for entry_id, nack in found:
        if entry_id > end or len(rows) >= count:
            break
        idle_ms = now_ms - nack.delivered_ms
        if min_idle_ms and idle_ms < min_idle_ms:
            continue
        shown_ms = max(idle_ms, 0) if nack.consumer is not None else -1
        rows.append((ids.show(entry_id), nack.consumer or b"", shown_ms, ids.signed64(nack.count)))
    return tuple(rows)
