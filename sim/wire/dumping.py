"""DUMP and RESTORE: a value as text that this server understands again, for as long as it lives.

Redis writes the value itself; here the text only names it, so it cannot be taken to another server, which says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from ...models.commands.call import SYNTAX, Call, Command, CommandError, need_integer
from ...models.databases import born_of
from ...models.facts import KeyCopied
from ...models.reload import reloaded
from ...models.replies import NIL, OK, Reply
from ...models.stream import Stream

if TYPE_CHECKING:
    from ...models.databases import Value
    from .model import ServedModel

BAD_TEXT: Final = b"ERR DUMP payload version or checksum are wrong"
BUSY: Final = b"BUSYKEY Target key name already exists."
MARK: Final = b"\x00redelivery-dump:"
KEPT_MAX = 4096
"""So many values are kept; of more, the oldest go."""


class Dumped(NamedTuple):
    """A value as it was, and where."""

    key: bytes
    database: int
    born: int
    value: Value


def dump(call: Call) -> Reply:
    """DUMP key"""
    value = call.value(call.argv[1])
    if value is None:
        return NIL
    dumps = _dumps(call)
    number = next(reversed(dumps), 0) + 1
    copy = value if isinstance(value, bytes) else value.copy(born_of(value))
    dumps[number] = Dumped(call.argv[1], call.server.selected, born_of(value), copy)
    if len(dumps) > KEPT_MAX:
        del dumps[next(iter(dumps))]
    return MARK + b"%d" % number


def restore(call: Call) -> Reply:
    """RESTORE key ttl text [REPLACE] [ABSTTL] [IDLETIME s] [FREQ n]"""
    argv, server = call.argv, call.server
    options, at = set(), 4
    while at < len(argv):
        word = argv[at].upper()
        if word in (b"REPLACE", b"ABSTTL"):
            options.add(word)
            at += 1
        elif word in (b"IDLETIME", b"FREQ") and at + 1 < len(argv):
            if need_integer(argv[at + 1]) < 0:
                raise CommandError(b"ERR Invalid %b value, must be >= 0" % word)
            at += 2
        else:
            raise CommandError(SYNTAX)
    key = argv[1]
    there = call.value(key) is not None
    if there and b"REPLACE" not in options:
        raise CommandError(BUSY)
    ttl_ms = need_integer(argv[2])
    if ttl_ms < 0:
        raise CommandError(b"ERR Invalid TTL value, must be >= 0")
    number = argv[3].removeprefix(MARK)
    dumped = _dumps(call).get(int(number)) if argv[3].startswith(MARK) and number.isdigit() else None
    if dumped is None:
        raise CommandError(BAD_TEXT)
    if there:
        server.remove_key(key, "RESTORE", call.facts)
    deadline_ms = (ttl_ms if b"ABSTTL" in options else call.now_ms + ttl_ms) if ttl_ms else None
    if deadline_ms is not None and deadline_ms <= call.now_ms:
        return OK
    value = dumped.value
    made = server.reborn(reloaded(value, call.dialect) if isinstance(value, Stream) else value)
    server.put_key(key, made, deadline_ms)
    call.facts.append(
        KeyCopied(dumped.key, dumped.database, dumped.born, key, server.selected, born_of(made), "RESTORE")
    )
    return OK


def _dumps(call: Call) -> dict[int, Dumped]:
    return cast("ServedModel", call.server).dumps


BESIDE = frozenset({"beside"})
ROWS = (
    Command("DUMP", 2, dump, BESIDE | {"readonly"}, (1, 1, 1)),
    Command("RESTORE", -4, restore, BESIDE | {"write"}, (1, 1, 1)),
)
