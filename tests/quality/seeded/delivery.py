"""Bugs in what a group delivers: XREADGROUP, the history of a consumer, NOACK, and SETID backwards."""

from __future__ import annotations

from redelivery.models.commands import delivering, groups, reading

from .faults import GROUPING, READING, Bug, Lines, only

HALF_KNOWN = only({"XADD": 20, "XGROUP": 20, "XREADGROUP": 40}, focus=600)
AT_ONCE = "tuple([_position(call, want, key, text) for key, text in zip(want.keys, texts, strict=True)])"
ONE_AFTER_THE_OTHER = "map(lambda key, text: _position(call, want, key, text), want.keys, texts)"

BUGS = (
    Bug("history-gives-the-next-entry", "the history of a deleted entry shows the fields of the one after it",
        "redis/redis #5570, #5544, #6930",
        Lines(delivering.history, "fields = stream.get(entry_id)",
              "fields = next((found for _, found in stream.ascending(entry_id, ids.ID_MAX, 1)), None)"), taste=READING),
    Bug("history-hides-deleted", "the history leaves out deleted entries",
        "redis/lettuce #1622, redis/redis #6199",
        Lines(delivering.history, "reply.append((ids.show(entry_id), NIL_ARRAY))", "pass"), taste=READING),
    Bug("history-keeps-idle", "reading the history again lets the entries go on being idle",
        "fakeredis 2.40.0",
        Lines(delivering.history, "entry_id, consumer, call.now_ms", "entry_id, consumer, nack.delivered_ms"),
        taste=READING),
    Bug("history-is-no-delivery", "reading the history again does not count as a delivery",
        "fakeredis 2.40.0",
        Lines(delivering.history, "one_more(nack.count, call.dialect)", "nack.count"), taste=READING),
    Bug("history-reads-the-stream", "XREADGROUP with an ID reads the stream, and not what is pending",
        "cunla/fakeredis-py #469",
        Lines(reading._group_entries, "return history(",
              "return (_entries(stream, want, position, budget) or ()) if True else history("), taste=READING),
    Bug("history-may-be-nothing", "a history that is empty is answered by nil, or waits",
        "redis/redis #6587, #6227",
        Lines(reading._group_entries, "return history(",
              "return (lambda *given, **more: history(*given, **more) or None)("), taste=READING),
    Bug("noack-is-pending", "what is read with NOACK is pending all the same",
        "redis/redis #5104, redisson/redisson #3473",
        Lines(delivering.deliver, "if not noack:", "if True:"), taste=READING),
    Bug("redelivery-keeps-count", "after SETID backwards an entry that is still pending goes on counting deliveries",
        "redis/redis PR #14726",
        Lines(delivering.deliver, "consumer, now_ms, 1",
              "consumer, now_ms, getattr(group.pel.get(entry_id), 'count', 0) + 1"),
        taste=GROUPING),
    Bug("redelivery-keeps-owner", "after SETID backwards an entry that is still pending stays with its owner",
        "redis/redis #5111, PR #5112",
        Lines(delivering.deliver, "if not noack:", "if not noack and group.pel.get(entry_id) is None:"),
        taste=GROUPING),
    Bug("count-is-for-all-streams", "COUNT 1 over several streams gives one entry in all",
        "redis/redis #11116",
        Lines(reading._read, "if stream is None:", "if stream is None or (served and want.count_max == 1):"),
        taste=READING),
    Bug("error-after-delivery", "a read of two streams, the second without the group, has delivered from the first",
        "dragonflydb/dragonfly #8070",
        Lines(reading._read, AT_ONCE, ONE_AFTER_THE_OTHER), taste=HALF_KNOWN),
    Bug("empty-read-makes-consumer", "a read that finds nothing new creates the consumer, as from 7.2 on",
        "redis/redis-doc #2054, redis/redis PR #14963",
        Lines(reading._group_entries, "if nothing_new and not call.dialect.tracks_active_time:", "if False:"),
        taste=READING),
    Bug("group-at-the-end-starts-at-the-beginning", "a group created at $ gets what is there already",
        "a tutorial says so; dotnetcore/CAP #1234, trailofbits/buttercup #68",
        Lines(groups._create, 'last_id if shown(text) == b"$"', '0 if shown(text) == b"$"'), taste=READING),
    Bug("setid-to-the-last-live-entry", "XGROUP SETID $ means the last entry that is still there",
        "fakeredis 2.37.1 ($ and 0 wrong)",
        Lines(groups._set_id, "stream.last_id if", "stream.last_live_id() if"), taste=GROUPING),
)  # fmt: skip
