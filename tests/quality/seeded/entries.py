"""Bugs in IDs, in adding and removing entries, in acknowledging and in trimming."""

from __future__ import annotations

from redelivery.models import trim
from redelivery.models.commands import adding, removing, stream_ids

from .faults import READING, REMOVING, Bug, Lines, only

PENDING = only({"XADD": 25, "XGROUP": 8, "XREADGROUP": 30, "XDEL": 10, "XTRIM": 10, "XPENDING": 10})
SETTLING_BADLY = only({"XADD": 20, "XGROUP": 8, "XREADGROUP": 30, "XACK": 30}, wrong=300)
SETTLING = "for entry_id in strict_ids(call.argv[3:]):"
TEXT = 'b"%%d-%%d" %% (%s >> 64, %s & (1 << 64) - 1)'
LAST, LEAST = TEXT % (("node.ids[-1]",) * 2), TEXT % (("want.minid",) * 2)

IDS = (
    Bug("clock-back-refuses", "XADD * fails when the clock is behind the last ID",
        "cunla/fakeredis-py #368",
        Lines(adding._new_id, "return ids.next_generated(stream.last_id, call.now_ms)", "entry_id = call.now_ms << 64"),
        taste=REMOVING),
    Bug("deleting-frees-the-id", "after XDEL of the newest entry its ID may be given again",
        "mis-modelled: last-generated-id stays, also in an empty stream",
        Lines(removing.xdel, "    if deleted:\n", "    if deleted:\n        stream.last_id = stream.last_live_id()\n"),
        taste=REMOVING),
    Bug("empty-stream-goes", "the key goes with the last entry, as a list does",
        "mis-modelled: an empty stream keeps its groups and its last ID",
        Lines(removing.xdel, "call.touch(key)",
              'call.touch(key)\n        if not stream.length:\n            call.server.remove_key(key, "XDEL", [])'),
        taste=REMOVING),
    Bug("setid-does-nothing", "XSETID answers OK and leaves the last ID",
        "fakeredis 2.40.0 (has no XSETID)",
        Lines(removing.xsetid, "    stream.last_id = last_id\n", ""), taste=REMOVING),
    Bug("open-end-is-closed", "( does not exclude the start of a range",
        "mis-modelled: exclusive ranges, 6.2",
        Lines(stream_ids._range_start, "return entry_id + 1", "return entry_id"), ("redis-6.2", "redis-7.0"), REMOVING),
    Bug("xack-takes-any-id", "XACK answers 0 for what is no ID",
        "fakeredis 2.40.0",
        Lines(removing.xack, SETTLING, "for entry_id in strict_ids(t for t in call.argv[3:] if t[:1].isdigit()):"),
        taste=SETTLING_BADLY),
    Bug("xack-in-part", "XACK has acknowledged the IDs before a wrong one",
        "Redis 5.0",
        Lines(removing.xack, SETTLING, "for entry_id in map(strict_id, call.argv[3:]):"), taste=SETTLING_BADLY),
    Bug("xack-counts-what-it-is-told", "XACK answers how many IDs it was given, also those acknowledged before",
        "apache/kvrocks PR #3578, walmartlabs/cookie-cutter PR #305",
        Lines(removing.xack, "return acked", "return len(call.argv) - 3"), taste=READING),
)  # fmt: skip

TRIM = (
    Bug("trimming-acknowledges", "what is trimmed is no longer pending",
        "redis/redis #6199, #10756",
        Lines(adding._trim, "    if removed:\n",
              "    for group in stream.groups.values():\n        for gone in removed:\n"
              "            group.release(gone)\n    if removed:\n"), taste=PENDING),
    Bug("deleting-acknowledges", "what is deleted is no longer pending",
        "redis/redis #10198, ThreeDotsLabs/watermill-redisstream #38",
        Lines(removing.xdel, "    if deleted:\n",
              "    for group in stream.groups.values():\n        for gone in deleted:\n"
              "            group.release(gone)\n    if deleted:\n"), taste=PENDING),
    Bug("about-is-exact", "~ trims to the entry, not to the node",
        "fakeredis 2.37.1",
        Lines(trim.trim, "if not want.approximate:", "if True:"), taste=REMOVING),
    Bug("limit-ignored", "LIMIT does not bound what ~ removes",
        "mis-modelled: fewer than a node's entries are none at all",
        Lines(trim.trim, "if want.limit and len(removed) + node.live > want.limit:", "if False:"),
        ("redis-6.2", "redis-7.0"), REMOVING),
    Bug("node-must-leave-more", "MAXLEN ~ keeps a node whose going would leave exactly MAXLEN entries",
        "mis-modelled: head nodes go that leave MAXLEN or more",
        Lines(trim._removable, "stream.length - node.live >= want.maxlen", "stream.length - node.live > want.maxlen"),
        taste=REMOVING),
    Bug("ids-compared-as-text", "MINID compares IDs as texts: 10-1 lies before 9-1",
        "mis-modelled: applications that take the least of IDs as texts, and trim by it",
        Lines(trim._removable, "node.ids[-1] < want.minid", f"{LAST} < {LEAST}"),
        ("redis-6.2", "redis-7.0"), REMOVING),
)  # fmt: skip

BUGS = IDS + TRIM
