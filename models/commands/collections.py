"""Hashes, sets and sorted sets: what is kept beside streams. Sources: t_hash.c, t_set.c."""

from __future__ import annotations

from typing import Final

from ..collection import HASH, SET, Collection
from ..replies import NIL, OK, Map, Members, Reply
from .call import WRONGTYPE, Call, CommandError, integer, need_integer

NOT_AN_INTEGER: Final = b"ERR hash value is not an integer"
OVERFLOW: Final = b"ERR increment or decrement would overflow"


def collection(call: Call, key: bytes, kind: str) -> Collection | None:
    """The collection at ``key`` for reading, ``None`` where there is no key."""
    value = call.value(key)
    if value is None:
        return None
    if not isinstance(value, Collection) or value.kind != kind:
        raise CommandError(WRONGTYPE)
    return value


def for_write(call: Call, key: bytes, kind: str, *, makes: bool) -> Collection | None:
    """The collection at ``key``, this server's own where a fork shares it; a new one where it ``makes`` one."""
    found = collection(call, key, kind)
    if found is None:
        if not makes:
            return None
        found = Collection(kind, call.server.next_birth())
        call.server.put_key(key, found)
    elif found.shared:
        found = found.copy()
        call.server.keys[key] = found
    return found


def changed(call: Call, key: bytes, value: Collection) -> None:
    """A command changed what is at ``key``, which goes where nothing is left of it."""
    if value:
        call.touch(key)
    else:
        call.server.remove_key(key, call.command.name, call.facts)
    call.tells(tuple(call.argv))


# ---- hashes ----


def hset(call: Call) -> Reply:
    """HSET key field value ..., HMSET"""
    name, argv = call.command.name, call.argv
    if len(argv) % 2:
        raise CommandError(b"ERR wrong number of arguments for '%b' command" % name.lower().encode())
    value = for_write(call, argv[1], HASH, makes=True)
    assert value is not None
    before = len(value)
    for at in range(2, len(argv), 2):
        value.fields[argv[at]] = argv[at + 1]
    changed(call, argv[1], value)
    return OK if name == "HMSET" else len(value) - before


def hsetnx(call: Call) -> Reply:
    """HSETNX key field value"""
    _, key, field, text = call.argv
    found = collection(call, key, HASH)
    if found is not None and field in found.fields:
        return 0
    value = for_write(call, key, HASH, makes=True)
    assert value is not None
    value.fields[field] = text
    changed(call, key, value)
    return 1


def hget(call: Call) -> Reply:
    """HGET key field"""
    found = collection(call, call.argv[1], HASH)
    return NIL if found is None else found.fields.get(call.argv[2], NIL)


def hmget(call: Call) -> Reply:
    """HMGET key field ..."""
    found = collection(call, call.argv[1], HASH)
    return tuple([NIL if found is None else found.fields.get(field, NIL) for field in call.argv[2:]])


def hgetall(call: Call) -> Reply:
    """HGETALL key"""
    found = collection(call, call.argv[1], HASH)
    return Map(() if found is None else tuple(found.fields.items()))


def hkeys(call: Call) -> Reply:
    """HKEYS key"""
    found = collection(call, call.argv[1], HASH)
    return () if found is None else tuple(found.fields)


def hvals(call: Call) -> Reply:
    """HVALS key"""
    found = collection(call, call.argv[1], HASH)
    return () if found is None else tuple(found.fields.values())


def hlen(call: Call) -> Reply:
    """HLEN key"""
    return len(collection(call, call.argv[1], HASH) or ())


def hexists(call: Call) -> Reply:
    """HEXISTS key field"""
    found = collection(call, call.argv[1], HASH)
    return int(found is not None and call.argv[2] in found.fields)


def hdel(call: Call) -> Reply:
    """HDEL key field ..."""
    return _remove(call, HASH)


def hincrby(call: Call) -> Reply:
    """HINCRBY key field n"""
    key, field = call.argv[1], call.argv[2]
    by = need_integer(call.argv[3])
    found = collection(call, key, HASH)
    number = integer(b"0" if found is None else found.fields.get(field, b"0"))
    if number is None:
        raise CommandError(NOT_AN_INTEGER)
    if not -(2**63) <= number + by < 2**63:
        raise CommandError(OVERFLOW)
    value = for_write(call, key, HASH, makes=True)
    assert value is not None
    value.fields[field] = b"%d" % (number + by)
    changed(call, key, value)
    return number + by


# ---- sets ----


def sadd(call: Call) -> Reply:
    """SADD key member ..."""
    key = call.argv[1]
    value = for_write(call, key, SET, makes=True)
    assert value is not None
    before = len(value)
    value.fields.update(dict.fromkeys(call.argv[2:], b""))
    if len(value) > before:
        changed(call, key, value)
    return len(value) - before


def srem(call: Call) -> Reply:
    """SREM key member ..."""
    return _remove(call, SET)


def smembers(call: Call) -> Reply:
    """SMEMBERS key"""
    found = collection(call, call.argv[1], SET)
    return Members(() if found is None else tuple(found.fields))


def sismember(call: Call) -> Reply:
    """SISMEMBER key member"""
    found = collection(call, call.argv[1], SET)
    return int(found is not None and call.argv[2] in found.fields)


def smismember(call: Call) -> Reply:
    """SMISMEMBER key member ..."""
    found = collection(call, call.argv[1], SET)
    return tuple([int(found is not None and member in found.fields) for member in call.argv[2:]])


def scard(call: Call) -> Reply:
    """SCARD key"""
    return len(collection(call, call.argv[1], SET) or ())


def _remove(call: Call, kind: str) -> Reply:
    key = call.argv[1]
    value = for_write(call, key, kind, makes=False)
    if value is None:
        return 0
    before = len(value)
    for item in call.argv[2:]:
        value.fields.pop(item, None)
    gone = before - len(value)
    if gone:
        changed(call, key, value)
    return gone
