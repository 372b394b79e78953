"""Bugs in the shape of replies, in XGROUP and in XINFO."""

from __future__ import annotations

from redelivery.models.commands import groups, info, pending, ranges, reading, removing

from .faults import CLAIMING, GROUPING, READING, Bug, Lines, only

EIGHT = ("redis-8.0", "valkey-8.1", "redis-8.6", "valkey-9.1")
LONG = only({"XADD": 60, "XINFO": 30}, focus=990)
BARE = only({"XADD": 10, "XGROUP": 10, "XPENDING": 10, "XRANGE": 10, "XREVRANGE": 5})

REPLIES = (
    Bug("nothing-pending-is-an-empty-list", "XPENDING of a group without pending entries is an empty array",
        "fakeredis 2.40.0",
        Lines(pending._summary, "return (0, NIL, NIL, NIL_ARRAY)", "return ()"), taste=BARE),
    Bug("no-stream-is-an-error-of-xgroup", "XREADGROUP of a missing key gets the error of XGROUP",
        "fakeredis 2.40.0",
        Lines(reading._position, "NOGROUP No such key '%b' or consumer group '%b' in XREADGROUP with GROUP option",
              "ERR The XGROUP subcommand requires the key to exist.%.0b%.0b"), taste=READING),
    Bug("nothing-read-is-an-empty-list", "XREAD that finds nothing is answered by an empty array",
        "mis-modelled: it is nil",
        Lines(reading._read, "return NIL_ARRAY", "return ()"), taste=READING),
    Bug("range-of-none-is-an-empty-list", "XRANGE COUNT 0 is answered by an empty array",
        "mis-modelled: COUNT 0 is nil here, all in XREAD, [] in XPENDING, an error in XAUTOCLAIM",
        Lines(ranges._range, "return NIL_ARRAY", "return ()"), taste=BARE),
    Bug("no-map-in-resp3", "XREAD and XREADGROUP are answered by an array in RESP3, too",
        "fakeredis 2.40.0; redis-py's own reading of it in RESP3",
        Lines(reading._read, "return Map(tuple(served), paired=True)", "return tuple(served)"), taste=READING),
    Bug("read-knows-no-plus", "XREAD + reads nothing",
        "fakeredis 2.40.0",
        Lines(reading._position, 'stream.last_id if text == b"$" else _before_last(call, stream)', "stream.last_id"),
        ("redis-8.0", "valkey-8.1", "redis-8.6"), READING),
)  # fmt: skip

GROUPS = (
    Bug("deleted-consumer-gives-back", "what a deleted consumer had pending is delivered again by >",
        "redis/redis #9745, ThreeDotsLabs/watermill-redisstream #24",
        Lines(groups.delete_consumer, "    del group.consumers",
              "    group.cursor = min([group.cursor, *(entry_id - 1 for entry_id in pending)])\n"
              "    del group.consumers"), taste=GROUPING),
    Bug("deleted-consumer-counts-itself", "XGROUP DELCONSUMER answers 1, not how many entries were pending",
        "redis/redis #12423, #13602 (how to tell whether it is safe)",
        Lines(groups.delete_consumer, "return len(pending)", "return 1"), taste=GROUPING),
    Bug("busy-before-bad", "XGROUP CREATE with a malformed ID of a group that there is says BUSYGROUP",
        "mis-modelled: the ID is looked at first",
        Lines(groups._create, "    last_id = 0 if",
              "    if stream is not None and name in stream.groups:\n"
              '        raise CommandError(b"BUSYGROUP Consumer Group name already exists")\n    last_id = 0 if'),
        taste=only({"XGROUP": 80}, wrong=300)),
    Bug("groups-in-order-of-creation", "XINFO GROUPS lists groups as they were created",
        "mis-modelled: they are sorted by the bytes of their names",
        Lines(info.groups, "for name in sorted(found.groups):", "for name in found.groups:"),
        taste=only({"XADD": 5, "XGROUP": 30, "XINFO": 40}, focus=800)),
)  # fmt: skip

XINFO = (
    Bug("xpending-is-a-sign-of-life", "XPENDING of a consumer resets its idle time",
        "redis/redis #6226, #6225",
        Lines(pending._range, "found = group.consumers[consumer].pel.items(start)",
              "found, group.consumers[consumer].seen_ms = group.consumers[consumer].pel.items(start), now_ms"),
        taste=CLAIMING),
    Bug("xack-is-a-sign-of-life", "XACK resets the idle time of the consumer whose entry it was",
        "mis-modelled: only reads and claims do",
        Lines(removing.xack, "acked += 1",
              "acked += 1\n            group.consumers[nack.consumer].seen_ms = call.now_ms"), taste=READING),
    Bug("never-active-is-idle", "a consumer that never got anything is inactive for as long as it is there",
        "mis-modelled: inactive is -1 until then, idle is not",
        Lines(info.consumers, "NEVER if never else", "call.now_ms - consumer.seen_ms if never else"), EIGHT, GROUPING),
    Bug("full-is-a-summary", "XINFO STREAM FULL shows no pending entries of a group",
        "fakeredis 2.40.0",
        Lines(info._full_group, "in islice(group.pel.items(), count)", "in ()"), taste=CLAIMING),
    Bug("full-count-zero-is-ten", "XINFO STREAM FULL COUNT 0 shows ten entries",
        "mis-modelled: it shows all, and a negative COUNT ten",
        Lines(info.stream, "10 if given < 0 else given or None", "given if given > 0 else 10"), taste=LONG),
)  # fmt: skip

BUGS = REPLIES + GROUPS + XINFO
