"""Strings: what is kept beside streams, such as locks and counters. Sources: t_string.c, setGenericCommand."""

from __future__ import annotations

from typing import Final

from ..replies import NIL, OK, Reply
from .call import NOT_AN_INTEGER, SYNTAX, WRONGTYPE, Call, CommandError, integer, need_integer

OVERFLOW: Final = b"ERR increment or decrement would overflow"
DECREMENT_OVERFLOW: Final = b"ERR decrement would overflow"
LONGEST: Final = 2**63 - 1
UNITS_MS: Final = {b"EX": 1000, b"PX": 1, b"EXAT": 1000, b"PXAT": 1}


def string(call: Call, key: bytes) -> bytes | None:
    """The string at ``key``, ``None`` where there is no key."""
    value = call.value(key)
    if value is not None and not isinstance(value, bytes):
        raise CommandError(WRONGTYPE)
    return value


def put(call: Call, key: bytes, value: bytes, deadline_ms: int | None) -> None:
    """Sets a key, whatever was there; a deadline that is there already stays where there is none (``setKey``)."""
    if call.value(key) is not None:
        call.server.remove_key(key, call.command.name, call.facts)
    call.server.put_key(key, value, deadline_ms)


def set_(call: Call) -> Reply:
    """SET key value [NX|XX] [GET] [EX s|PX ms|EXAT s|PXAT ms|KEEPTTL]: of two times in one unit the later counts."""
    argv = call.argv
    key = argv[1]
    only, gives_old, keeps = b"", False, False
    time: tuple[bytes, bytes] | None = None
    at = 3
    while at < len(argv):
        word = call.takes(argv[at])
        if word in (b"NX", b"XX") and only in (b"", word):
            only = word
        elif word == b"GET":
            gives_old = True
        elif word == b"KEEPTTL" and time is None:
            keeps = True
        elif word in UNITS_MS and at + 1 < len(argv) and not keeps and (time is None or time[0] == word):
            time = word, argv[at + 1]
            at += 1
        else:
            raise CommandError(SYNTAX)
        at += 1
    if only == b"NX" and gives_old and not call.dialect.set_gets_if_free:
        raise CommandError(SYNTAX)
    deadline_ms = None if time is None else _deadline(call, *time)
    old: Reply = NIL
    if gives_old:
        was = string(call, key)
        old = NIL if was is None else was
    there = call.value(key) is not None
    if (only == b"NX" and there) or (only == b"XX" and not there):
        return old
    if keeps:
        deadline_ms = call.server.expires.get(key)
    drops = call.dialect.set_drops_expired and not call.server.obeys
    if drops and deadline_ms is not None and deadline_ms <= call.now_ms:
        if there:
            call.server.remove_key(key, "SET", call.facts)
            call.tells(tuple(argv))
    else:
        put(call, key, argv[2], deadline_ms)
        call.tells(tuple(argv))
    return old if gives_old else OK


def _deadline(call: Call, word: bytes, text: bytes) -> int:
    """When a key is to go that is set so."""
    value, unit = need_integer(text), UNITS_MS[word]
    base = 0 if word.endswith(b"AT") else call.now_ms
    too_far = value > LONGEST // unit or value * unit > LONGEST - base
    if value <= 0 or (too_far and call.dialect.expire_guards_overflow):
        name = call.command.name.lower().encode()
        raise CommandError((call.dialect.expire_text or b"ERR invalid expire time in %b") % name)
    return (base + value * unit + 2**63) % 2**64 - 2**63  # where nobody guards it, it wraps around


def setnx(call: Call) -> Reply:
    """SETNX key value"""
    key, value = call.argv[1], call.argv[2]
    if call.value(key) is not None:
        return 0
    put(call, key, value, None)
    call.tells(tuple(call.argv))
    return 1


def setex(call: Call) -> Reply:
    """SETEX key seconds value, PSETEX key ms value"""
    key, value = call.argv[1], call.argv[3]
    deadline_ms = _deadline(call, b"EX" if call.command.name == "SETEX" else b"PX", call.argv[2])
    put(call, key, value, deadline_ms)
    call.tells(tuple(call.argv))
    return OK


def get(call: Call) -> Reply:
    """GET key"""
    value = string(call, call.argv[1])
    return NIL if value is None else value


def getdel(call: Call) -> Reply:
    """GETDEL key"""
    key = call.argv[1]
    value = string(call, key)
    if value is None:
        return NIL
    call.server.remove_key(key, "GETDEL", call.facts)
    call.tells((b"DEL", key))
    return value


def getset(call: Call) -> Reply:
    """GETSET key value"""
    key = call.argv[1]
    old = string(call, key)
    put(call, key, call.argv[2], None)
    call.tells(tuple(call.argv))
    return NIL if old is None else old


def mget(call: Call) -> Reply:
    """MGET key ...: what is no string is nothing."""
    found = [call.value(key) for key in call.argv[1:]]
    return tuple([value if isinstance(value, bytes) else NIL for value in found])


def mset(call: Call) -> Reply:
    """MSET key value ..."""
    if len(call.argv) % 2 == 0:
        raise CommandError(b"ERR wrong number of arguments for 'mset' command" if call.dialect.new_error_texts
                           else b"ERR wrong number of arguments for MSET")  # fmt: skip
    for at in range(1, len(call.argv), 2):
        put(call, call.argv[at], call.argv[at + 1], None)
    call.tells(tuple(call.argv))
    return OK


def _add(call: Call, by: int) -> Reply:
    key = call.argv[1]
    text = string(call, key)
    value = 0 if text is None else integer(text)
    if value is None:
        raise CommandError(NOT_AN_INTEGER)
    if not -(2**63) <= value + by <= LONGEST:
        raise CommandError(OVERFLOW)
    replace(call, key, b"%d" % (value + by))
    return value + by


def replace(call: Call, key: bytes, value: bytes) -> None:
    """Puts another string where one is, or none: its time stays."""
    call.server.keys[key] = value
    call.touch(key)
    call.tells(tuple(call.argv))


def incr(call: Call) -> Reply:
    """INCR key"""
    return _add(call, 1)


def decr(call: Call) -> Reply:
    """DECR key"""
    return _add(call, -1)


def incrby(call: Call) -> Reply:
    """INCRBY key n"""
    return _add(call, need_integer(call.argv[2]))


def decrby(call: Call) -> Reply:
    """DECRBY key n"""
    by = need_integer(call.argv[2])
    if by == -(2**63):
        if call.dialect.decrement_wraps:
            return _add(call, by)
        raise CommandError(DECREMENT_OVERFLOW)
    return _add(call, -by)


def append(call: Call) -> Reply:
    """APPEND key value"""
    value = (string(call, call.argv[1]) or b"") + call.argv[2]
    replace(call, call.argv[1], value)
    return len(value)


def strlen(call: Call) -> Reply:
    """STRLEN key"""
    return len(string(call, call.argv[1]) or b"")
