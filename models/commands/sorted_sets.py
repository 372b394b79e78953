"""Sorted sets: what is due when, beside streams. Sources: t_zset.c, zslParseRange."""

from __future__ import annotations

from typing import Final, NamedTuple

from ..collection import SORTED_SET, Collection
from ..replies import NIL, Double, Reply
from .call import NOT_AN_INTEGER, SYNTAX, Call, CommandError, need_integer
from .collections import changed, collection, for_write

INFINITE: Final = float("inf")
NOT_A_FLOAT: Final = b"ERR value is not a valid float"
NOT_POSITIVE: Final = b"ERR value is out of range, must be positive"
NOT_A_RANGE: Final = b"ERR min or max is not a float"


class _Bound(NamedTuple):
    score: float
    is_open: bool


def _number(text: bytes, error: bytes) -> float:
    try:
        value = float(text)
    except ValueError:
        raise CommandError(error) from None
    if _is_nan(value) or text != text.strip() or b"_" in text:
        raise CommandError(error)
    return value


def _is_nan(value: float) -> bool:
    return value != value


def as_text(call: Call, score: float) -> bytes:
    """A score as the server prints it: up to 7.0 with all its digits, since then with as few as tell it."""
    if score in (INFINITE, -INFINITE):
        return b"inf" if score > 0 else b"-inf"
    if score == int(score) and abs(score) < 1e17:
        return b"%d" % int(score) if score or str(score)[0] != "-" else b"-0"
    return (repr(score) if call.dialect.shortest_scores else f"{score:.17g}").encode()


def zadd(call: Call) -> Reply:
    """ZADD key [NX|XX] [GT|LT] [CH] [INCR] score member ..."""
    argv = call.argv
    flags: set[bytes] = set()
    at = 2
    while at < len(argv) and (word := call.takes(argv[at])):
        flags.add(word)
        at += 1
    pairs = argv[at:]
    if not pairs or len(pairs) % 2:
        raise CommandError(SYNTAX)
    if {b"NX", b"XX"} <= flags:
        raise CommandError(b"ERR XX and NX options at the same time are not compatible")
    if len(flags & {b"GT", b"LT", b"NX"}) > 1:
        raise CommandError(b"ERR GT, LT, and/or NX options at the same time are not compatible")
    if b"INCR" in flags and len(pairs) > 2:
        raise CommandError(b"ERR INCR option supports a single increment-element pair")
    scores = [_number(text, NOT_A_FLOAT) for text in pairs[::2]]
    value = for_write(call, argv[1], SORTED_SET, makes=b"XX" not in flags)
    if value is None:
        return NIL if b"INCR" in flags else 0
    return _added(call, argv[1], value, flags, list(zip(scores, pairs[1::2], strict=True)))


def _added(
    call: Call, key: bytes, value: Collection, flags: set[bytes], pairs: list[tuple[float, bytes]]
) -> Reply:
    before, updated, last = len(value), 0, None
    for score, member in pairs:
        was = value.scores.get(member)
        wanted = score + (was or 0.0) if b"INCR" in flags else score
        if _is_nan(wanted):
            raise CommandError(b"ERR resulting score is not a number (NaN)")
        refused = (
            (was is None and b"XX" in flags)
            or (was is not None and b"NX" in flags)
            or (was is not None and b"GT" in flags and wanted <= was)
            or (was is not None and b"LT" in flags and wanted >= was)
        )
        last = None if refused else wanted
        if not refused and wanted != was:
            updated += was is not None
            value.scores[member] = wanted
    added = len(value) - before
    if added or updated:
        changed(call, key, value)
    if b"INCR" in flags:
        return NIL if last is None else Double(as_text(call, last))
    return added + updated if b"CH" in flags else added


def zincrby(call: Call) -> Reply:
    """ZINCRBY key n member"""
    by = _number(call.argv[2], NOT_A_FLOAT)
    value = for_write(call, call.argv[1], SORTED_SET, makes=True)
    assert value is not None
    return _added(call, call.argv[1], value, {b"INCR"}, [(by, call.argv[3])])


def zscore(call: Call) -> Reply:
    """ZSCORE key member"""
    found = collection(call, call.argv[1], SORTED_SET)
    score = None if found is None else found.scores.get(call.argv[2])
    return NIL if score is None else Double(as_text(call, score))


def zcard(call: Call) -> Reply:
    """ZCARD key"""
    return len(collection(call, call.argv[1], SORTED_SET) or ())


def zrem(call: Call) -> Reply:
    """ZREM key member ..."""
    value = for_write(call, call.argv[1], SORTED_SET, makes=False)
    return 0 if value is None else _take(call, value, [m for m in call.argv[2:] if m in value.scores])


def zcount(call: Call) -> Reply:
    """ZCOUNT key min max"""
    bounds = _bounds(call.argv[2], call.argv[3])
    return len(_between(collection(call, call.argv[1], SORTED_SET), *bounds))


def zremrangebyscore(call: Call) -> Reply:
    """ZREMRANGEBYSCORE key min max"""
    bounds = _bounds(call.argv[2], call.argv[3])
    value = for_write(call, call.argv[1], SORTED_SET, makes=False)
    return 0 if value is None else _take(call, value, [member for _, member in _between(value, *bounds)])


def zpopmin(call: Call) -> Reply:
    """ZPOPMIN key [count], ZPOPMAX"""
    argv = call.argv
    if len(argv) > 3:
        raise CommandError(SYNTAX)
    early = call.dialect.pops_look_at_count_first
    count = need_integer(argv[2], NOT_AN_INTEGER if early else NOT_POSITIVE) if len(argv) > 2 else 1
    if early and count <= 0:
        return ()
    if count < 0:
        raise CommandError(NOT_POSITIVE)
    value = for_write(call, argv[1], SORTED_SET, makes=False)
    if value is None:
        return ()
    ranked = value.ranked()
    given = (ranked[::-1] if call.command.name == "ZPOPMAX" else ranked)[:count]
    _take(call, value, [member for _, member in given])
    if len(argv) > 2 and call.session.resp == 3:
        return tuple([(member, Double(as_text(call, score))) for score, member in given])
    return _listed(call, given, with_scores=True, flat=True)


def zrange(call: Call) -> Reply:
    """ZRANGE key start stop [BYSCORE] [REV] [LIMIT offset count] [WITHSCORES]"""
    argv = call.argv
    if call.dialect.zrange_by_rank_alone:
        for text in argv[2:4]:
            need_integer(text)
        if len(argv) > 5:
            raise CommandError(SYNTAX)
    options = _range_options(call)
    if options.limit is not None and not options.by_score:
        raise CommandError(b"ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX")
    if options.by_score:
        low, high = (argv[3], argv[2]) if options.backwards else (argv[2], argv[3])
        return _by_score(call, low, high, options)
    start, stop = need_integer(argv[2]), need_integer(argv[3])
    found = collection(call, argv[1], SORTED_SET)
    ranked = [] if found is None else found.ranked()
    if options.backwards:
        ranked.reverse()
    first = max(start + len(ranked), 0) if start < 0 else start
    last = stop + len(ranked) if stop < 0 else stop
    return _listed(call, ranked[first : max(last + 1, 0)], with_scores=options.with_scores)


def zrangebyscore(call: Call) -> Reply:
    """ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count], ZREVRANGEBYSCORE key max min ..."""
    backwards = call.command.name == "ZREVRANGEBYSCORE"
    low, high = (call.argv[3], call.argv[2]) if backwards else (call.argv[2], call.argv[3])
    if call.dialect.zrange_by_rank_alone:
        _bounds(low, high)
    options = _range_options(call)
    return _by_score(call, low, high, options._replace(backwards=backwards))


class _Options(NamedTuple):
    by_score: bool
    backwards: bool
    with_scores: bool
    limit: tuple[int, int] | None


def _range_options(call: Call) -> _Options:
    argv, limit = call.argv, None
    words: set[bytes] = set()
    at = 4
    while at < len(argv):
        word = call.takes(argv[at])
        if word == b"LIMIT" and at + 2 < len(argv):
            limit = need_integer(argv[at + 1]), need_integer(argv[at + 2])
            at += 2
        elif word in (b"", b"LIMIT"):
            raise CommandError(SYNTAX)
        else:
            words.add(word)
        at += 1
    return _Options(b"BYSCORE" in words, b"REV" in words, b"WITHSCORES" in words, limit)


def _by_score(call: Call, low: bytes, high: bytes, options: _Options) -> Reply:
    bounds = _bounds(low, high)
    found = _between(collection(call, call.argv[1], SORTED_SET), *bounds)
    if options.backwards:
        found.reverse()
    if options.limit is not None:
        offset, count = options.limit
        found = [] if offset < 0 else found[offset:] if count < 0 else found[offset : offset + count]
    return _listed(call, found, with_scores=options.with_scores)


def _bounds(low: bytes, high: bytes) -> tuple[_Bound, _Bound]:
    return _bound(low), _bound(high)


def _bound(text: bytes) -> _Bound:
    is_open = text[:1] == b"("
    return _Bound(_number(text[is_open:] or b"0", NOT_A_RANGE), is_open)  # C reads nothing as 0


def _between(value: Collection | None, low: _Bound, high: _Bound) -> list[tuple[float, bytes]]:
    if value is None:
        return []
    return [
        (score, member)
        for score, member in value.ranked()
        if (low.score < score if low.is_open else low.score <= score)
        and (score < high.score if high.is_open else score <= high.score)
    ]


def _take(call: Call, value: Collection, members: list[bytes]) -> int:
    gone = 0
    for member in members:
        gone += value.scores.pop(member, None) is not None
    if gone:
        changed(call, call.argv[1], value)
    return gone


def _listed(call: Call, found: list[tuple[float, bytes]], *, with_scores: bool, flat: bool = False) -> Reply:
    if not with_scores:
        return tuple([member for _, member in found])
    pairs = [(member, Double(as_text(call, score))) for score, member in found]
    if call.session.resp == 3 and not flat:
        return tuple(pairs)
    return tuple([part for pair in pairs for part in pair])
