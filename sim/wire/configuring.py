"""CONFIG: the settings that there are, read and set."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ...models.commands.call import Call, Command, CommandError, shown
from ...models.commands.groups import subcommand_error
from ...models.replies import OK, Map, Reply
from .settings import Wrong

if TYPE_CHECKING:
    from .server import SocketServer

HELP = (
    b"CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    b"GET <pattern>",
    b"SET <directive> <value>",
    b"RESETSTAT",
    b"HELP",
)


def host_of(call: Call) -> SocketServer:
    """The server on sockets that runs a command."""
    return cast("SocketServer", call.server.host)  # type: ignore[attr-defined]


def get(call: Call) -> Reply:
    """CONFIG GET pattern ..."""
    host = host_of(call)
    return Map(tuple(host.settings.matching(list(call.argv[2:]), host.port)))


def set_(call: Call) -> Reply:
    """CONFIG SET name value ...: all of them, or, where one is wrong, none."""
    host, server, argv = host_of(call), call.server, call.argv
    pairs = [(argv[at].lower(), argv[at + 1]) for at in range(2, len(argv) - 1, 2)]
    strict = call.dialect.new_error_texts
    for name, _ in pairs:
        if not host.settings.known(name):
            if strict:
                text = b"ERR Unknown option or number of arguments for CONFIG SET - '%b'"
                raise CommandError(text % shown(name))
            raise CommandError(b"ERR Unsupported CONFIG parameter: " + shown(name))
    if len(argv) % 2:
        raise CommandError(b"ERR wrong number of arguments for 'config|set' command")
    done: list[tuple[bytes, bytes]] = []
    for name, text in pairs:
        before = dict(host.settings.matching([name], host.port))[name]
        try:
            server.config = host.settings.set(name, text, server.config)
        except Wrong as error:
            for other, was in reversed(done):
                server.config = host.settings.set(other, was, server.config)
            if strict:
                why = b"ERR CONFIG SET failed (possibly related to argument '%b') - %b"
                raise CommandError(why % (name, error.args[0])) from None
            why = b"ERR Invalid argument '%b' for CONFIG SET '%b' - %b"
            raise CommandError(why % (shown(text), name, error.args[0])) from None
        done.append((name, before))
    host.durable.follow_settings()
    return OK


def resetstat(call: Call) -> Reply:
    """CONFIG RESETSTAT"""
    host = host_of(call)
    host.commands = host.accepted = host.refused = 0
    host.tally.clear()
    return OK


def help_text(call: Call) -> Reply:
    """CONFIG HELP"""
    return HELP


def by_hand(call: Call) -> Reply:
    """CONFIG before it had real subcommands."""
    word, argc = shown(call.argv[1]).upper(), len(call.argv)
    if word == b"GET" and argc == 3:
        return get(call)
    if word == b"SET" and argc == 4:
        return set_(call)
    if word == b"RESETSTAT" and argc == 2:
        return resetstat(call)
    if word == b"HELP" and argc == 2:
        return help_text(call)
    raise subcommand_error(call)


ADMIN = frozenset({"admin"})
SUBCOMMANDS = (
    Command("GET", -3, get, ADMIN),
    Command("SET", -4, set_, ADMIN),
    Command("RESETSTAT", 2, resetstat, ADMIN),
    Command("HELP", 2, help_text, ADMIN),
)
ROWS = (
    Command("CONFIG", -2, by_hand, ADMIN),
    Command("CONFIG", -2, by_hand, ADMIN, since=(7, 0), subcommands=SUBCOMMANDS),
)
