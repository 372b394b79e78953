"""What a command read and wrote: its footprint, at the grain of an entry ID.

Two commands of which neither wrote what the other read or wrote could as well have come in the other order: with the
same replies, and the same server afterwards. What is not known here has touched everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from . import ids
from .commands.call import integer
from .facts import Acked, Added, Claimed, ConsumerCreated, CursorMoved, Delivered, Fact
from .replies import Blocked, Failure, Nil, Reply

EVERYTHING, KEY, TAIL, ENTRY, CURSOR, PENDING, CONSUMER, QUEUE, BIRTHS = range(9)
"""Kinds of places: the whole server; all of a key; where a stream goes on; an entry; a group's cursor; a pending entry;
a consumer, with the times at which it was seen; who waits for a key; the count by which incarnations of keys, and ages
of groups, are told apart, which the whole server shares."""
LAST_ID = (1 << 128) - 1
ALL_IDS = (0, LAST_ID)


class Place(NamedTuple):
    """A part of a server's state. Of entries and pending entries all IDs from ``first`` to ``last``, packed."""

    kind: int
    key: bytes = b""
    group: bytes = b""
    consumer: bytes = b""
    first: int = 0
    last: int = LAST_ID

    def overlaps(self, other: Place) -> bool:
        """Whether two places have anything in common."""
        if EVERYTHING in (self.kind, other.kind):
            return True
        if self.key != other.key:
            return False
        if KEY in (self.kind, other.kind):
            return True
        mine, theirs = self[2:4], other[2:4]
        return self.kind == other.kind and mine == theirs and self.first <= other.last and other.first <= self.last


class Touched(NamedTuple):
    """The footprint of a command, or of several: what is written was also read."""

    reads: frozenset[Place] = frozenset()
    writes: frozenset[Place] = frozenset()

    def __or__(self, other: Touched) -> Touched:
        """Both together: two footprints are one footprint."""
        return Touched(self.reads | other.reads, self.writes | other.writes)

    def independent(self, other: Touched) -> bool:
        """Whether it makes no difference which of the two comes first."""
        return not (
            _meet(self.writes, other.writes) or _meet(self.writes, other.reads) or _meet(self.reads, other.writes)
        )


def _meet(some: Iterable[Place], others: Iterable[Place]) -> bool:
    return any(one.overlaps(other) for one in some for other in others)


ALL_OF_IT = Touched(writes=frozenset({Place(EVERYTHING)}))

ONE_KEY_READ = frozenset({b"GET", b"LLEN", b"LRANGE", b"LINDEX", b"TYPE", b"XINFO"})
ONE_KEY_WRITE = frozenset({b"SET", b"LPUSH", b"RPUSH", b"LPOP", b"RPOP", b"LREM", b"XTRIM", b"XSETID", b"XGROUP"})


def touched(argv: Sequence[bytes], reply: Reply, facts: Sequence[Fact], served: bool = False) -> Touched:
    """What a command line has touched, by what came of it; ``served`` tells whether blocked readers were answered."""
    name = argv[0].upper()
    if served:  # whom it woke, and what they took
        return ALL_OF_IT
    known = _STREAM.get(name)
    if isinstance(reply, Failure):
        return _failed(name, argv)
    if known is not None:
        return known(argv, reply, facts)
    at = 2 if name in (b"XGROUP", b"XINFO") else 1
    if name in ONE_KEY_READ and len(argv) > at:
        return _reads(Place(KEY, argv[at]))
    if name in ONE_KEY_WRITE and len(argv) > at:
        return _makes(argv[at])
    return ALL_OF_IT


def _reads(*places: Place) -> Touched:
    return Touched(reads=frozenset(places))


def _writes(*places: Place) -> Touched:
    return Touched(writes=frozenset(places))


def _makes(key: bytes) -> Touched:
    """All of a key may be other than it was, made anew or with a new group."""
    return _writes(Place(KEY, key), Place(BIRTHS))


def _failed(name: bytes, argv: Sequence[bytes]) -> Touched:
    """A command that failed changed nothing, but what it looked at decided that."""
    at = {b"XGROUP": 2, b"XINFO": 2}.get(name, 1)
    single = name in _STREAM or name in ONE_KEY_READ or name in ONE_KEY_WRITE
    if name in (b"XREAD", b"XREADGROUP") or not single or len(argv) <= at:
        return ALL_OF_IT
    return _reads(Place(KEY, argv[at]))


def _xadd(argv: Sequence[bytes], reply: Reply, facts: Sequence[Fact]) -> Touched:
    key = argv[1]
    if isinstance(reply, Nil):
        return _reads(Place(KEY, key))
    if any(type(fact) is not Added for fact in facts):
        return _makes(key)
    added = [fact.id for fact in facts if isinstance(fact, Added)]
    entries = [Place(ENTRY, key, first=entry, last=entry) for entry in added]
    return _reads(Place(QUEUE, key)) | _writes(Place(TAIL, key), *entries)


def _xack(argv: Sequence[bytes], reply: Reply, facts: Sequence[Fact]) -> Touched:
    key, group = argv[1:3]
    entries = [ids.parse(text, 0, strict=True) for text in argv[3:]]
    if any(type(fact) is not Acked for fact in facts) or None in entries:
        return _makes(key)
    return _writes(*[Place(PENDING, key, group, first=entry, last=entry) for entry in entries if entry is not None])


def _one_stream(argv: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The one key that is read, and from where."""
    words = [word.upper() for word in argv]
    at = words.index(b"STREAMS") + 1 if b"STREAMS" in words else len(argv)
    return (argv[at], argv[at + 1]) if len(argv) - at == 2 else None


def _option(argv: Sequence[bytes], option: bytes) -> int | None:
    words = [word.upper() for word in argv]
    end = words.index(b"STREAMS") if b"STREAMS" in words else len(words)
    return integer(argv[words.index(option, 0, end) + 1]) if option in words[:end] else None


def _xread(argv: Sequence[bytes], reply: Reply, facts: Sequence[Fact]) -> Touched:
    stream = _one_stream(argv)
    if stream is None or facts:
        return ALL_OF_IT
    looked = _reads(Place(TAIL, stream[0]), Place(ENTRY, stream[0]))
    return looked | _writes(Place(QUEUE, stream[0])) if isinstance(reply, Blocked) else looked


def _is_reading(fact: Fact) -> bool:
    moved = isinstance(fact, CursorMoved) and fact.cause == "read"
    return moved or isinstance(fact, Delivered | ConsumerCreated)


def _xreadgroup(argv: Sequence[bytes], reply: Reply, facts: Sequence[Fact]) -> Touched:
    stream = _one_stream(argv)
    if stream is None or not all(_is_reading(fact) for fact in facts):
        return ALL_OF_IT
    (key, start), (group, consumer) = stream, argv[2:4]
    if argv[1].upper() != b"GROUP" or any(word.upper() == b"CLAIM" for word in argv):
        return ALL_OF_IT
    mine = Place(CONSUMER, key, group, consumer)
    if start != b">":  # what it has: delivery counts stay, and entries that are gone read as nil
        return _reads(Place(PENDING, key, group), Place(ENTRY, key)) | _writes(mine)
    given = sorted(fact.id for fact in facts if isinstance(fact, Delivered))
    full = given and len(given) == _option(argv, b"COUNT")
    looked = Place(ENTRY, key, last=given[-1]) if full else Place(ENTRY, key)
    pending = [Place(PENDING, key, group, first=entry, last=entry) for entry in given]
    wrote = _writes(Place(CURSOR, key, group), mine, *pending)
    waits = _writes(Place(QUEUE, key)) if isinstance(reply, Blocked) else Touched()
    return _reads(Place(TAIL, key), looked) | wrote | waits


def _claim(key: bytes, group: bytes, consumer: bytes, first: int, last: int, facts: Sequence[Fact]) -> Touched:
    if any(type(fact) not in (Claimed, ConsumerCreated) for fact in facts):
        return _makes(key)
    taken = [fact.id for fact in facts if isinstance(fact, Claimed)]
    wrote = [Place(PENDING, key, group, first=entry, last=entry) for entry in taken]
    looked = (Place(PENDING, key, group, first=first, last=last), Place(ENTRY, key, first=first, last=last))
    return _reads(*looked) | _writes(Place(CONSUMER, key, group, consumer), *wrote)


def _xclaim(argv: Sequence[bytes], reply: Reply, facts: Sequence[Fact]) -> Touched:
    key, group, consumer = argv[1:4]
    rest = [word for word in argv[5:] if word.upper() != b"JUSTID"]
    entries = [entry for entry in (ids.parse(text, 0, strict=True) for text in rest) if entry is not None]
    if len(entries) != len(rest):  # options may force, move the cursor, or set times
        return _makes(key)
    return _claim(key, group, consumer, min(entries), max(entries), facts)


def _xautoclaim(argv: Sequence[bytes], reply: Reply, facts: Sequence[Fact]) -> Touched:
    key, group, consumer = argv[1:4]
    return _claim(key, group, consumer, *ALL_IDS, facts)


def _xpending(argv: Sequence[bytes], reply: Reply, facts: Sequence[Fact]) -> Touched:
    return _reads(Place(PENDING, argv[1], argv[2]))


def _all_entries(argv: Sequence[bytes], reply: Reply, facts: Sequence[Fact]) -> Touched:
    return _reads(Place(TAIL, argv[1]), Place(ENTRY, argv[1]))


def _xdel(argv: Sequence[bytes], reply: Reply, facts: Sequence[Fact]) -> Touched:
    """Where the last node of a stream empties, the next entry begins another: so it touches the tail, too."""
    return _writes(Place(TAIL, argv[1]), Place(ENTRY, argv[1]))


_STREAM = {
    b"XADD": _xadd, b"XACK": _xack, b"XREAD": _xread, b"XREADGROUP": _xreadgroup, b"XCLAIM": _xclaim,
    b"XAUTOCLAIM": _xautoclaim, b"XPENDING": _xpending, b"XLEN": _all_entries, b"XRANGE": _all_entries,
    b"XREVRANGE": _all_entries, b"XDEL": _xdel,
}  # fmt: skip
