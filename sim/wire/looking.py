"""Commands that look over all keys: KEYS, SCAN, RANDOMKEY, OBJECT. Their order is the server's own affair.

A real server's order is one of hashing with a seed that differs each time, so no reply of these is compared byte by
byte; here it is the same each time.
"""

from __future__ import annotations

from zlib import crc32

from ...models.collection import HASH, SET, Collection
from ...models.commands.call import SYNTAX, Call, Command, CommandError, integer, need_integer, shown
from ...models.commands.groups import subcommand_error
from ...models.commands.keyspace import type_of
from ...models.glob import matches
from ...models.lists import List
from ...models.replies import NIL, Reply, Simple
from ...models.stream import Stream

BAD_CURSOR = b"ERR invalid cursor"
LIST_ITEMS_MAX = 128
"""A list with more is no listpack any more; by size it is one sooner, which is not looked at."""

HELP = (
    b"OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    b"ENCODING <key>",
    b"IDLETIME <key>",
    b"REFCOUNT <key>",
    b"HELP",
)


def keys(call: Call) -> Reply:
    """KEYS pattern"""
    pattern = call.argv[1]
    return tuple([key for key in _live(call) if matches(pattern, key)])


def randomkey(call: Call) -> Reply:
    """RANDOMKEY: here the smallest of a hash that moves with time, so that it is the same each time."""
    live = _live(call)
    return min(live, key=lambda key: (crc32(key, call.now_ms & 0xFFFFFFFF), key)) if live else NIL


def scan(call: Call) -> Reply:
    """SCAN cursor [MATCH pattern] [COUNT n] [TYPE type]: a key that is there all the time is given once."""
    argv = call.argv
    if not argv[1].isdigit() or int(argv[1]) >= 2**64:
        raise CommandError(BAD_CURSOR)
    cursor, count, pattern, kind = int(argv[1]), 10, b"*", b""
    at = 2
    while at < len(argv):
        word = shown(argv[at]).upper()
        if at + 1 == len(argv):
            raise CommandError(SYNTAX)
        if word == b"COUNT":
            count = need_integer(argv[at + 1])
            if count < 1:
                raise CommandError(SYNTAX)
        elif word == b"MATCH":
            pattern = argv[at + 1]
        elif word == b"TYPE" and call.dialect.has((6, 0)):
            kind = argv[at + 1].lower()
        else:
            raise CommandError(SYNTAX)
        at += 2
    # By their hash: so a cursor, which is the hash to go on with, does not depend on what comes and goes.
    left = sorted((place, key) for key in _live(call) if (place := crc32(key) + 1) > cursor)
    page = left[:count]
    while page and len(page) < len(left) and left[len(page)][0] == page[-1][0]:
        page.append(left[len(page)])
    after = page[-1][0] if len(page) < len(left) else 0
    found = [key for _, key in page if pattern == b"*" or matches(pattern, key)]
    if kind:
        found = [key for key in found if _type(call, key) == kind]
    return (b"%d" % after, tuple(found))


def encoding(call: Call) -> Reply:
    """OBJECT ENCODING key"""
    value = call.value(call.argv[2])
    if value is None:
        return NIL
    if isinstance(value, Stream):
        return b"stream"
    if isinstance(value, List):
        packed = call.dialect.has((7, 2)) and len(value.items) <= LIST_ITEMS_MAX
        return b"listpack" if packed else b"quicklist"
    if isinstance(value, Collection):
        return _encoding_of(value, call)
    if len(value) <= 20 and value.lstrip(b"-").isdigit() and str(int(value)).encode() == value:
        return b"int"
    return b"embstr" if len(value) <= 44 else b"raw"


def _encoding_of(value: Collection, call: Call) -> bytes:
    """How a collection is kept, by how much is in it and how long its items are (with Redis's default settings)."""
    packed = b"listpack" if call.dialect.has((7, 0)) else b"ziplist"
    items = [*value.fields, *value.fields.values(), *value.scores]
    short = all(len(item) <= 64 for item in items)
    if value.kind == SET:
        if all(integer(item) is not None for item in value.fields) and len(value) <= 512:
            return b"intset"
        small = call.dialect.has((7, 2)) and len(value) <= 128 and short
        return b"listpack" if small else b"hashtable"
    if value.kind == HASH:
        return packed if len(value) <= 512 and short else b"hashtable"
    return packed if len(value) <= 128 and short else b"skiplist"


def idletime(call: Call) -> Reply:
    """OBJECT IDLETIME key: the model does not note when a key was used, so 0."""
    return NIL if call.value(call.argv[2]) is None else 0


def refcount(call: Call) -> Reply:
    """OBJECT REFCOUNT key"""
    return NIL if call.value(call.argv[2]) is None else 1


def help_text(call: Call) -> Reply:
    """OBJECT HELP"""
    return HELP


def object_by_hand(call: Call) -> Reply:
    """OBJECT before it had real subcommands."""
    word, argc = shown(call.argv[1]).upper(), len(call.argv)
    for row in OBJECT:
        if row.name.encode() == word and row.arity == argc:
            return row.run(call)
    raise subcommand_error(call)


def _live(call: Call) -> list[bytes]:
    """The keys of the selected database whose time is not over."""
    server = call.server
    if not server.expires:
        return list(server.keys)
    return [key for key in server.keys if server.expires.get(key, call.now_ms) >= call.now_ms]


def _type(call: Call, key: bytes) -> bytes:
    named = type_of(Call(call.server, call.session, (b"TYPE", key), call.now_ms, call.facts, call.command, False))
    return named.text if isinstance(named, Simple) else b""


READ = frozenset({"readonly"})
OBJECT = (
    Command("ENCODING", 3, encoding, READ, (2, 2, 1)),
    Command("IDLETIME", 3, idletime, READ, (2, 2, 1)),
    Command("REFCOUNT", 3, refcount, READ, (2, 2, 1)),
    Command("HELP", 2, help_text, READ),
)
ROWS = (
    Command("KEYS", 2, keys, READ),
    Command("SCAN", -2, scan, READ),
    Command("RANDOMKEY", 1, randomkey, READ),
    Command("OBJECT", -2, object_by_hand, READ, (2, 2, 1)),
    Command("OBJECT", -2, object_by_hand, READ, (2, 2, 1), since=(7, 0), subcommands=OBJECT),
)
