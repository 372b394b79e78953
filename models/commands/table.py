"""The one table of all commands: name, arity, options, since when, flags, keys.

Parsing, the reply of COMMAND, the support table in the docs and the generators of commands come from
it. Where a command changed its shape it has several rows; the last one that the release knows counts.
"""

from __future__ import annotations

from dataclasses import replace

from ..dialects import Dialect
from . import (
    adding,
    claiming,
    connection,
    deleting,
    expiring,
    groups,
    idempotent,
    info,
    keyspace,
    lists,
    lists_blocking,
    nacking,
    pending,
    pubsub,
    ranges,
    reading,
    removing,
    strings,
    transactions,
    waiting,
)
from .call import Command, Handler, Option

WRITE = frozenset({"write"})
READ = frozenset({"readonly"})
FAST = frozenset({"fast"})
NO_MULTI = frozenset({"no-multi"})
BLOCKING = frozenset({"blocking"})
BESIDE = frozenset({"beside"})
"""They say themselves what copies of the server are to be told."""
ONE = (1, 1, 1)
NONE = (0, 0, 0)
NUMBERED = (-2, -2, 1)
"""The keys follow their number."""
STREAMS = (-1, -1, 1)
"""The keys follow the word STREAMS, one half of what stands after it."""

ARGC_MAX = 2**31 - 1
"""More arguments than any command line has."""

IDS = Option("IDS", ("many-ids",))
REFERENCES = (Option("KEEPREF", since=(8, 2)), Option("DELREF", since=(8, 2)), Option("ACKED", since=(8, 2)))
LIMITS = (Option("MAXCOUNT", ("limit",), since=(8, 10)), Option("MAXSIZE", ("many-bytes",), since=(8, 10)))
CLAIM = Option("CLAIM", ("claim-idle",), since=(8, 4))
COUNT = Option("COUNT", ("count",))
BLOCK = Option("BLOCK", ("ms",))
GROUP = Option("GROUP", ("group", "consumer"))
TRIMMING = (
    Option("MAXLEN", ("trim-length",)),
    Option("MINID", ("trim-id",), since=(6, 2)),
    Option("LIMIT", ("limit",), since=(6, 2)),
    *REFERENCES,
)
IDEMPOTENCE = (
    Option("IDMPAUTO", ("producer",), since=(8, 6)),
    Option("IDMP", ("producer", "iid"), since=(8, 6)),
)


def _sub(
    name: str,
    arity: int,
    run: Handler,
    flags: frozenset[str],
    *rest: str,
    options: tuple[Option, ...] = (),
    since: tuple[int, int] = (5, 0),
) -> Command:
    return Command(name, arity, run, flags, (2, 2, 1) if rest else (0, 0, 0), rest, options, since)


XGROUP = (
    _sub("CREATE", -5, groups.create, WRITE, "key", "group", "id-or-last",
         options=(Option("MKSTREAM"), Option("ENTRIESREAD", ("entries-read",), since=(7, 0)))),
    _sub("SETID", -5, groups.set_id, WRITE, "key", "group", "id-or-last",
         options=(Option("ENTRIESREAD", ("entries-read",), since=(7, 0)),)),
    _sub("DESTROY", 4, groups.destroy, WRITE, "key", "group"),
    _sub("CREATECONSUMER", 5, groups.create_consumer, WRITE, "key", "group", "consumer", since=(6, 2)),
    _sub("DELCONSUMER", 5, groups.delete_consumer, WRITE, "key", "group", "consumer"),
    _sub("HELP", 2, groups.help_text, READ),
)  # fmt: skip

XINFO = (
    _sub("STREAM", -3, info.stream, READ, "key", options=(Option("FULL", since=(6, 0)), COUNT)),
    _sub("GROUPS", 3, info.groups, READ, "key"),
    _sub("CONSUMERS", 4, info.consumers, READ, "key", "group"),
    _sub("HELP", 2, info.help_text, READ),
)

LISTS = (
    Command("LPUSH", -3, lists.lpush, WRITE | FAST, ONE, ("key", "elements")),
    Command("RPUSH", -3, lists.rpush, WRITE | FAST, ONE, ("key", "elements")),
    Command("LPUSHX", -3, lists.lpushx, WRITE | FAST, ONE, ("key", "elements")),
    Command("RPUSHX", -3, lists.rpushx, WRITE | FAST, ONE, ("key", "elements")),
    Command("LPOP", 2, lists.lpop, WRITE | FAST, ONE, ("key",)),
    Command("LPOP", -2, lists.lpop, WRITE | FAST, ONE, ("key", "maybe-count"), (), (6, 2)),
    Command("RPOP", 2, lists.rpop, WRITE | FAST, ONE, ("key",)),
    Command("RPOP", -2, lists.rpop, WRITE | FAST, ONE, ("key", "maybe-count"), (), (6, 2)),
    Command("LLEN", 2, lists.llen, READ | FAST, ONE, ("key",)),
    Command("LRANGE", 4, lists.lrange, READ, ONE, ("key", "index", "index")),
    Command("LINDEX", 3, lists.lindex, READ, ONE, ("key", "index")),
    Command("LSET", 4, lists.lset, WRITE, ONE, ("key", "index", "element")),
    Command("LREM", 4, lists.lrem, WRITE, ONE, ("key", "index", "element")),
    Command("LTRIM", 4, lists.ltrim, WRITE, ONE, ("key", "index", "index")),
    Command("LINSERT", 5, lists.linsert, WRITE, ONE, ("key", "before-or-after", "element", "element")),
    Command("LPOS", -3, lists.lpos, READ, ONE, ("key", "element"),
            (Option("RANK", ("index",)), Option("COUNT", ("count",)), Option("MAXLEN", ("count",)))),
    Command("RPOPLPUSH", 3, lists.rpoplpush, WRITE, (1, 2, 1), ("key", "list")),
    Command("LMOVE", 5, lists.lmove, WRITE, (1, 2, 1), ("key", "list", "side", "side"), (), (6, 2)),
    Command("LMPOP", -4, lists.lmpop, WRITE, NUMBERED, ("numbered-lists", "side"),
            (Option("COUNT", ("count",)),), (7, 0)),
    Command("BLPOP", -3, lists_blocking.blpop, WRITE | BLOCKING, (1, -2, 1), ("lists", "timeout")),
    Command("BRPOP", -3, lists_blocking.brpop, WRITE | BLOCKING, (1, -2, 1), ("lists", "timeout")),
    Command("BRPOPLPUSH", 4, lists_blocking.brpoplpush, WRITE | BLOCKING, (1, 2, 1), ("key", "list", "timeout")),
    Command("BLMOVE", 6, lists_blocking.blmove, WRITE | BLOCKING, (1, 2, 1),
            ("key", "list", "side", "side", "timeout"), (), (6, 2)),
    Command("BLMPOP", -5, lists_blocking.blmpop, WRITE | BLOCKING, NUMBERED,
            ("timeout", "numbered-lists", "side"), (Option("COUNT", ("count",)),), (7, 0)),
)  # fmt: skip

CONDITIONS = tuple(Option(word, since=(7, 0)) for word in ("NX", "XX", "GT", "LT"))
SETTING = (
    Option("NX"), Option("XX"), Option("GET", since=(6, 2)), Option("EX", ("seconds",)), Option("PX", ("ms",)),
    Option("EXAT", ("unix-seconds",), since=(6, 2)), Option("PXAT", ("unix-ms",), since=(6, 2)),
    Option("KEEPTTL", since=(6, 0)),
)  # fmt: skip
FLUSHES = (Option("ASYNC", since=(4, 0)), Option("SYNC", since=(6, 2)))

KEYS = (
    Command("DEL", -2, keyspace.delete, WRITE, (1, -1, 1), ("keys",)),
    Command("UNLINK", -2, keyspace.delete, WRITE | FAST, (1, -1, 1), ("keys",)),
    Command("EXISTS", -2, keyspace.exists, READ | FAST, (1, -1, 1), ("keys",)),
    Command("TYPE", 2, keyspace.type_of, READ | FAST, ONE, ("key",)),
    Command("SET", -3, strings.set_, WRITE | BESIDE, ONE, ("key", "value"), SETTING),
    Command("GET", 2, strings.get, READ | FAST, ONE, ("key",)),
    Command("RENAME", 3, keyspace.rename, WRITE, (1, 2, 1), ("key", "other-key")),
    Command("RENAMENX", 3, keyspace.renamenx, WRITE | FAST, (1, 2, 1), ("key", "other-key")),
    Command("COPY", -3, keyspace.copy, WRITE, (1, 2, 1), ("key", "other-key"),
            (Option("DB", ("database",)), Option("REPLACE")), (6, 2)),
    Command("MOVE", 3, keyspace.move, WRITE | FAST, ONE, ("key", "database")),
    Command("EXPIRE", 3, expiring.expire, WRITE | FAST, ONE, ("key", "seconds")),
    Command("EXPIRE", -3, expiring.expire, WRITE | FAST, ONE, ("key", "seconds"), CONDITIONS, (7, 0)),
    Command("PEXPIRE", 3, expiring.pexpire, WRITE | FAST, ONE, ("key", "ms")),
    Command("PEXPIRE", -3, expiring.pexpire, WRITE | FAST, ONE, ("key", "ms"), CONDITIONS, (7, 0)),
    Command("EXPIREAT", 3, expiring.expireat, WRITE | FAST, ONE, ("key", "unix-seconds")),
    Command("EXPIREAT", -3, expiring.expireat, WRITE | FAST, ONE, ("key", "unix-seconds"), CONDITIONS, (7, 0)),
    Command("PEXPIREAT", 3, expiring.pexpireat, WRITE | FAST, ONE, ("key", "unix-ms")),
    Command("PEXPIREAT", -3, expiring.pexpireat, WRITE | FAST, ONE, ("key", "unix-ms"), CONDITIONS, (7, 0)),
    Command("TTL", 2, expiring.ttl, READ | FAST, ONE, ("key",)),
    Command("PTTL", 2, expiring.pttl, READ | FAST, ONE, ("key",)),
    Command("EXPIRETIME", 2, expiring.expiretime, READ | FAST, ONE, ("key",), (), (7, 0)),
    Command("PEXPIRETIME", 2, expiring.pexpiretime, READ | FAST, ONE, ("key",), (), (7, 0)),
    Command("PERSIST", 2, expiring.persist, WRITE | FAST, ONE, ("key",)),
    Command("SELECT", 2, keyspace.select, FAST, (0, 0, 0), ("database",)),
    Command("SWAPDB", 3, keyspace.swapdb, WRITE | FAST, (0, 0, 0), ("database", "database")),
    Command("FLUSHDB", -1, keyspace.flushdb, WRITE, options=FLUSHES),
    Command("FLUSHALL", -1, keyspace.flushall, WRITE, options=FLUSHES),
    Command("DBSIZE", 1, keyspace.dbsize, READ | FAST),
)  # fmt: skip

PUBSUB = (
    Command("CHANNELS", -2, pubsub.channels, READ, NONE, ("maybe-pattern",)),
    Command("NUMSUB", -2, pubsub.numsub, READ, NONE, ("channels",)),
    Command("NUMPAT", 2, pubsub.numpat, READ),
    Command("HELP", 2, pubsub.help_text, READ),
)

CHANNELS = (
    Command("SUBSCRIBE", -2, pubsub.subscribe, FAST, NONE, ("channels",)),
    Command("UNSUBSCRIBE", -1, pubsub.unsubscribe, FAST | NO_MULTI, NONE, ("channels",)),
    Command("PSUBSCRIBE", -2, pubsub.psubscribe, FAST, NONE, ("patterns",)),
    Command("PUNSUBSCRIBE", -1, pubsub.punsubscribe, FAST | NO_MULTI, NONE, ("patterns",)),
    Command("PUBLISH", 3, pubsub.publish, FAST, NONE, ("channel", "value")),
    Command("PUBSUB", -2, pubsub.pubsub_by_hand, READ, NONE, ("subcommand",)),
    Command("PUBSUB", -2, pubsub.pubsub_by_hand, READ, NONE, (), (), (7, 0), subcommands=PUBSUB),
)

CLIENT = (
    Command("ID", 2, connection.client_id, FAST),
    Command("GETNAME", 2, connection.get_name, FAST),
    Command("SETNAME", 3, connection.set_name, FAST, NONE, ("name",)),
    Command("UNBLOCK", -3, connection.unblock, FAST, NONE, ("client", "reason")),
    Command("HELP", 2, connection.help_text, FAST),
)

CONNECTION = (
    Command("TIME", 1, connection.time, FAST),
    Command("PING", -1, connection.ping, FAST),
    Command("ECHO", 2, connection.echo, FAST, NONE, ("value",)),
    Command("QUIT", -1, connection.quit_session, FAST | NO_MULTI),
    Command("RESET", 1, connection.reset, FAST | NO_MULTI, since=(6, 2)),
    Command("HELLO", -2, connection.hello, FAST, NONE, ("protocol",), (), (6, 0)),
    Command("HELLO", -1, connection.hello, FAST, NONE, ("protocol",), (), (6, 2)),
    Command("CLIENT", -2, connection.client_by_hand, FAST, NONE, ("subcommand",)),
    Command("CLIENT", -2, connection.client_by_hand, FAST, NONE, (), (), (7, 0), subcommands=CLIENT),
)

TABLE: tuple[Command, ...] = (
    Command("XADD", -5, adding.xadd, WRITE | FAST, (1, 1, 1), ("key", "new-id", "fields"),
            (Option("NOMKSTREAM", since=(6, 2)), *TRIMMING, *IDEMPOTENCE), (5, 0)),
    Command("XTRIM", -2, adding.xtrim, WRITE, (1, 1, 1), ("key",), TRIMMING, (5, 0)),
    Command("XTRIM", -4, adding.xtrim, WRITE, (1, 1, 1), ("key",), TRIMMING, (6, 2)),
    Command("XLEN", 2, ranges.xlen, READ | FAST, (1, 1, 1), ("key",), (), (5, 0)),
    Command("XRANGE", -4, ranges.xrange, READ, (1, 1, 1), ("key", "start", "end"), (COUNT,), (5, 0)),
    Command("XREVRANGE", -4, ranges.xrevrange, READ, (1, 1, 1), ("key", "end", "start"), (COUNT,), (5, 0)),
    Command("XREAD", -4, reading.xread, READ, STREAMS, ("streams",),
            (COUNT, BLOCK, Option("STREAMS"), GROUP, Option("NOACK"), CLAIM, *LIMITS), (5, 0)),
    Command("XREADGROUP", -7, reading.xreadgroup, WRITE, STREAMS, ("streams",),
            (GROUP, COUNT, BLOCK, Option("NOACK"), CLAIM, *LIMITS, Option("STREAMS")), (5, 0)),
    Command("XACK", -4, removing.xack, WRITE | FAST, (1, 1, 1), ("key", "group", "ids"), (), (5, 0)),
    Command("XDEL", -3, removing.xdel, WRITE | FAST, (1, 1, 1), ("key", "ids"), (), (5, 0)),
    Command("XSETID", 3, removing.xsetid, WRITE | FAST, (1, 1, 1), ("key", "id"), (), (5, 0)),
    Command("XSETID", -3, removing.xsetid, WRITE | FAST, (1, 1, 1), ("key", "id"),
            (Option("ENTRIESADDED", ("entries-added",)), Option("MAXDELETEDID", ("id",))), (7, 0)),
    Command("XPENDING", -3, pending.xpending, READ, (1, 1, 1), ("key", "group"),
            (Option("IDLE", ("ms",), since=(6, 2)),), (5, 0)),
    Command("XCLAIM", -6, claiming.xclaim, WRITE | FAST, (1, 1, 1),
            ("key", "group", "consumer", "min-idle", "ids"),
            (Option("IDLE", ("ms",)), Option("TIME", ("unix-ms",)), Option("RETRYCOUNT", ("count",)),
             Option("FORCE"), Option("JUSTID"), Option("LASTID", ("id",))), (5, 0)),
    Command("XAUTOCLAIM", -6, claiming.xautoclaim, WRITE | FAST, (1, 1, 1),
            ("key", "group", "consumer", "min-idle", "start"), (COUNT, Option("JUSTID")), (6, 2)),
    Command("XDELEX", -5, deleting.xdelex, WRITE | FAST, (1, 1, 1), ("key",), (*REFERENCES, IDS), (8, 2)),
    Command("XACKDEL", -6, deleting.xackdel, WRITE | FAST, (1, 1, 1), ("key", "group"), (*REFERENCES, IDS), (8, 2)),
    Command("XNACK", -7, nacking.xnack, WRITE | FAST, (1, 1, 1), ("key", "group", "nack-mode", "ids-block"),
            (IDS, Option("RETRYCOUNT", ("count",)), Option("FORCE")), (8, 8)),
    Command("XCFGSET", -2, idempotent.xcfgset, WRITE | FAST, (1, 1, 1), ("key",),
            (Option("IDMP-DURATION", ("idmp-seconds",)), Option("IDMP-MAXSIZE", ("idmp-records",))), (8, 6)),
    Command("XIDMPRECORD", 5, idempotent.xidmprecord, WRITE | FAST, (1, 1, 1),
            ("key", "producer", "iid", "recent-id"), (), (8, 6)),
    Command("XGROUP", -2, groups.xgroup_by_hand, WRITE, (2, 2, 1), ("subcommand",), (), (5, 0)),
    Command("XGROUP", -2, groups.xgroup_by_hand, WRITE, (2, 2, 1), (), (), (7, 0), subcommands=XGROUP),
    Command("XINFO", -2, info.xinfo_by_hand, READ, (2, 2, 1), ("subcommand",),
            (Option("FULL", since=(6, 0)), COUNT), (5, 0)),
    Command("XINFO", -2, info.xinfo_by_hand, READ, (2, 2, 1), (), (), (7, 0), subcommands=XINFO),
    *LISTS,
    *KEYS,
    *CHANNELS,
    *CONNECTION,
    Command("MULTI", 1, transactions.multi, FAST | NO_MULTI),
    Command("EXEC", 1, transactions.execute, NO_MULTI),
    Command("DISCARD", 1, transactions.discard, FAST | NO_MULTI),
    Command("WATCH", -2, transactions.watch, FAST | NO_MULTI, (1, -1, 1), ("keys",)),
    Command("UNWATCH", 1, transactions.unwatch, FAST),
)  # fmt: skip

WAIT = Command("WAIT", 3, waiting.wait, BLOCKING, NONE, ("replicas", "ms"), (), (3, 0))
WAITAOF = Command("WAITAOF", 4, waiting.waitaof, BLOCKING, NONE, ("files", "replicas", "ms"), (), (7, 2))

EVERY = (*TABLE, WAIT, WAITAOF)
"""All that the simulated server knows. The last two ask who follows it, so they have comparisons of their own."""


def commands_of(dialect: Dialect, rows: tuple[Command, ...] = TABLE) -> dict[bytes, Command]:
    """The commands of a dialect by upper-case name, each with the options that it has there."""
    known = (command for command in rows if dialect.has(command.since, command.since_valkey))
    return {command.name.encode(): _at(command, dialect) for command in known}


def subcommands_of(command: Command) -> dict[bytes, Command]:
    """The subcommands of a command by upper-case name; empty where it has none."""
    return {sub.name.encode(): sub for sub in command.subcommands}


def _at(command: Command, dialect: Dialect) -> Command:
    options = tuple(option for option in command.options if dialect.has(option.since, option.since_valkey))
    words = [option.word.encode() for option in options]
    return replace(
        command,
        options=options,
        words={spelling: word for word in words for spelling in (word, word.lower())},
        argc_min=abs(command.arity),
        argc_max=command.arity if command.arity >= 0 else ARGC_MAX,
        subcommands=tuple(
            _at(sub, dialect) for sub in command.subcommands if dialect.has(sub.since, sub.since_valkey)
        ),
    )
