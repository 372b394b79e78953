"""Lists, without waiting. Source: t_list.c."""

from __future__ import annotations

from collections.abc import Sequence

from ..facts import ListEdited, ListMoved, ListPopped, ListPushed
from ..lists import LEFT, RIGHT, List, Side
from ..replies import NIL, NIL_ARRAY, OK, Reply
from .call import NO_SUCH_KEY, SYNTAX, Call, CommandError, integer, need_integer, shown

NOT_POSITIVE = b"ERR value is out of range, must be positive"
LEAST = b"ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
NUMKEYS = b"ERR numkeys should be greater than 0"
COUNT = b"ERR count should be greater than 0"


def lpush(call: Call) -> Reply:
    """LPUSH key element ..."""
    return _push(call, LEFT, make=True)


def rpush(call: Call) -> Reply:
    """RPUSH key element ..."""
    return _push(call, RIGHT, make=True)


def lpushx(call: Call) -> Reply:
    """LPUSHX key element ...: only where there is a list."""
    return _push(call, LEFT, make=False)


def rpushx(call: Call) -> Reply:
    """RPUSHX key element ...: only where there is a list."""
    return _push(call, RIGHT, make=False)


def lpop(call: Call) -> Reply:
    """LPOP key [count]"""
    return _pop(call, LEFT)


def rpop(call: Call) -> Reply:
    """RPOP key [count]"""
    return _pop(call, RIGHT)


def llen(call: Call) -> Reply:
    """LLEN key"""
    found = call.list(call.argv[1])
    return 0 if found is None else len(found.items)


def lrange(call: Call) -> Reply:
    """LRANGE key start stop"""
    start, end = need_integer(call.argv[2]), need_integer(call.argv[3])
    found = call.list(call.argv[1])
    return () if found is None else found.slice(start, end)


def lindex(call: Call) -> Reply:
    """LINDEX key index"""
    found = call.list(call.argv[1])
    if found is None:
        return NIL
    at = need_integer(call.argv[2])
    return found.items[at] if -len(found.items) <= at < len(found.items) else NIL


def lset(call: Call) -> Reply:
    """LSET key index element"""
    key, element = call.argv[1], call.argv[3]
    found = call.list_for_write(key)
    if found is None:
        raise CommandError(NO_SUCH_KEY)
    at = need_integer(call.argv[2])
    if call.dialect.lset_index_wraps:
        at = (at + 2**31) % 2**32 - 2**31
    if not -len(found.items) <= at < len(found.items):
        raise CommandError(b"ERR index out of range")
    before, found.items[at] = found.items[at], element
    _edited(call, key, found, (before,), (element,), "LSET")
    return OK


def lrem(call: Call) -> Reply:
    """LREM key count element: from the head, from the tail where ``count`` is negative, all where it is 0."""
    key, element = call.argv[1], call.argv[3]
    count = need_integer(call.argv[2])
    if count == -(2**63) and call.dialect.lrem_refuses_least:
        raise CommandError(LEAST)
    found = call.list_for_write(key)
    if found is None:
        return 0
    items = list(found.items)
    hits = [at for at, item in enumerate(items) if item == element]
    if count:
        hits = hits[:count] if count > 0 else hits[count:]
    if hits:
        gone = set(hits)
        found.items = type(found.items)(item for at, item in enumerate(items) if at not in gone)
        _edited(call, key, found, (element,) * len(hits), (), "LREM")
    return len(hits)


def ltrim(call: Call) -> Reply:
    """LTRIM key start stop: keeps that range."""
    key = call.argv[1]
    start, end = need_integer(call.argv[2]), need_integer(call.argv[3])
    found = call.list_for_write(key)
    if found is None:
        return OK
    items = list(found.items)
    first, last = found.bounds(start, end)
    kept = items[first : last + 1] if first <= last else []
    gone = items[:first] + items[last + 1 :] if kept else items
    found.items = type(found.items)(kept)
    if gone or call.dialect.ltrim_touches_unchanged:
        _edited(call, key, found, tuple(gone), (), "LTRIM")
    return OK


def linsert(call: Call) -> Reply:
    """LINSERT key BEFORE|AFTER pivot element"""
    key, pivot, element = call.argv[1], call.argv[3], call.argv[4]
    where = shown(call.argv[2]).upper()
    if where not in (b"BEFORE", b"AFTER"):
        raise CommandError(SYNTAX)
    found = call.list_for_write(key)
    if found is None:
        return 0
    if pivot not in found.items:
        return -1
    found.items.insert(found.items.index(pivot) + (where == b"AFTER"), element)
    _edited(call, key, found, (), (element,), "LINSERT")
    return len(found.items)


def lpos(call: Call) -> Reply:
    """LPOS key element [RANK n] [COUNT n] [MAXLEN n]"""
    rank, count, longest = _lpos_options(call)
    found = call.list(call.argv[1])
    if found is None:
        return NIL if count is None else ()
    if rank == -(2**63):  # it has no absolute value, so every match is past it, and no count is reached
        rank, count = -1, None if count is None else 0
    items, element = found.items, call.argv[2]
    size = len(items)
    places = range(size) if rank > 0 else range(size - 1, -1, -1)
    hits = [at for at in places[: longest or size] if items[at] == element][abs(rank) - 1 :]
    if count is None:
        return hits[0] if hits else NIL
    return tuple(hits[:count] if count else hits)


def _lpos_options(call: Call) -> tuple[int, int | None, int]:
    argv = call.argv
    rank, longest = 1, 0
    count: int | None = None
    at = 3
    while at < len(argv):
        word = call.takes(argv[at])
        if not word or at + 1 >= len(argv):
            raise CommandError(SYNTAX)
        if word == b"RANK":
            rank = need_integer(argv[at + 1])
            if rank == 0:
                raise CommandError(call.dialect.zero_rank_text)
            if rank == -(2**63) and call.dialect.lpos_refuses_least:
                raise CommandError(LEAST)
        elif word == b"COUNT":
            count = _not_negative(call, argv[at + 1], b"ERR COUNT can't be negative")
        else:
            longest = _not_negative(call, argv[at + 1], b"ERR MAXLEN can't be negative")
        at += 2
    return rank, count, longest


def _not_negative(call: Call, text: bytes, error: bytes) -> int:
    value = need_integer(text, error) if call.dialect.range_hides_kind else need_integer(text)
    if value < 0:
        raise CommandError(error)
    return value


def lmove(call: Call) -> Reply:
    """LMOVE source destination LEFT|RIGHT LEFT|RIGHT"""
    start, end = side_of(call.argv[3]), side_of(call.argv[4])
    return move(call, call.argv[1], call.argv[2], start, end)


def rpoplpush(call: Call) -> Reply:
    """RPOPLPUSH source destination"""
    return move(call, call.argv[1], call.argv[2], RIGHT, LEFT)


def lmpop(call: Call) -> Reply:
    """LMPOP numkeys key ... LEFT|RIGHT [COUNT n]"""
    keys, side, count = several_keys(call, 1)
    for key in keys:
        found = call.list_for_write(key)
        if found is not None:
            return (key, take(call, key, found, side, count))
    return NIL_ARRAY


# -- what the commands that wait do, too ----------------------------------------------------------


def side_of(text: bytes) -> Side:
    """LEFT or RIGHT."""
    word = shown(text).upper()
    if word not in (b"LEFT", b"RIGHT"):
        raise CommandError(SYNTAX)
    return LEFT if word == b"LEFT" else RIGHT


def several_keys(call: Call, at: int) -> tuple[Sequence[bytes], Side, int]:
    """Reads ``numkeys key ... LEFT|RIGHT [COUNT n]``, which begins at ``at``."""
    argv = call.argv
    numkeys = integer(argv[at])
    if numkeys is None or numkeys < 1:
        raise CommandError(NUMKEYS)
    where = at + numkeys + 1
    if where >= len(argv):
        raise CommandError(SYNTAX)
    side = side_of(argv[where])
    count: int | None = None
    for option in range(where + 1, len(argv), 2):
        if count is not None or call.takes(argv[option]) != b"COUNT" or option + 1 >= len(argv):
            raise CommandError(SYNTAX)
        count = integer(argv[option + 1])
        if count is None or count < 1:
            raise CommandError(COUNT)
    return argv[at + 1 : where], side, 1 if count is None else count


def take(call: Call, key: bytes, found: List, side: Side, count: int) -> tuple[bytes, ...]:
    """Takes up to ``count`` elements for the session; the key goes with the last one."""
    elements = tuple([found.pop(side) for _ in range(min(count, len(found.items)))])
    call.facts.append(ListPopped(key, found.born, elements, side, call.session.id, call.command.name))
    _removed(call, key, found)
    return elements


def move(call: Call, source: bytes, to: bytes, start: Side, end: Side) -> Reply:
    """Moves an element; the session gets to know it. The destination is looked at only if there is one."""
    found = call.list_for_write(source)
    if found is None:
        return NIL
    target = call.list_for_write(to)
    element = found.pop(start)
    if target is None:
        target = _make(call, to)
    target.push(end, element)
    call.touch(to)
    call.facts.append(ListMoved(source, found.born, to, target.born, element, call.session.id, call.command.name))
    _removed(call, source, found)
    return element


def _push(call: Call, side: Side, *, make: bool) -> Reply:
    key, elements = call.argv[1], tuple(call.argv[2:])
    found = call.list_for_write(key)
    if found is None:
        if not make:
            return 0
        found = _make(call, key)
    for element in elements:
        found.push(side, element)
    call.facts.append(ListPushed(key, found.born, elements, side, call.command.name))
    call.touch(key)
    return len(found.items)


def _make(call: Call, key: bytes) -> List:
    made = List(call.server.next_birth())
    call.server.put_key(key, made)
    return made


def _pop(call: Call, side: Side) -> Reply:
    key = call.argv[1]
    if len(call.argv) > 3:
        raise CommandError(b"ERR wrong number of arguments for '%b' command" % call.command.name.lower().encode())
    count: int | None = None
    if len(call.argv) == 3:
        count = need_integer(call.argv[2], NOT_POSITIVE)
        if count < 0:
            raise CommandError(NOT_POSITIVE)
    found = call.list_for_write(key)
    if found is None:
        return NIL if count is None else NIL_ARRAY
    if count is None:
        return take(call, key, found, side, 1)[0]
    return take(call, key, found, side, count) if count else ()


def _removed(call: Call, key: bytes, found: List) -> None:
    if found.items:
        call.touch(key)
    else:
        call.server.remove_key(key, call.command.name, call.facts)


def _edited(
    call: Call, key: bytes, found: List, removed: tuple[bytes, ...], added: tuple[bytes, ...], cause: str
) -> None:
    if removed or added:
        call.facts.append(ListEdited(key, found.born, removed, added, cause))
    _removed(call, key, found)
