"""Lists, waiting for an element: BLPOP, BRPOP, BLMPOP, BLMOVE, BRPOPLPUSH. Source: t_list.c, blocked.c."""

from __future__ import annotations

from collections.abc import Sequence

from ..lists import LEFT, RIGHT, Side
from ..replies import BLOCKED, NIL, NIL_ARRAY, Reply
from ..session import Wait
from ..timeouts import milliseconds
from .call import Call, CommandError
from .lists import move, several_keys, side_of, take


def blpop(call: Call) -> Reply:
    """BLPOP key ... timeout"""
    return _pop_first(call, call.argv[1:-1], LEFT, None, deadline(call, call.argv[-1]))


def brpop(call: Call) -> Reply:
    """BRPOP key ... timeout"""
    return _pop_first(call, call.argv[1:-1], RIGHT, None, deadline(call, call.argv[-1]))


def blmpop(call: Call) -> Reply:
    """BLMPOP timeout numkeys key ... LEFT|RIGHT [COUNT n]"""
    keys, side, count = several_keys(call, 2)
    return _pop_first(call, keys, side, count, deadline(call, call.argv[1]))


def blmove(call: Call) -> Reply:
    """BLMOVE source destination LEFT|RIGHT LEFT|RIGHT timeout"""
    start, end = side_of(call.argv[3]), side_of(call.argv[4])
    return _move(call, start, end, deadline(call, call.argv[5]))


def brpoplpush(call: Call) -> Reply:
    """BRPOPLPUSH source destination timeout"""
    return _move(call, RIGHT, LEFT, deadline(call, call.argv[3]))


def deadline(call: Call, text: bytes) -> int | None:
    """When a timeout in seconds is over; ``None``: never."""
    timeout_ms = milliseconds(text, rounds_up=call.dialect.timeout_rounds_up)
    if timeout_ms is None:
        raise CommandError(b"ERR timeout is not a float or out of range")
    if timeout_ms >= 2**63:
        if call.dialect.block_overflow_error:
            raise CommandError(b"ERR timeout is out of range")
        timeout_ms = -1  # as the processor converts what is too large
    if timeout_ms < 0:
        raise CommandError(b"ERR timeout is negative")
    if call.dialect.block_overflow_error and timeout_ms > 2**63 - 1 - call.now_ms:
        raise CommandError(b"ERR timeout is out of range")
    return call.now_ms + timeout_ms if timeout_ms else None


def serve_one_key(call: Call, key: bytes) -> Reply:
    """What a session that is blocked on ``key`` gets from that list alone, as servers did up to 7.0."""
    argv, name = call.argv, call.command.name
    found = call.list_for_write(key)
    if found is None:  # its time was over (SWAPDB brings such lists)
        return BLOCKED
    if name == "BLMOVE":
        return move(call, key, argv[2], side_of(argv[3]), side_of(argv[4]))
    if name == "BRPOPLPUSH":
        return move(call, key, argv[2], RIGHT, LEFT)
    if name == "BLMPOP":
        _, side, count = several_keys(call, 2)
        return (key, take(call, key, found, side, count))
    return (key, *take(call, key, found, LEFT if name == "BLPOP" else RIGHT, 1))


def _pop_first(call: Call, keys: Sequence[bytes], side: Side, count: int | None, until_ms: int | None) -> Reply:
    for key in keys:
        found = call.list_for_write(key)
        if found is not None:
            elements = take(call, key, found, side, count or 1)
            return (key, elements[0] if count is None else elements)
    return _wait(call, keys, until_ms) if call.may_block else NIL_ARRAY


def _move(call: Call, start: Side, end: Side, until_ms: int | None) -> Reply:
    source = call.argv[1]
    if call.list(source) is not None:
        return move(call, source, call.argv[2], start, end)
    return _wait(call, (source,), until_ms) if call.may_block else NIL


def _wait(call: Call, keys: Sequence[bytes], until_ms: int | None) -> Reply:
    positions = dict.fromkeys(keys, 0)
    call.server.block(call.session, Wait(tuple(call.argv), positions, until_ms, None, b"", False, 0, for_list=True))
    return BLOCKED
