"""Commands on keys of any type, and on databases."""

from __future__ import annotations

from ..collection import Collection
from ..databases import DATABASES, born_of
from ..facts import DatabasesSwapped, KeyCopied
from ..lists import List
from ..reload import reloaded
from ..replies import OK, Reply, Simple
from ..stream import Stream
from .call import NO_SUCH_KEY, NOT_AN_INTEGER, SYNTAX, Call, CommandError, integer

SAME_OBJECT = b"ERR source and destination objects are the same"
NO_DATABASE = b"ERR DB index is out of range"


def delete(call: Call) -> Reply:
    """DEL key [key ...], UNLINK key [key ...]"""
    gone = 0
    for key in call.argv[1:]:
        if call.value(key) is not None:
            gone += call.server.remove_key(key, call.command.name, call.facts)
    return gone


def exists(call: Call) -> Reply:
    """EXISTS key [key ...]: a key given twice counts twice."""
    return sum([call.value(key) is not None for key in call.argv[1:]])


def type_of(call: Call) -> Reply:
    """TYPE key"""
    value = call.value(call.argv[1])
    if value is None:
        return Simple(b"none")
    if isinstance(value, Collection):
        return Simple(value.kind.encode())
    return Simple(b"stream" if isinstance(value, Stream) else b"list" if isinstance(value, List) else b"string")


def flushall(call: Call) -> Reply:
    """FLUSHALL [ASYNC|SYNC]"""
    _check_flush(call)
    for index in sorted(call.server.databases):
        call.server.select(index)
        _empty(call)
    call.server.select(call.session.database)
    return OK


def flushdb(call: Call) -> Reply:
    """FLUSHDB [ASYNC|SYNC]: the selected database."""
    _check_flush(call)
    _empty(call)
    return OK


def rename(call: Call) -> Reply:
    """RENAME key newkey: whatever was there goes."""
    return _rename(call, only_free=False)


def renamenx(call: Call) -> Reply:
    """RENAMENX key newkey: only where no key is."""
    return _rename(call, only_free=True)


def _rename(call: Call, *, only_free: bool) -> Reply:
    server = call.server
    key, to = call.argv[1], call.argv[2]
    if call.value(key) is None:
        raise CommandError(NO_SUCH_KEY)
    if key == to:
        return 0 if only_free else OK
    if call.value(to) is not None:
        if only_free:
            return 0
        server.remove_key(to, call.command.name, call.facts)
    server.move_key(key, to, server.selected, call.command.name, call.facts)
    return 1 if only_free else OK


def copy(call: Call) -> Reply:
    """COPY source destination [DB n] [REPLACE]"""
    argv, server = call.argv, call.server
    source = to_database = server.selected
    replace = False
    at = 3
    while at < len(argv):
        word = call.takes(argv[at])
        if word == b"DB" and at + 1 < len(argv):
            to_database = database_index(argv[at + 1])
            at += 1
        elif word == b"REPLACE":
            replace = True
        else:
            raise CommandError(SYNTAX)
        at += 1
    key, to = argv[1], argv[2]
    if source == to_database and key == to:
        raise CommandError(SAME_OBJECT)
    value = call.value(key)
    if value is None:
        return 0
    deadline_ms = server.expires.get(key)
    server.select(to_database)
    try:
        if call.value(to) is not None:
            if not replace:
                return 0
            server.remove_key(to, "COPY", call.facts)
        made = server.reborn(reloaded(value, call.dialect) if isinstance(value, Stream) else value)
        server.put_key(to, made, deadline_ms)
    finally:
        server.select(source)
    call.facts.append(KeyCopied(key, source, born_of(value), to, to_database, born_of(made), "COPY"))
    return 1


def move(call: Call) -> Reply:
    """MOVE key database"""
    server, key = call.server, call.argv[1]
    source = server.selected
    number = integer(call.argv[2])
    if call.dialect.move_text and (number is None or not 0 <= number < DATABASES):
        raise CommandError(call.dialect.move_text)
    to_database = database_index(call.argv[2])
    if source == to_database:
        raise CommandError(SAME_OBJECT)
    if call.value(key) is None:
        return 0
    server.select(to_database)
    taken = call.value(key) is not None
    server.select(source)
    if taken:
        return 0
    server.move_key(key, key, to_database, "MOVE", call.facts)
    return 1


def select(call: Call) -> Reply:
    """SELECT database"""
    text = call.argv[1]
    if call.dialect.select_text and integer(text) is None:
        raise CommandError(call.dialect.select_text)
    number = database_index(text, fits_int=not call.dialect.select_text)
    call.session.use(number)
    call.server.select(number)
    return OK


def swapdb(call: Call) -> Reply:
    """SWAPDB database database: keys change places, whoever waits or watches does not."""
    numbers = []
    for text, name in zip(call.argv[1:], (b"first", b"second"), strict=True):
        number = integer(text)
        if number is None or (call.dialect.index_is_int and not -(2**31) <= number < 2**31):
            raise CommandError(b"ERR invalid %b DB index" % name)
        numbers.append(number)
    first, second = numbers
    if not (0 <= first < DATABASES and 0 <= second < DATABASES):
        raise CommandError(NO_DATABASE)
    if first != second:
        call.server.swap(first, second, call.now_ms)
        call.facts.append(DatabasesSwapped(first, second))
    return OK


def dbsize(call: Call) -> Reply:
    """DBSIZE: keys whose time is over count until somebody looks at them."""
    return len(call.server.keys)


def database_index(text: bytes, *, fits_int: bool = True) -> int:
    """The number of a database; where it has to fit into 32 bits, that is looked at first."""
    number = integer(text)
    if number is None:
        raise CommandError(NOT_AN_INTEGER)
    if fits_int and not -(2**31) <= number < 2**31:
        raise CommandError(b"ERR value is out of range, value must between -2147483648 and 2147483647")
    if not fits_int:
        number = (number + 2**31) % 2**32 - 2**31  # an int of C keeps the lower half
    if not 0 <= number < DATABASES:
        raise CommandError(NO_DATABASE)
    return number


def _check_flush(call: Call) -> None:
    if len(call.argv) > 2 or (len(call.argv) == 2 and not call.takes(call.argv[1])):
        raise CommandError(SYNTAX)


def _empty(call: Call) -> None:
    if call.server.keys:
        call.note_change()
    for key in tuple(call.server.keys):
        call.server.remove_key(key, call.command.name, call.facts)
