"""What a command line shows of the server beyond entries and owners: times, and orders of names.

The checker takes states for one that differ in such things alone; a command that shows them forbids it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .commands.call import integer


class Shown(NamedTuple):
    """What the reply of a command depends on."""

    idle: bool = False
    """For how long entries have been pending."""
    seen: bool = False
    """When consumers were last seen, or active."""
    clock: bool = False
    """What the server's clock says: the reply tells it, or an argument is held against it."""
    names: bool = False
    """Consumers, groups or keys come in the order of their names."""
    ties: bool = False
    """Entries come in the order in which they were delivered, also those of one millisecond."""
    expiry: bool = False
    """Whether a key expires, or when."""
    min_idle_ms: int | None = None
    """The idle time that entries are asked for."""


NOTHING = Shown()
_EXPIRIES = frozenset({b"TTL", b"PTTL", b"EXPIRETIME", b"PEXPIRETIME", b"PERSIST", b"DUMP"})
_EXPIRING = frozenset({b"EXPIRE", b"PEXPIRE", b"EXPIREAT", b"PEXPIREAT"})
"""With an option (NX, XX, GT, LT) they go by the expiry that there is."""


def shown(argv: Sequence[bytes]) -> Shown:
    """What the reply to a command line shows; a line that is no command shows nothing."""
    name = argv[0].upper()
    if name == b"XPENDING":
        return _pending(argv)
    if name in (b"XCLAIM", b"XAUTOCLAIM"):
        clock = name == b"XCLAIM" and any(word.upper() == b"TIME" for word in argv[5:])
        return Shown(clock=clock, min_idle_ms=integer(argv[4]) if len(argv) > 4 else None)
    if name == b"XINFO" and len(argv) > 1:
        kind = argv[1].upper()
        full = kind == b"STREAM" and len(argv) > 3
        if kind == b"CONSUMERS" or full:
            return Shown(idle=True, seen=True, clock=full, names=True)
    if (name == b"XINFO" and argv[1:2] and argv[1].upper() == b"GROUPS") or name in (b"KEYS", b"SCAN"):
        return Shown(names=True)
    if name == b"XREADGROUP" and any(word.upper() == b"CLAIM" for word in argv):
        return Shown(ties=True, idle=True)
    if name in _EXPIRIES or (name in _EXPIRING and len(argv) > 3):
        return Shown(expiry=True)
    if name == b"TIME":
        return Shown(clock=True)
    return NOTHING


def _pending(argv: Sequence[bytes]) -> Shown:
    if len(argv) == 3:
        return Shown(names=True)
    asked = len(argv) > 4 and argv[3].upper() == b"IDLE"
    return Shown(idle=True, min_idle_ms=integer(argv[4]) if asked else None)
