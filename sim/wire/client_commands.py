"""What CLIENT has beside the model's own: who is connected, and what is done to them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...models.commands import connection as model_connection
from ...models.commands.call import NOT_AN_INTEGER, SYNTAX, Call, Command, CommandError, integer, shown
from ...models.replies import OK, Reply
from .client_lines import KINDS, kind_of, line_of
from .configuring import host_of

if TYPE_CHECKING:
    from .connection import Connection

NO_CLIENT = b"ERR No such client"


def _own(call: Call) -> Connection:
    return host_of(call).connections[call.session.id]


def list_(call: Call) -> Reply:
    """CLIENT LIST [TYPE type | ID id ...]"""
    host, argv = host_of(call), call.argv
    chosen = [connection for _, connection in sorted(host.connections.items())]
    if len(argv) > 2:
        word = shown(argv[2]).upper()
        if word == b"TYPE" and len(argv) == 4:
            kind = argv[3].lower()
            if kind not in KINDS:
                raise CommandError(b"ERR Unknown client type '%b'" % shown(argv[3]))
            chosen = [c for c in chosen if kind_of(c) == KINDS[kind]]
        elif word == b"ID" and len(argv) > 3 and call.dialect.has((6, 2)):
            numbers = [integer(text) for text in argv[3:]]
            if None in numbers:
                raise CommandError(b"ERR Invalid client ID")
            chosen = [host.connections[n] for n in numbers if n is not None and n in host.connections]
        else:
            raise CommandError(SYNTAX)
    return b"".join([line_of(c, call.now_ms, call.dialect) + b"\n" for c in chosen])


def info(call: Call) -> Reply:
    """CLIENT INFO"""
    return line_of(_own(call), call.now_ms, call.dialect) + b"\n"


def kill(call: Call) -> Reply:
    """CLIENT KILL address | CLIENT KILL filter value ...: the old form names one, the new one counts."""
    host, argv = host_of(call), call.argv
    if len(argv) == 3:
        for connection in tuple(host.connections.values()):
            if connection.address == argv[2]:
                _end(call, connection)
                return OK
        raise CommandError(NO_CLIENT)
    spares_me = True
    wanted: list[tuple[bytes, bytes]] = []
    at = 2
    while at < len(argv):
        if at + 1 == len(argv):
            raise CommandError(SYNTAX)
        word, text = shown(argv[at]).upper(), argv[at + 1]
        at += 2
        if word == b"SKIPME" and text.lower() in (b"yes", b"no"):
            spares_me = text.lower() == b"yes"
            continue
        if word == b"ID" and call.dialect.has(NEVER, (8, 1)):  # as many as there are
            if integer(text) is None:
                raise CommandError(SYNTAX)
            while at < len(argv) and integer(argv[at]) is not None:
                text += b" " + argv[at]
                at += 1
        _check_filter(call, word, text)
        wanted.append((word, text))
    victims = [
        connection
        for connection in tuple(host.connections.values())
        if not (spares_me and connection.session is call.session)
        and all(_fits(connection, word, text, call.now_ms) for word, text in wanted)
    ]
    for connection in victims:
        _end(call, connection)
    return len(victims)


def _check_filter(call: Call, word: bytes, text: bytes) -> None:
    number = integer(text)
    if word == b"ID" and call.dialect.has(NEVER, (8, 1)):
        if min(map(int, text.split())) < 1:
            raise CommandError(b"ERR client-id should be greater than 0")
    elif word == b"ID":
        if number is None and not call.dialect.new_error_texts:
            raise CommandError(NOT_AN_INTEGER)
        if number is None or (number < 1 and call.dialect.new_error_texts):
            raise CommandError(b"ERR client-id should be greater than 0")
    elif word == b"TYPE":
        if text.lower() not in KINDS:
            raise CommandError(b"ERR Unknown client type '%b'" % shown(text))
    elif word == b"USER":
        if text != b"default":
            raise CommandError(b"ERR No such user '%b'" % shown(text))
    elif word == b"MAXAGE" and call.dialect.has((7, 4)):
        if number is None:
            raise CommandError(b"ERR maxage is not an integer or out of range")
    elif word not in (b"ADDR", b"LADDR"):
        raise CommandError(SYNTAX)


def _fits(connection: Connection, word: bytes, text: bytes, now_ms: int) -> bool:
    if word == b"ID":
        return connection.session.id in map(int, text.split())
    if word == b"TYPE":
        return kind_of(connection) == KINDS[text.lower()]
    if word == b"ADDR":
        return connection.address == text
    if word == b"LADDR":
        return connection.local == text
    if word == b"MAXAGE":
        return (now_ms - connection.born_ms) // 1000 >= int(text)
    return True


def _end(call: Call, connection: Connection) -> None:
    """Cuts a client off; the one that asked for it gets its answer first."""
    host = host_of(call)
    if connection.session is call.session:
        host.finish(connection)
    else:
        host.drop(connection)


def pause(call: Call) -> Reply:
    """CLIENT PAUSE ms [WRITE|ALL]"""
    argv = call.argv
    kind = "all"
    if len(argv) == 4:
        word = shown(argv[3]).upper()
        if word not in (b"WRITE", b"ALL"):
            raise CommandError(b"ERR CLIENT PAUSE mode must be WRITE or ALL")
        kind = word.decode().lower()
    ms = integer(argv[2])
    if ms is None:
        raise CommandError(b"ERR timeout is not an integer or out of range")
    if ms < 0:
        raise CommandError(b"ERR timeout is negative")
    host_of(call).pause.begin(ms, kind)
    return OK


def unpause(call: Call) -> Reply:
    """CLIENT UNPAUSE"""
    host_of(call).pause.end()
    return OK


def reply(call: Call) -> Reply:
    """CLIENT REPLY ON|OFF|SKIP: only ON is answered."""
    connection, word = _own(call), shown(call.argv[2]).upper()
    if word == b"ON":
        connection.replies_off = False
        connection.skips = 0
    elif word == b"OFF":
        connection.replies_off = True
    elif word == b"SKIP":
        connection.skips = 0 if connection.replies_off else 2
    else:
        raise CommandError(SYNTAX)
    return OK


def set_info(call: Call) -> Reply:
    """CLIENT SETINFO LIB-NAME|LIB-VER text"""
    word, text = shown(call.argv[2]).lower(), call.argv[3]
    if word not in (b"lib-name", b"lib-ver"):
        raise CommandError(b"ERR Unrecognized option '%b'" % shown(call.argv[2]))
    if any(not 33 <= byte <= 126 for byte in text):
        raise CommandError(b"ERR %b cannot contain spaces, newlines or special characters." % word)
    _own(call).info[word] = text
    return OK


def _flag(call: Call) -> Reply:
    """CLIENT NO-EVICT on|off, CLIENT NO-TOUCH on|off"""
    word, flags = shown(call.argv[2]).lower(), _own(call).flags
    if word not in (b"on", b"off"):
        raise CommandError(SYNTAX)
    name = shown(call.argv[1]).lower().decode()
    (flags.add if word == b"on" else flags.discard)(name)
    return OK


def redirection(call: Call) -> Reply:
    """CLIENT GETREDIR: nobody tracks keys here, so -1."""
    return -1


def capabilities(call: Call) -> Reply:
    """CLIENT CAPA: what a client can do is taken note of, and no use is made of it (Valkey)."""
    return OK


FAST = frozenset({"fast"})
ADMIN = frozenset({"admin"})
NEVER = (1000, 0)
MORE: tuple[Command, ...] = (
    Command("LIST", -2, list_, ADMIN),
    Command("INFO", 2, info, FAST, since=(6, 2)),
    Command("KILL", -3, kill, ADMIN),
    Command("PAUSE", -3, pause, ADMIN),
    Command("UNPAUSE", 2, unpause, ADMIN, since=(6, 2)),
    Command("REPLY", 3, reply, FAST),
    Command("SETINFO", 4, set_info, FAST, since=(7, 2)),
    Command("NO-EVICT", 3, _flag, ADMIN, since=(7, 0)),
    Command("NO-TOUCH", 3, _flag, FAST, since=(7, 2)),
    Command("GETREDIR", 2, redirection, FAST, since=(6, 0)),
    Command("CAPA", -3, capabilities, FAST, since=NEVER, since_valkey=(8, 0)),
)


def extended(row: Command) -> Command:
    """The model's row of CLIENT with what is of sockets."""
    return replace(row, subcommands=(*row.subcommands, *MORE)) if row.subcommands else row


def by_hand(call: Call) -> Reply:
    """CLIENT before it had real subcommands."""
    word, argc = shown(call.argv[1]).upper(), len(call.argv)
    for row in MORE:
        fits = argc == row.arity if row.arity > 0 else argc >= -row.arity
        if row.name.encode() == word and call.dialect.has(row.since, row.since_valkey) and fits:
            return row.run(call)
    return model_connection.client_by_hand(call)


