"""What a server tells of itself, and what clients ask on their way in: AUTH, INFO, COMMAND, ROLE, MONITOR."""

from __future__ import annotations

from ...models.commands.call import SYNTAX, Call, Command, CommandError, shown
from ...models.commands.groups import subcommand_error
from ...models.replies import NIL, OK, Failure, Map, Reply, Simple
from .configuring import host_of
from .describing import docs_of, keys_of, row_as_reply
from .information import sections

NO_PASSWORD = (
    b"ERR AUTH <password> called without any password configured for the default user. Are you sure your "
    b"configuration is correct?"
)
OLD_NO_PASSWORD = b"ERR Client sent AUTH, but no password is set"
NO_CLUSTER = b"ERR This instance has cluster support disabled"


def auth(call: Call) -> Reply:
    """AUTH [user] password: there is the default user alone, who needs no password."""
    argv = call.argv
    if len(argv) == 2:
        raise CommandError(NO_PASSWORD if call.dialect.has((6, 0)) else OLD_NO_PASSWORD)
    if len(argv) > 3:
        raise CommandError(SYNTAX)
    if argv[1] != b"default":
        raise CommandError(call.dialect.wrong_password_text)
    return OK


def info(call: Call) -> Reply:
    """INFO [section ...]"""
    if len(call.argv) > 2 and not call.dialect.has((7, 0)):
        raise CommandError(SYNTAX)
    return sections(host_of(call), call.now_ms, [word.lower() for word in call.argv[1:]])


def role(call: Call) -> Reply:
    """ROLE: a master without replicas."""
    return (b"master", 0, ())


def monitor(call: Call) -> Reply:
    """MONITOR: from now on this connection is shown what all clients run."""
    host = host_of(call)
    host.monitors.add(host.connections[call.session.id])
    return OK


def no_cluster(call: Call) -> Reply:
    """CLUSTER, READONLY, READWRITE: there is no cluster. Valkey takes the latter two, old servers the last."""
    name = call.command.name
    if (name != "CLUSTER" and call.dialect.valkey) or (name == "READWRITE" and not call.dialect.has((7, 0))):
        return OK
    raise CommandError(NO_CLUSTER)


def command(call: Call) -> Reply:
    """COMMAND: every row of the table."""
    rows = host_of(call).model.commands
    return tuple([row_as_reply(rows[name], call.dialect) for name in sorted(rows)])


def count(call: Call) -> Reply:
    """COMMAND COUNT"""
    return len(host_of(call).model.commands)


def names(call: Call) -> Reply:
    """COMMAND LIST"""
    return tuple(sorted(name.lower() for name in host_of(call).model.commands))


def rows_of(call: Call) -> Reply:
    """COMMAND INFO [name ...]"""
    rows = host_of(call).model.commands
    wanted = [name.upper() for name in call.argv[2:]]
    if not wanted and call.dialect.has((7, 0)):
        wanted = sorted(rows)
    found: list[Reply] = []
    for name in wanted:
        row = rows.get(name)
        container, bar, word = name.partition(b"|")
        if bar and container in rows:
            row = next((sub for sub in rows[container].subcommands if sub.name.encode() == word), None)
        found.append(NIL if row is None else row_as_reply(row, call.dialect))
    return tuple(found)


def docs(call: Call) -> Reply:
    """COMMAND DOCS [name ...]: what the table knows of each."""
    rows = host_of(call).model.commands
    wanted = [name.upper() for name in call.argv[2:]] or sorted(rows)
    return Map(tuple([(name.lower(), docs_of(rows[name])) for name in wanted if name in rows]))


def get_keys(call: Call) -> Reply:
    """COMMAND GETKEYS command argument ..."""
    argv = call.argv[2:]
    row = host_of(call).model.commands.get(argv[0].upper())
    if row is None:
        raise CommandError(b"ERR Invalid command specified")
    if row.subcommands and len(argv) > 1:
        row = next((sub for sub in row.subcommands if sub.name.encode() == argv[1].upper()), row)
    if row.keys == (0, 0, 0):
        raise CommandError(b"ERR The command has no key arguments")
    found = keys_of(row, argv)
    if not row.argc_min <= len(argv) <= row.argc_max or not found:
        raise CommandError(b"ERR Invalid number of arguments specified for command")
    return tuple(found)


def help_text(call: Call) -> Reply:
    """COMMAND HELP"""
    first = b"COMMAND [<subcommand> [<arg> [value] [opt] ...]]. Subcommands are:"
    return (first, *[row.name.encode() for row in SUBCOMMANDS])


def command_by_hand(call: Call) -> Reply:
    """COMMAND before it had real subcommands."""
    if len(call.argv) == 1:
        return command(call)
    word, argc = shown(call.argv[1]).upper(), len(call.argv)
    for row in SUBCOMMANDS:
        fits = argc == row.arity if row.arity > 0 else argc >= -row.arity
        if row.name.encode() == word and fits and call.dialect.has(row.since):
            return row.run(call)
    raise subcommand_error(call)


def unsupported_module(call: Call) -> Reply:
    """MODULE LIST: there are none."""
    if shown(call.argv[1]).upper() != b"LIST":
        return Failure(b"ERR MODULE has LIST alone here")
    return ()


def lolwut(call: Call) -> Reply:
    """LOLWUT"""
    return b"Redelivery models " + call.dialect.name.encode() + b"\n"


def shutdown(call: Call) -> Reply:
    """SHUTDOWN: the server ends, unanswered."""
    host = host_of(call)
    host.connections[call.session.id].replies_off = True
    host.ended.set()
    return Simple(b"OK")


FAST = frozenset({"fast"})
READ = frozenset({"readonly"})
HIDDEN = frozenset({"skip-monitor", "fast"})
ADMIN = frozenset({"admin"})
NO_MULTI = frozenset({"no-multi"})
SUBCOMMANDS = (
    Command("COUNT", 2, count, READ),
    Command("DOCS", -2, docs, READ, since=(7, 0)),
    Command("GETKEYS", -3, get_keys, READ),
    Command("HELP", 2, help_text, READ),
    Command("INFO", -2, rows_of, READ),
    Command("LIST", -2, names, READ, since=(7, 0)),
)
ROWS = (
    Command("AUTH", -2, auth, HIDDEN),
    Command("INFO", -1, info, READ),
    Command("ROLE", 1, role, FAST),
    Command("MONITOR", 1, monitor, ADMIN),
    Command("CLUSTER", -2, no_cluster, READ),
    Command("READONLY", 1, no_cluster, FAST),
    Command("READWRITE", 1, no_cluster, FAST),
    Command("COMMAND", -1, command_by_hand, READ),
    Command("COMMAND", -1, command, READ, since=(7, 0), subcommands=SUBCOMMANDS),
    Command("MODULE", -2, unsupported_module, ADMIN),
    Command("LOLWUT", -1, lolwut, FAST),
    Command("SHUTDOWN", -1, shutdown, ADMIN | NO_MULTI),
)
