"""XREAD and XREADGROUP. Source: xreadCommand."""

from __future__ import annotations

from itertools import takewhile
from typing import NamedTuple

from .. import ids
from ..replies import BLOCKED, NIL_ARRAY, Map, Reply
from ..session import Wait
from ..stream import Stream
from .budget import Budget, limit_of
from .call import INVALID_ID, SYNTAX, Call, CommandError, need_integer, shown
from .claim_reads import claim_and_deliver, claimable_at
from .delivering import deliver, ensure_consumer, history

NEW = ids.ID_MAX
"""How ``>`` is kept; an explicit largest ID means the same to the server."""

DOLLAR_IN_GROUP = (
    b"ERR The %b ID is meaningless in the context of XREADGROUP: you want to read the history of this "
    b"consumer by specifying a proper ID, or use the > ID to get new messages. The %b ID would just "
    b"return an empty result set."
)
MAXCOUNT_BELOW_COUNT = b"ERR MAXCOUNT must be greater than or equal to COUNT"
"""That it is refused is documented, in which words is not."""

NEW_WITHOUT_GROUP = (
    b"ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."
)


class _Options(NamedTuple):
    """What a command line says, before any key is looked at."""

    grouped: bool
    count_max: int | None
    block_ms: int | None
    noack: bool
    claim_ms: int | None
    entries_max: int | None
    bytes_max: int | None
    group: bytes | None
    consumer: bytes
    keys: tuple[bytes, ...]
    ids_at: int


def xread(call: Call) -> Reply:
    """XREAD [COUNT n] [BLOCK ms] STREAMS key ... id ..."""
    return _read(call, _options(call, grouped=False))


def xreadgroup(call: Call) -> Reply:
    """XREADGROUP GROUP group consumer [COUNT n] [BLOCK ms] [NOACK] STREAMS key ... id ..."""
    options = _options(call, grouped=True)
    if options.group is None:
        raise CommandError(b"ERR Missing GROUP option for XREADGROUP")
    return _read(call, options)


def _read(call: Call, want: _Options) -> Reply:
    texts = call.argv[want.ids_at :]
    positions = tuple([_position(call, want, key, text) for key, text in zip(want.keys, texts, strict=True)])
    served: list[tuple[Reply, Reply]] = []
    budget: Budget | None = None
    if want.entries_max is not None or want.bytes_max is not None:
        budget = Budget(want.entries_max, want.bytes_max, call.session.resp)
    for key, position in zip(want.keys, positions, strict=True):
        if budget is not None and budget.is_spent:
            break
        stream = call.stream(key)
        if stream is None:
            continue
        if position != NEW and want.grouped:
            want = want._replace(claim_ms=None)  # a stream that is read from history ends claiming for those after it
        if want.grouped:
            entries = _group_entries(call, want, key, stream, position, budget)
        else:
            entries = _entries(stream, want, position, budget)
        if entries is not None:
            served.append((key, entries))
    if served:
        return Map(tuple(served), paired=True)
    if want.block_ms is None or not call.may_block:
        return NIL_ARRAY
    call.server.block(call.session, _wait(call, want, positions))
    return BLOCKED


def _entries(stream: Stream, want: _Options, position: int, budget: Budget | None) -> Reply | None:
    if position == ids.ID_MAX:
        return None
    found = stream.ascending(position + 1, ids.ID_MAX, want.count_max)
    reply = tuple([(ids.show(entry_id), fields) for entry_id, fields in found])
    if budget is not None:
        reply = tuple(takewhile(budget.takes, reply))
    return reply or None


def _group_entries(
    call: Call, want: _Options, key: bytes, read: Stream, position: int, budget: Budget | None
) -> Reply | None:
    assert want.group is not None
    stream = call.stream_for_write(key) if read.shared else read
    assert stream is not None, "it was there just now"
    group = stream.group_for_write(want.group)
    assert group is not None, "checked while parsing"
    claims = position == NEW and want.claim_ms is not None
    nothing_new = position == NEW and not claims and stream.last_live_id() <= group.cursor
    if nothing_new and not call.dialect.tracks_active_time:
        return None
    consumer = ensure_consumer(call, key, stream, group, want.consumer)
    consumer.seen_ms = call.now_ms
    if nothing_new:
        return None
    if claims:
        assert want.claim_ms is not None
        return claim_and_deliver(
            call, key, stream, group, consumer, want.claim_ms, want.count_max, noack=want.noack, budget=budget
        )
    if position != NEW:
        return history(call, key, stream, group, consumer, position, want.count_max, budget)
    new = deliver(call, key, stream, group, consumer, want.count_max, noack=want.noack, budget=budget)
    return new if budget is None else new or None


def _wait(call: Call, want: _Options, read_from: tuple[int, ...]) -> Wait:
    """What the session waits for, with ``$`` resolved so that waking cannot move it."""
    argv = list(call.argv)
    positions: dict[bytes, int] = {}
    for i, (key, position) in enumerate(zip(want.keys, read_from, strict=True)):
        positions.setdefault(key, position)
        if not want.grouped and shown(argv[want.ids_at + i]) == b"$":
            argv[want.ids_at + i] = ids.show(position)
    assert want.block_ms is not None
    return Wait(
        argv=tuple(argv),
        positions=positions,
        deadline_ms=call.now_ms + want.block_ms if want.block_ms else None,
        group=want.group,
        consumer=want.consumer,
        noack=want.noack,
        count=want.count_max or 0,
        claim_ms=_claim_ms(call, want),
    )


def _claim_ms(call: Call, want: _Options) -> int | None:
    if want.claim_ms is None:
        return None
    assert want.group is not None
    return claimable_at(call, want.keys, want.group, want.claim_ms)


def gives_away(call: Call) -> bool:
    """Whether an XREADGROUP that was accepted has NOACK: what it delivers is nobody's concern any more."""
    return _options(call, grouped=True).noack


def _options(call: Call, *, grouped: bool) -> _Options:
    """Reads up to the IDs. A client sends the same line again and again, so what it meant is remembered."""
    line = tuple(call.argv)
    known = call.server.read_lines.get(line)
    if known is None:
        known = _read_options(call, grouped)
        if not known.block_ms or known.block_ms < BLOCK_SURE_MS:
            call.server.remember_line(line, known)
    return known


BLOCK_SURE_MS = 2**62
"""A longer BLOCK may or may not overflow the clock, so it is looked at each time."""


def _read_options(call: Call, grouped: bool) -> _Options:
    argv = call.argv
    count: int | None = None
    block_ms: int | None = None
    noack = False
    claim_ms: int | None = None
    limits: dict[bytes, int] = {}
    group: bytes | None = None
    consumer = b""
    at = 1
    while at < len(argv):
        more = len(argv) - 1 - at
        word = call.takes(argv[at])
        if word == b"BLOCK" and more:
            at += 1
            block_ms = timeout_of(call, argv[at])
        elif word == b"COUNT" and more:
            at += 1
            count = need_integer(argv[at])
            if count <= 0:
                count = None
        elif word == b"STREAMS" and more:
            if more % 2:
                raise CommandError(_unbalanced(call, grouped))
            keys = tuple(argv[at + 1 : at + 1 + more // 2])
            entries_max = limits.get(b"MAXCOUNT")
            if entries_max is not None and count is not None and entries_max < count:
                raise CommandError(MAXCOUNT_BELOW_COUNT)
            return _Options(
                grouped, count, block_ms, noack, claim_ms, entries_max, limits.get(b"MAXSIZE"), group, consumer,
                keys, at + 1 + more // 2,
            )  # fmt: skip
        elif word == b"GROUP" and more >= 2:
            if not grouped:
                raise CommandError(_only_grouped(b"GROUP"))
            group, consumer = argv[at + 1], argv[at + 2]
            at += 2
        elif word in (b"MAXCOUNT", b"MAXSIZE") and more:
            at += 1
            limits[word] = limit_of(word, argv[at])
        elif word == b"CLAIM" and more:
            if not grouped:
                raise CommandError(_only_grouped(b"CLAIM"))
            at += 1
            claim_ms = need_integer(argv[at], b"ERR min-idle-time is not an integer or out of range")
            if claim_ms < 0:
                raise CommandError(b"ERR min-idle-time must be a positive integer")
        elif word == b"NOACK":
            if not grouped:
                raise CommandError(_only_grouped(b"NOACK"))
            noack = True
        else:
            break
        at += 1
    raise CommandError(SYNTAX)


def timeout_of(call: Call, text: bytes) -> int:
    """A timeout in milliseconds; 0 has no end (getTimeoutFromObjectOrReply)."""
    timeout_ms = need_integer(text, b"ERR timeout is not an integer or out of range")
    if timeout_ms < 0:
        raise CommandError(b"ERR timeout is negative")
    if call.dialect.block_overflow_error and timeout_ms > 2**63 - 1 - call.now_ms:
        raise CommandError(b"ERR timeout is out of range")
    return timeout_ms


def _position(call: Call, want: _Options, key: bytes, text: bytes) -> int:
    """The ID after which a stream is read, with the checks that come stream by stream."""
    stream = call.stream(key)
    if want.grouped:
        assert want.group is not None
        if stream is None or want.group not in stream.groups:
            raise CommandError(
                b"NOGROUP No such key '%b' or consumer group '%b' in XREADGROUP with GROUP option"
                % (shown(key), shown(want.group))
            )
        if text == b">":
            return NEW  # mostly
    if b"\0" in text:
        text = shown(text)
    if text == b"$" or (text == b"+" and call.dialect.read_last_entry):
        if want.grouped:
            raise CommandError(DOLLAR_IN_GROUP % (text, text))
        if stream is None:
            return 0
        return stream.last_id if text == b"$" else _before_last(call, stream)
    if text == b">":
        if not want.grouped:
            raise CommandError(NEW_WITHOUT_GROUP)
        return NEW
    entry_id = ids.parse(text, 0, strict=True)
    if entry_id is None:
        raise CommandError(INVALID_ID)
    return entry_id


def _before_last(call: Call, stream: Stream) -> int:
    """The ID just before the last entry: what ``+`` stands for."""
    rule = call.dialect.read_last_entry
    if rule == "live":
        return max(stream.last_live_id() - 1, 0)
    if rule == "filled" and stream.length == 0:
        return 0
    if stream.last_id == 0:
        raise CommandError(b"ERR the stream last element ID is 0-0")
    return stream.last_id - 1


def _unbalanced(call: Call, grouped: bool) -> bytes:
    tail = b" list of streams: for each stream key an ID%b must be specified."
    if call.dialect.unbalanced_text == "list":
        return b"ERR Unbalanced XREAD" + tail % b" or '$'"
    if grouped:
        return b"ERR Unbalanced 'xreadgroup'" + tail % b" or '>'"
    return b"ERR Unbalanced 'xread'" + tail % (
        b", '+', or '$'" if call.dialect.unbalanced_text == "plus" else b" or '$'"
    )


def _only_grouped(word: bytes) -> bytes:
    return b"ERR The %b option is only supported by XREADGROUP. You called XREAD instead." % word
