"""XCLAIM and XAUTOCLAIM: taking pending entries over. Sources: xclaimCommand, xautoclaimCommand."""

from __future__ import annotations

from itertools import islice

from .. import ids
from ..facts import Claimed, Forgotten, Recounted
from ..group import Consumer, Group, Pending
from ..replies import NIL, Reply
from ..stream import Stream
from .call import SYNTAX, Call, CommandError, integer, need_integer, shown
from .delivering import cursor_moved, ensure_consumer, one_more
from .stream_ids import range_start, strict_id

ADDRESS_SPACE_BYTES = 1 << 47
"""What no server can allocate; how much less it refuses depends on the machine, and is not modelled."""

NO_MEMORY = b"ERR Insufficient memory, failed allocating transient memory, COUNT too high."


class _Claim:
    """Who claims what, and what a claimed entry becomes."""

    __slots__ = (
        "consumer", "count", "delivered_ms", "force", "group", "just_id", "key", "min_idle_ms", "name", "stream",
    )  # fmt: skip

    def __init__(
        self, key: bytes, stream: Stream, group: Group, name: bytes, min_idle_ms: int, delivered_ms: int
    ) -> None:
        self.key = key
        self.stream = stream
        self.group = group
        self.name = name
        self.min_idle_ms = min_idle_ms
        self.delivered_ms = delivered_ms
        self.count: int | None = None
        """A delivery count to set; ``None`` adds one, or leaves it with JUSTID."""
        self.just_id = False
        self.force = False
        self.consumer: Consumer | None = None


def xclaim(call: Call) -> Reply:
    """XCLAIM key group consumer min-idle id ..., then IDLE, TIME, RETRYCOUNT, FORCE, JUSTID, LASTID."""
    argv = call.argv
    stream, group = stream_and_group(call, argv[1], argv[2])
    min_idle_ms = max(need_integer(argv[4], b"ERR Invalid min-idle-time argument for XCLAIM"), 0)
    wanted = []
    at = 5
    while at < len(argv):
        try:
            wanted.append(strict_id(argv[at]))
        except CommandError:
            break  # the first that is no ID is an option
        at += 1
    claim = _Claim(argv[1], stream, group, argv[3], min_idle_ms, call.now_ms)
    last_id = _parse_options(call, claim, at)
    if last_id > group.cursor:
        before, group.cursor = group.cursor, last_id
        call.facts.append(cursor_moved(call, claim.key, stream, group, before, "LASTID"))
    _see_consumer(call, claim)
    claimed: list[Reply] = []
    for entry_id in wanted:
        reply = _claim_one(call, claim, entry_id)
        if reply is not None:
            claimed.append(reply)
    return tuple(claimed)


def xautoclaim(call: Call) -> Reply:
    """XAUTOCLAIM key group consumer min-idle start [COUNT n] [JUSTID]"""
    argv, dialect = call.argv, call.dialect
    call.value(argv[1])  # looked up first: a key whose time is over goes, whatever is wrong with the rest
    min_idle_ms = max(need_integer(argv[4], b"ERR Invalid min-idle-time argument for XAUTOCLAIM"), 0)
    start = range_start(argv[5], dialect.open_ranges)
    count, just_id = 100, False
    at = 6
    while at < len(argv):
        word = call.takes(argv[at])
        if word == b"COUNT" and at + 1 < len(argv):
            at += 1
            given = integer(argv[at])
            if given is None or not 0 < given <= dialect.autoclaim_count_max:
                raise CommandError(b"ERR COUNT must be > 0")
            count = given
        elif word == b"JUSTID":
            just_id = True
        else:
            raise CommandError(SYNTAX)
        at += 1
    stream, group = stream_and_group(call, argv[1], argv[2])
    if dialect.autoclaim_memory_error and count * ids.ID_BYTES >= ADDRESS_SPACE_BYTES:
        raise CommandError(NO_MEMORY)
    claim = _Claim(argv[1], stream, group, argv[3], min_idle_ms, call.now_ms)
    claim.just_id = just_id
    _see_consumer(call, claim)
    claimed: list[Reply] = []
    deleted: list[Reply] = []
    attempts = 10 * count & ids.PART_MAX  # a huge COUNT overflows
    cursor = 0
    for entry_id, _ in list(islice(group.pel.items(start), min(attempts, len(group.pel)) + 1)):
        if not attempts or not count:
            cursor = entry_id
            break
        attempts -= 1
        if dialect.claim_drops_deleted and stream.get(entry_id) is None:
            _forget(call, claim, entry_id, "XAUTOCLAIM")
            deleted.append(ids.show(entry_id))
            count -= 1
            continue
        reply = _claim_one(call, claim, entry_id)
        if reply is not None:
            claimed.append(reply)
            count -= 1
    if dialect.claim_drops_deleted:
        return (ids.show(cursor), tuple(claimed), tuple(deleted))
    return (ids.show(cursor), tuple(claimed))


def stream_and_group(call: Call, key: bytes, name: bytes) -> tuple[Stream, Group]:
    """The stream and the group, to be written to, or the error that claims give where they are not there."""
    stream = call.stream_for_write(key)
    group = None if stream is None else stream.group_for_write(name)
    if stream is None or group is None:
        raise CommandError(b"NOGROUP No such key '%b' or consumer group '%b'" % (shown(key), shown(name)))
    return stream, group


def _see_consumer(call: Call, claim: _Claim) -> None:
    if call.dialect.tracks_active_time:
        claim.consumer = ensure_consumer(call, claim.key, claim.stream, claim.group, claim.name)
        claim.consumer.seen_ms = call.now_ms


def _claim_one(call: Call, claim: _Claim, entry_id: int) -> Reply | None:
    """Claims one entry; what the reply holds for it, or ``None`` where it was not to be had."""
    fields = claim.stream.get(entry_id)
    if fields is None and call.dialect.claim_drops_deleted:
        _forget(call, claim, entry_id, "XCLAIM")
        return None
    before = claim.group.pel.get(entry_id)
    idle_ms: int | None = None
    if before is None:
        if not claim.force or fields is None:
            return None
        before = Pending(None, call.now_ms, 1, 0)
    else:
        idle_ms = call.now_ms - before.delivered_ms
        if claim.min_idle_ms and idle_ms < claim.min_idle_ms and before.consumer is not None:
            return None
    consumer = claim.consumer
    if consumer is None:
        consumer = ensure_consumer(call, claim.key, claim.stream, claim.group, claim.name)
        claim.consumer = consumer
    consumer.seen_ms = call.now_ms
    consumer.active_ms = call.now_ms
    count = before.count if claim.just_id else one_more(before.count, call.dialect)
    if claim.count is not None:
        count = claim.count
    owner_before = claim.group.assign(
        entry_id, consumer, claim.delivered_ms, count, in_time=call.dialect.claims_as_listed
    )
    if claim.count is not None:
        call.facts.append(Recounted(claim.key, claim.stream.born, claim.group.name, entry_id, count))
    call.facts.append(
        Claimed(
            claim.key, claim.stream.born, claim.group.name, claim.name, entry_id, owner_before, idle_ms,
            claim.min_idle_ms, count, claim.delivered_ms,
        )
    )  # fmt: skip
    if claim.just_id:
        return ids.show(entry_id)
    return NIL if fields is None else (ids.show(entry_id), fields)


def _forget(call: Call, claim: _Claim, entry_id: int, cause: str) -> None:
    nack = claim.group.release(entry_id)
    if nack is not None:
        if call.server.journal is not None:
            call.server.journal.forgotten[entry_id] = nack
        call.facts.append(Forgotten(claim.key, claim.stream.born, claim.group.name, entry_id, nack.consumer, cause))


def _parse_options(call: Call, claim: _Claim, at: int) -> int:
    """Reads XCLAIM's options into ``claim`` and returns LASTID (0 where there is none)."""
    argv, now_ms = call.argv, call.now_ms
    last_id = 0
    delivered_ms: int | None = None
    while at < len(argv):
        more = len(argv) - 1 - at
        word = call.takes(argv[at])
        if word == b"FORCE":
            claim.force = True
        elif word == b"JUSTID":
            claim.just_id = True
        elif word == b"IDLE" and more:
            at += 1
            delivered_ms = now_ms - need_integer(argv[at], b"ERR Invalid IDLE option argument for XCLAIM")
        elif word == b"TIME" and more:
            at += 1
            delivered_ms = need_integer(argv[at], b"ERR Invalid TIME option argument for XCLAIM")
        elif word == b"RETRYCOUNT" and more:
            at += 1
            given = need_integer(argv[at], b"ERR Invalid RETRYCOUNT option argument for XCLAIM")
            claim.count = given if given >= 0 else None
        elif word == b"LASTID" and more:
            at += 1
            last_id = strict_id(argv[at])
        else:
            raise CommandError(b"ERR Unrecognized XCLAIM option '%b'" % shown(argv[at]))
        at += 1
    if delivered_ms is not None and 0 <= delivered_ms <= now_ms:
        claim.delivered_ms = delivered_ms
    return last_id
