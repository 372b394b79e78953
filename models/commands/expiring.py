"""When a key goes by itself. Sources: expireGenericCommand, ttlGenericCommand, persistCommand.

A key is gone when the server's clock is past its time. Somebody has to notice: the next command that looks at the
key, or the server's own cycle. So DBSIZE still counts it, and who is blocked on it sleeps on, until then.
"""

from __future__ import annotations

from ..replies import Reply
from .call import Call, CommandError, need_integer

LONGEST = 2**63 - 1


def expire(call: Call) -> Reply:
    """EXPIRE key seconds [NX|XX|GT|LT]"""
    return _expire(call, call.now_ms, 1000)


def pexpire(call: Call) -> Reply:
    """PEXPIRE key ms [NX|XX|GT|LT]"""
    return _expire(call, call.now_ms, 1)


def expireat(call: Call) -> Reply:
    """EXPIREAT key unix-seconds [NX|XX|GT|LT]"""
    return _expire(call, 0, 1000)


def pexpireat(call: Call) -> Reply:
    """PEXPIREAT key unix-ms [NX|XX|GT|LT]"""
    return _expire(call, 0, 1)


def ttl(call: Call) -> Reply:
    """TTL key: -2 where there is none, -1 where it stays."""
    left = _left(call)
    return left if left < 0 else (left + 500) // 1000


def pttl(call: Call) -> Reply:
    """PTTL key"""
    return _left(call)


def expiretime(call: Call) -> Reply:
    """EXPIRETIME key"""
    at = _deadline(call)
    return at if at < 0 else (at + 500) // 1000


def pexpiretime(call: Call) -> Reply:
    """PEXPIRETIME key"""
    return _deadline(call)


def persist(call: Call) -> Reply:
    """PERSIST key"""
    key = call.argv[1]
    if call.value(key) is None or key not in call.server.expires:
        return 0
    del call.server.expires[key]
    call.touch(key)
    return 1


def _deadline(call: Call) -> int:
    if call.value(call.argv[1]) is None:
        return -2
    return call.server.expires.get(call.argv[1], -1)


def _left(call: Call) -> int:
    at = _deadline(call)
    return at if at < 0 else max(at - call.now_ms, 0)


def _expire(call: Call, base_ms: int, unit_ms: int) -> Reply:
    key = call.argv[1]
    conditions = _conditions(call)
    when = need_integer(call.argv[2])
    if call.dialect.expire_guards_overflow:
        high, low = LONGEST // unit_ms, -(2**63 // unit_ms)
        if not low <= when <= high or when * unit_ms > LONGEST - base_ms:
            raise CommandError(call.dialect.expire_text % call.command.name.lower().encode())
    when = when * unit_ms + base_ms
    when = (when + 2**63) % 2**64 - 2**63  # where nobody guards it, it wraps around
    if call.value(key) is None:
        return 0
    current = call.server.expires.get(key)
    if conditions and not _agrees(conditions, current, when):
        return 0
    if when <= call.now_ms and not call.server.obeys:
        call.server.remove_key(key, call.command.name, call.facts)
    else:
        call.server.expires[key] = when
        call.touch(key)
    return 1


def _agrees(conditions: set[bytes], current: int | None, when: int) -> bool:
    if b"NX" in conditions and current is not None:
        return False
    if b"XX" in conditions and current is None:
        return False
    if b"GT" in conditions and (current is None or when <= current):
        return False
    return not (b"LT" in conditions and current is not None and when >= current)


def _conditions(call: Call) -> set[bytes]:
    """The conditions that stand after the time."""
    found: set[bytes] = set()
    for text in call.argv[3:]:
        word = call.takes(text)
        if not word:
            raise CommandError(b"ERR Unsupported option " + text.partition(b"\0")[0])
        found.add(word)
    if b"NX" in found and len(found) > 1:
        raise CommandError(b"ERR NX and XX, GT or LT options at the same time are not compatible")
    if {b"GT", b"LT"} <= found:
        raise CommandError(b"ERR GT and LT options at the same time are not compatible")
    return found
