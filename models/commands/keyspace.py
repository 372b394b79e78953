"""Commands on keys of any type, and on the server: DEL, EXISTS, TYPE, FLUSHALL, SET, GET, TIME, PING."""

from __future__ import annotations

from ..replies import NIL, OK, PONG, Reply, Simple
from ..stream import Stream
from .call import SYNTAX, WRONGTYPE, Call, CommandError


def delete(call: Call) -> Reply:
    """DEL key [key ...]"""
    return sum(call.server.remove_key(key, "DEL", call.facts) for key in call.argv[1:])


def exists(call: Call) -> Reply:
    """EXISTS key [key ...]: a key given twice counts twice."""
    return sum(key in call.server.keys for key in call.argv[1:])


def type_of(call: Call) -> Reply:
    """TYPE key"""
    value = call.server.keys.get(call.argv[1])
    if value is None:
        return Simple(b"none")
    return Simple(b"stream" if isinstance(value, Stream) else b"string")


def flushall(call: Call) -> Reply:
    """FLUSHALL [ASYNC|SYNC]"""
    if len(call.argv) > 2 or (len(call.argv) == 2 and not call.takes(call.argv[1])):
        raise CommandError(SYNTAX)
    for key in tuple(call.server.keys):
        call.server.remove_key(key, "FLUSHALL", call.facts)
    return OK


def set_string(call: Call) -> Reply:
    """SET key value, without its options: enough to put another type where a stream was."""
    if len(call.argv) != 3:
        raise CommandError(SYNTAX)
    call.server.remove_key(call.argv[1], "SET", call.facts)
    call.server.keys[call.argv[1]] = call.argv[2]
    return OK


def get_string(call: Call) -> Reply:
    """GET key"""
    value = call.server.keys.get(call.argv[1])
    if isinstance(value, Stream):
        raise CommandError(WRONGTYPE)
    return NIL if value is None else value


def time(call: Call) -> Reply:
    """TIME: seconds and microseconds, both as text."""
    return (b"%d" % (call.now_ms // 1000), b"%d" % (call.now_ms % 1000 * 1000))


def ping(call: Call) -> Reply:
    """PING [message]"""
    if len(call.argv) > 2:
        raise CommandError(b"ERR wrong number of arguments for 'ping' command")
    return call.argv[1] if len(call.argv) == 2 else PONG
