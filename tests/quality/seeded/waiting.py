"""Bugs in who waits, who is woken and with what; and in transactions."""

from __future__ import annotations

from dataclasses import replace

from redelivery.models import blocking
from redelivery.models.commands import groups, reading, removing, transactions, waking

from .faults import BLOCKING, Bug, Flip, Lines, only

RETRIED = ("redis-8.0", "valkey-8.1", "redis-8.6", "valkey-9.1")
QUEUEING = only({"XADD": 20, "XGROUP": 2, "XREADGROUP": 70}, focus=1000, block=1000)
TOGETHER = only({"XADD": 30, "XGROUP": 5, "XREADGROUP": 25, "XREAD": 15, "MULTI": 10}, focus=990, block=900)
DELETING = only({"XADD": 20, "XGROUP": 8, "XREADGROUP": 40, "DEL": 15}, focus=990, block=900)
DESTROYING = only({"XADD": 15, "XGROUP": 40, "XREADGROUP": 40}, focus=990, block=900)
REMOVING = only({"XADD": 20, "XGROUP": 8, "XREADGROUP": 40, "XDEL": 20}, block=600)
WATCHING = only({"XADD": 10, "XGROUP": 6, "XREADGROUP": 20, "XACK": 20, "WATCH": 20, "MULTI": 10, "EXEC": 10})
MULTIPLE = replace(only({"XADD": 20, "XGROUP": 10, "XREADGROUP": 10, "XLEN": 10, "MULTI": 20}, focus=500), damaged=200)

ALL = "replies = tuple([server.run(session, argv, call.now_ms, call.facts, may_block=False) for argv in queue])"
UP_TO_AN_ERROR = """replies = ()
    for argv in queue:
        replies += (server.run(session, argv, call.now_ms, call.facts, may_block=False),)
        if isinstance(replies[-1], Failure):
            break"""

FOR_EVER = """server.go_on_waiting(session, key)
        server.postpone(session, None)"""

BUGS = (
    Bug("deleted-tail-is-new", "a read is answered by an empty array where the newest entry was deleted",
        "redis/redis PR #6703, PR #10035",
        Lines(reading._group_entries, "stream.last_live_id() <= group.cursor", "stream.last_id <= group.cursor"),
        taste=REMOVING),
    Bug("wakes-when-the-key-goes", "a blocked XREADGROUP is told that its key was deleted, as from 7.0 on",
        "redis/redis #6887, PR #10306",
        Flip("blocked_notices_deletion", True), ("redis-6.2", "redis-6.0"), DELETING),
    Bug("sleeps-when-the-key-goes", "a blocked XREADGROUP is not told that its key was deleted, as up to 6.2",
        "redis/redis #6887, dragonflydb/dragonfly #7903",
        Flip("blocked_notices_deletion", False), ("redis-7.0", "redis-8.0"), DELETING),
    Bug("sleeps-when-the-group-goes", "a blocked XREADGROUP is not told that its group was destroyed",
        "redis/redis PR #10306, PR #6905",
        Lines(groups.destroy, "call.server.signal(key)", "pass"), taste=DESTROYING),
    Bug("last-come-first-served", "of those who wait in one group the last to come gets the entry",
        "mis-modelled: who waits longest is served first",
        Lines(blocking.Blocking.block, ".append(session.id)", ".insert(0, session.id)"), taste=BLOCKING),
    Bug("gives-up-too-early", "who waits gives up at its deadline, not past it",
        "redisson/redisson #3076 (a reply at the very end of the wait)",
        Lines(blocking.Blocking.expire, "session.wait.deadline_ms < now_ms", "session.wait.deadline_ms <= now_ms"),
        taste=BLOCKING),
    Bug("forgets-its-deadline", "who was woken for nothing waits on without its deadline",
        "redis/redis #12998, redis/go-redis #2963 (its wait began anew)",
        Lines(waking.run_again, "server.go_on_waiting(session, key)", FOR_EVER), RETRIED, QUEUEING),
    Bug("end-moves-on", "$ means the end at the time of waking, so that what was added is missed",
        "mis-modelled: $ is looked up once, when the client blocks",
        Lines(reading._wait, "argv[want.ids_at + i] = ids.show(position)", "pass"), RETRIED, BLOCKING),
    Bug("woken-without-count", "who was blocked gets more than COUNT entries",
        "cunla/fakeredis-py #237, #344",
        Lines(waking._serve_one_key, "count = wait.count or BLOCKED_COUNT_DEFAULT", "count = BLOCKED_COUNT_DEFAULT"),
        taste=TOGETHER),
    Bug("woken-noack-is-pending", "what a blocked client gets with NOACK is pending all the same",
        "redis/redis #5104, PR #5109",
        Lines(waking._serve_one_key, "noack=wait.noack", "noack=False"), taste=BLOCKING),
    Bug("exec-stops-at-an-error", "EXEC runs nothing after a command that fails",
        "mis-modelled: every queued command runs",
        Lines(transactions.execute, ALL, UP_TO_AN_ERROR), taste=MULTIPLE),
    Bug("exec-forgives-refusals", "EXEC runs although a command was refused while queueing",
        "mis-modelled: EXECABORT",
        Lines(transactions.refuse, "session.broken = True", "pass"), taste=MULTIPLE),
    Bug("xack-touches-the-key", "XACK makes a transaction fail that watches the key",
        "mis-modelled: only what changes entries touches a key",
        Lines(removing.xack, "acked += 1", "acked += 1\n            call.touch(key)"), taste=WATCHING),
)  # fmt: skip
