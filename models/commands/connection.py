"""Commands about the connection and the server itself."""

from __future__ import annotations

from ..replies import PONG, Reply
from .call import Call, CommandError


def time(call: Call) -> Reply:
    """TIME: seconds and microseconds, both as text."""
    return (b"%d" % (call.now_ms // 1000), b"%d" % (call.now_ms % 1000 * 1000))


def ping(call: Call) -> Reply:
    """PING [message]"""
    if len(call.argv) > 2:
        raise CommandError(b"ERR wrong number of arguments for 'ping' command")
    return call.argv[1] if len(call.argv) == 2 else PONG


def echo(call: Call) -> Reply:
    """ECHO message"""
    return call.argv[1]
