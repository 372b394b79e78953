"""Commands about the connection and the server itself."""

from __future__ import annotations

from ..replies import NIL, OK, PONG, Failure, Map, Reply, Simple
from .call import Call, CommandError, integer, need_integer, shown
from .groups import subcommand_error
from .pubsub import leave_all

NO_PROTOCOL = b"NOPROTO unsupported protocol version"
BAD_NAME = b"ERR Client names cannot contain spaces, newlines or special characters."
UNBLOCKED = Failure(b"UNBLOCKED client unblocked via CLIENT UNBLOCK")
HELP = (
    b"CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    b"GETNAME",
    b"ID",
    b"SETNAME <name>",
    b"UNBLOCK <clientid> [TIMEOUT|ERROR]",
    b"HELP",
)


def time(call: Call) -> Reply:
    """TIME: seconds and microseconds, both as text."""
    return (b"%d" % (call.now_ms // 1000), b"%d" % (call.now_ms % 1000 * 1000))


def ping(call: Call) -> Reply:
    """PING [message]: a subscriber gets an array in RESP2, as it gets its messages."""
    if len(call.argv) > 2:
        raise CommandError(b"ERR wrong number of arguments for 'ping' command")
    if call.session.subscriptions and call.session.resp == 2:
        return (b"pong", call.argv[1] if len(call.argv) == 2 else b"")
    return call.argv[1] if len(call.argv) == 2 else PONG


def echo(call: Call) -> Reply:
    """ECHO message"""
    return call.argv[1]


def quit_session(call: Call) -> Reply:
    """QUIT: the server closes the connection after its answer."""
    leave_all(call, "QUIT")
    call.server.close(call.session.id)
    return OK


def reset(call: Call) -> Reply:
    """RESET: the connection is as it was when it was new."""
    session = call.session
    session.queue = None
    session.broken = False
    call.server.unwatch(session)
    leave_all(call, "RESET")
    session.use(0)
    session.resp = 2
    session.name = b""
    return Simple(b"RESET")


def hello(call: Call) -> Reply:
    """HELLO [2|3 [AUTH user password] [SETNAME name]]: which version answers is up to the server, so it is masked."""
    argv, session = call.argv, call.session
    resp = _protocol(call, argv[1]) if len(argv) > 1 else session.resp
    at = 2
    while at < len(argv):
        word = shown(argv[at]).upper()
        if word == b"AUTH" and at + 2 < len(argv):
            if argv[at + 1] != b"default":
                raise CommandError(call.dialect.wrong_password_text)
            at += 3
        elif word == b"SETNAME" and at + 1 < len(argv):
            session.name = _name(argv[at + 1])
            at += 2
        else:
            raise CommandError(b"ERR Syntax error in HELLO option '%b'" % shown(argv[at]))
    session.resp = resp
    line, _, version = call.dialect.name.encode().partition(b"-")
    return Map(
        (
            (b"server", line),
            (b"version", version + b".0"),
            (b"proto", resp),
            (b"id", session.id),
            (b"mode", b"standalone"),
            (b"role", b"master"),
            (b"modules", ()),
        )
    )


def client_id(call: Call) -> Reply:
    """CLIENT ID: the number of the session, not that of the server's client, so it is masked."""
    return call.session.id


def get_name(call: Call) -> Reply:
    """CLIENT GETNAME"""
    return call.session.name or NIL


def set_name(call: Call) -> Reply:
    """CLIENT SETNAME name"""
    call.session.name = _name(call.argv[2])
    return OK


def unblock(call: Call) -> Reply:
    """CLIENT UNBLOCK id [TIMEOUT|ERROR]: a blocked session gives up, as if its time were over, or with an error."""
    argv, server = call.argv, call.server
    if len(argv) > 4 and not call.dialect.unblock_ignores_more:
        raise subcommand_error(call)
    word = shown(argv[3]).upper() if len(argv) == 4 else b"TIMEOUT"
    if word not in (b"TIMEOUT", b"ERROR"):
        raise CommandError(b"ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
    session = server.sessions.get(need_integer(argv[2]))
    if session is None or session.wait is None:
        return 0
    if word == b"TIMEOUT":
        server.give_up(session)
    else:
        server.answer_blocked(session, UNBLOCKED)
    return 1


def help_text(call: Call) -> Reply:
    """CLIENT HELP; the wording differs between releases, so comparisons mask it."""
    return HELP


def client_by_hand(call: Call) -> Reply:
    """CLIENT before it had real subcommands."""
    word, argc = shown(call.argv[1]).upper(), len(call.argv)
    if word == b"ID" and argc == 2:
        return client_id(call)
    if word == b"GETNAME" and argc == 2:
        return get_name(call)
    if word == b"SETNAME" and argc == 3:
        return set_name(call)
    if word == b"UNBLOCK" and argc in (3, 4):
        return unblock(call)
    if word == b"HELP" and argc == 2:
        return help_text(call)
    if call.dialect.client_error_ends_bare:
        text = b"ERR Unknown subcommand or wrong number of arguments for '%b'. Try CLIENT HELP"
        raise CommandError(text % shown(call.argv[1]))
    raise subcommand_error(call)


def _protocol(call: Call, text: bytes) -> int:
    resp = integer(text)
    if resp is None and call.dialect.hello_names_integer:
        raise CommandError(b"ERR Protocol version is not an integer or out of range")
    if resp not in (2, 3):
        raise CommandError(NO_PROTOCOL)
    return resp


def _name(text: bytes) -> bytes:
    if any(not 33 <= byte <= 126 for byte in text):
        raise CommandError(BAD_NAME)
    return text
