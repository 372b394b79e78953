"""XADD and XTRIM: appending entries and cutting old ones off.

Sources: xaddCommand, xtrimCommand, streamParseAddOrTrimArgsOrReply, streamAppendItem.
"""

from __future__ import annotations

from typing import Final

from .. import ids
from ..dialects import SMALLER, TOO_LARGE
from ..facts import Added, StreamCreated, Trimmed
from ..idempotence import Iid, automatic_iid
from ..references import ACKED, DROP, KEEP, drop_references, is_referenced, slowest_cursor
from ..replies import NIL, Reply
from ..stream import NODE_BYTES_LIMIT, Stream
from ..trim import Trim, trim, trim_by_reference
from .call import SYNTAX, Call, CommandError, need_integer, shown
from .idempotent import duplicate_of, records_for_write
from .stream_ids import strict_id

ZERO_ID = b"ERR The ID specified in XADD must be greater than 0-0"
EXHAUSTED = b"ERR The stream has exhausted the last possible ID, unable to add more items"
TWO_STRATEGIES = b"ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
NO_STRATEGY_OLD = b"ERR XTRIM called without an option to trim the stream"
NO_STRATEGY = b"ERR syntax error, XTRIM must be called with a trimming strategy"
IDMP_WITH_ID = b"ERR syntax error, IDMP/IDMPAUTO can be used only with auto-generated IDs"
LIMIT_ALONE = b"ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"
LIMIT_EXACT = b"ERR syntax error, LIMIT cannot be used without the special ~ option"


class AddArguments:
    """What stands between the key and the fields."""

    __slots__ = (
        "approximate", "entry_id", "iid", "limit", "make_stream", "maxlen", "minid", "open_ms", "producer",
        "references", "rest", "threshold_at",
    )  # fmt: skip

    def __init__(self) -> None:
        self.maxlen: int | None = None
        self.minid: int | None = None
        self.approximate = False
        self.limit: int | None = None
        self.make_stream = True
        self.entry_id: int | None = None
        self.open_ms: int | None = None
        """The milliseconds of ``ms-*``."""
        self.references = ""
        """KEEPREF, DELREF or ACKED, where one of them was given."""
        self.producer = b""
        """Of IDMP or IDMPAUTO; empty where neither was given."""
        self.iid = b""
        """Of IDMP; empty with IDMPAUTO."""
        self.rest = 0
        """The position of the first field name."""
        self.threshold_at = 0
        """The position of the threshold of MAXLEN or MINID; ``=`` or ``~`` stands before it, where there is one."""

    @property
    def trims(self) -> bool:
        return self.maxlen is not None or self.minid is not None


AS_IT_COMES: Final = AddArguments()
"""What stands there mostly: a ``*`` alone. Never changed."""
AS_IT_COMES.rest = 3


def xadd(call: Call) -> Reply:
    """XADD key [NOMKSTREAM] [MAXLEN|MINID [=|~] threshold [LIMIT n]] id field value ..."""
    argv = call.argv
    wanted = AS_IT_COMES if argv[2] == b"*" else parse_arguments(call, adding=True)
    fields = tuple(argv[wanted.rest :])
    if len(fields) < 2 or len(fields) % 2:
        name = b"'xadd' command" if call.dialect.new_error_texts else b"XADD"
        raise CommandError(b"ERR wrong number of arguments for " + name)
    if wanted.entry_id == 0:
        raise CommandError(ZERO_ID)
    key = argv[1]
    stream = call.stream_for_write(key)
    if stream is None:
        if not wanted.make_stream:
            return NIL
        stream = create_stream(call, key)
    iid: Iid = wanted.iid or automatic_iid(fields) if wanted.producer else b""
    if iid:
        known = duplicate_of(call, key, stream, wanted.producer, iid)
        if known is not None:
            return ids.show(known)
    if stream.last_id == ids.ID_MAX:
        raise CommandError(EXHAUSTED)
    entry_id = _new_id(call, stream, wanted)
    text_bytes = sum(map(len, fields))
    if text_bytes > NODE_BYTES_LIMIT:
        raise CommandError(TOO_LARGE)
    config = call.server.config
    node_bytes_max = config.stream_node_max_bytes or call.dialect.node_bytes_zero
    filling = call.dialect.tombstones_fill_nodes
    entries_max = config.stream_node_max_entries
    stream.append(entry_id, fields, text_bytes, node_bytes_max, entries_max, tombstones_count=filling)
    call.facts.append(Added(key, stream.born, entry_id, fields))
    if iid:
        records = records_for_write(call, stream)
        records.record(wanted.producer, iid, entry_id)
        records.added += 1
    if wanted.trims:
        _trim(call, key, stream, wanted, "XADD")
    call.server.signal(key)
    call.touch(key)
    return ids.show(entry_id)


def xtrim(call: Call) -> Reply:
    """XTRIM key MAXLEN|MINID [=|~] threshold [LIMIT n]"""
    if call.dialect.xtrim_key_first and call.stream(call.argv[1]) is None:
        return 0
    wanted = parse_arguments(call, adding=False)
    stream = call.stream_for_write(call.argv[1])
    return 0 if stream is None else _trim(call, call.argv[1], stream, wanted, "XTRIM")


def create_stream(call: Call, key: bytes) -> Stream:
    """Makes an empty stream at a key that does not exist.

    That alone wakes who is blocked there (dbAdd): a reader whose group went with an older stream is told so.
    """
    stream = Stream(call.server.next_birth())
    call.server.put_key(key, stream)
    call.facts.append(StreamCreated(key, stream.born))
    return stream


def _new_id(call: Call, stream: Stream, wanted: AddArguments) -> int:
    if wanted.open_ms is not None:
        if ids.ms_of(stream.last_id) != wanted.open_ms:
            entry_id = ids.make(wanted.open_ms, 0)
        elif ids.seq_of(stream.last_id) == ids.PART_MAX:
            raise CommandError(call.dialect.open_sequence_full_text)
        else:
            entry_id = stream.last_id + 1
    elif wanted.entry_id is not None:
        entry_id = wanted.entry_id
    else:
        return ids.next_generated(stream.last_id, call.now_ms)
    if entry_id <= stream.last_id:
        raise CommandError(SMALLER)
    return entry_id


def _trim(call: Call, key: bytes, stream: Stream, wanted: AddArguments, cause: str) -> int:
    limit = wanted.limit
    if limit is None:
        limit = _default_limit(call) if wanted.approximate else 0
    want = Trim(wanted.maxlen, wanted.minid or 0, wanted.approximate, limit)
    if wanted.references in ("", KEEP):
        removed = trim(stream, want)
    else:
        removed = _by_reference(call, stream, want, wanted, cause)
    if removed:
        call.facts.append(Trimmed(key, stream.born, removed, cause))
        call.touch(key)
    return len(removed)


def _by_reference(call: Call, stream: Stream, want: Trim, wanted: AddArguments, cause: str) -> tuple[int, ...]:
    if wanted.approximate and not call.dialect.approx_references:
        return ()
    if wanted.references == ACKED:
        slowest = slowest_cursor(stream, call.dialect)
        return trim_by_reference(stream, want, lambda entry_id: not is_referenced(stream, slowest, entry_id))
    assert wanted.references == DROP
    removed = trim_by_reference(stream, want, lambda entry_id: True)
    for entry_id in removed:
        drop_references(call.argv[1], stream, entry_id, cause, call.facts)
    return removed


def _default_limit(call: Call) -> int:
    if not call.dialect.approx_limited:
        return 0
    limit = 100 * call.server.config.stream_node_max_entries
    if call.dialect.approx_limit_clamped:
        if limit <= 0:
            return 10_000
        return min(limit, 1_000_000)
    return limit


def parse_arguments(call: Call, *, adding: bool) -> AddArguments:
    """Reads an XADD up to its fields, or an XTRIM (streamParseAddOrTrimArgsOrReply)."""
    argv = call.argv
    wanted = AddArguments()
    at = 2
    while at < len(argv):
        more = len(argv) - 1 - at
        word = call.takes(argv[at])
        if adding and argv[at][:1] == b"*" and shown(argv[at]) == b"*":
            break
        if word in (b"MAXLEN", b"MINID") and more:
            at = _parse_strategy(call, wanted, word, at)
        elif word == b"LIMIT" and more:
            at += 1
            wanted.limit = need_integer(argv[at])
            if wanted.limit < 0:
                raise CommandError(b"ERR The LIMIT argument must be >= 0.")
        elif adding and word == b"NOMKSTREAM":
            wanted.make_stream = False
        elif word in (b"KEEPREF", b"DELREF", b"ACKED") and not wanted.references:
            wanted.references = word.decode()
        elif (word == b"IDMPAUTO" and more) or (word == b"IDMP" and more >= 2):
            at = _parse_idempotence(call, wanted, word, at)
        elif adding:
            if call.dialect.open_sequence and b"*" in argv[at]:
                wanted.open_ms = ids.parse_open_sequence(argv[at])
            if wanted.open_ms is None:
                wanted.entry_id = strict_id(argv[at])
            if wanted.producer and not call.server.obeys:
                raise CommandError(IDMP_WITH_ID)
            break
        else:
            raise CommandError(SYNTAX)
        at += 1
    wanted.rest = at + 1
    if wanted.limit and not wanted.trims:
        raise CommandError(LIMIT_ALONE)
    if not adding and not wanted.trims:
        raise CommandError(NO_STRATEGY_OLD if call.dialect.xtrim_key_first else NO_STRATEGY)
    if call.server.obeys:
        wanted.limit = 0  # the threshold says what was left
    elif wanted.limit is not None and not wanted.approximate:
        raise CommandError(LIMIT_EXACT)
    return wanted


def _parse_idempotence(call: Call, wanted: AddArguments, word: bytes, at: int) -> int:
    """Reads ``IDMPAUTO producer`` or ``IDMP producer iid`` and returns the position of the last word."""
    argv = call.argv
    if wanted.producer:
        raise CommandError(b"ERR syntax error, IDMP/IDMPAUTO specified multiple times")
    wanted.producer = argv[at + 1]
    if not wanted.producer:
        raise CommandError(b"ERR syntax error, %b requires a non-empty producer ID" % word)
    if word == b"IDMPAUTO":
        return at + 1
    wanted.iid = argv[at + 2]
    if not wanted.iid:
        raise CommandError(b"ERR syntax error, IDMP requires a non-empty idempotent ID")
    return at + 2


def _parse_strategy(call: Call, wanted: AddArguments, word: bytes, at: int) -> int:
    """Reads ``MAXLEN|MINID [=|~] threshold`` and returns the position of the threshold."""
    argv = call.argv
    if wanted.trims and not call.dialect.strategy_repeats:
        raise CommandError(TWO_STRATEGIES)
    at += 1
    wanted.approximate = False
    sign = shown(argv[at])
    if sign in (b"~", b"=") and at + 1 < len(argv):
        wanted.approximate = sign == b"~"
        at += 1
    wanted.threshold_at = at
    if word == b"MINID":
        wanted.minid = strict_id(argv[at])
        return at
    wanted.maxlen = need_integer(argv[at])
    if wanted.maxlen < 0:
        raise CommandError(b"ERR The MAXLEN argument must be >= 0.")
    return at
