"""DEBUG and the commands of persistence: what tests of servers use, as far as it means something here."""

from __future__ import annotations

from dataclasses import replace

from ...models.commands.call import NO_SUCH_KEY, Call, Command, CommandError, shown
from ...models.commands.groups import subcommand_error
from ...models.reload import reloaded
from ...models.replies import OK, Reply, Simple
from ...models.stream import Stream
from ...models.timeouts import milliseconds
from .configuring import host_of
from .looking import encoding


def save(call: Call) -> Reply:
    """SAVE: what there is now survives a crash."""
    host_of(call).durable.save()
    return OK


def bgsave(call: Call) -> Reply:
    """BGSAVE: here it is done at once."""
    host_of(call).durable.save()
    return Simple(b"Background saving started")


def bgrewriteaof(call: Call) -> Reply:
    """BGREWRITEAOF: here it is done at once."""
    host_of(call).durable.rewrite()
    return Simple(b"Background append only file rewriting started")


def lastsave(call: Call) -> Reply:
    """LASTSAVE: in seconds since the epoch."""
    return host_of(call).durable.saved_ms // 1000


def debug(call: Call) -> Reply:
    """DEBUG subcommand ..."""
    argv, server = call.argv, call.server
    word, argc = shown(argv[1]).upper(), len(argv)
    if word == b"SLEEP" and argc == 3:
        ms = milliseconds(argv[2], rounds_up=False) or 0
        host = host_of(call)
        host.pause.stall(host.connections[call.session.id], max(ms, 0))
        return OK
    if word == b"RELOAD":
        _reload(call)
        return OK
    if word == b"LOADAOF":
        host_of(call).durable.load(server, power_failed=False)
        server.select(call.session.database)
        return OK
    if word == b"SET-ACTIVE-EXPIRE" and argc == 3:
        server.config = replace(server.config, active_expire=argv[2] not in (b"0", b"no"))
        return OK
    if word == b"OBJECT" and argc == 3:
        if call.value(argv[2]) is None:
            raise CommandError(NO_SUCH_KEY)
        kind = encoding(Call(server, call.session, (b"", b"", argv[2]), call.now_ms, call.facts, call.command, False))
        assert isinstance(kind, bytes)
        return Simple(b"Value at:0x0 refcount:1 encoding:%b serializedlength:1 lru:0 lru_seconds_idle:0" % kind)
    if word in (b"QUICKLIST-PACKED-THRESHOLD", b"STRINGMATCH-LEN", b"CHANGE-REPL-ID", b"JMAP", b"REPLYBUFFER"):
        return OK
    raise subcommand_error(call)


def _reload(call: Call) -> None:
    """Every stream as it is after it was written out and read in again."""
    server = call.server
    for index in sorted(server.databases):
        server.select(index)
        for key in tuple(server.keys):
            if call.value(key) is None:
                continue
            value = server.keys[key]
            if isinstance(value, Stream):
                server.keys[key] = reloaded(value, call.dialect)
    server.select(call.session.database)


ADMIN = frozenset({"admin"})
FAST = frozenset({"fast"})
ROWS = (
    Command("SAVE", 1, save, ADMIN),
    Command("BGSAVE", -1, bgsave, ADMIN),
    Command("BGREWRITEAOF", 1, bgrewriteaof, ADMIN),
    Command("LASTSAVE", 1, lastsave, FAST),
    Command("DEBUG", -2, debug, ADMIN),
)
