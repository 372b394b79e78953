"""XADD's IDMP and IDMPAUTO, XCFGSET and XIDMPRECORD. Sources: xaddCommand, xcfgsetCommand, xidmprecordCommand."""

from __future__ import annotations

from ..facts import Deduplicated
from ..idempotence import Idempotence, Iid
from ..replies import OK, Reply
from ..stream import Stream
from .call import NO_SUCH_KEY, SYNTAX, Call, CommandError, need_integer
from .stream_ids import strict_id

DURATION_MAX_S = 86_400
MAXSIZE_MAX = 10_000


def records_for_write(call: Call, stream: Stream) -> Idempotence:
    """The records of a stream, made its own, without what is too old."""
    found = stream.idempotence
    if found is None:
        config = call.server.config
        found = Idempotence(config.stream_idmp_duration_s, config.stream_idmp_maxsize)
    elif found.shared:
        found = found.copy()
    stream.idempotence = found
    found.forget_old(call.now_ms)
    return found


def duplicate_of(call: Call, key: bytes, stream: Stream, producer: bytes, iid: Iid) -> int | None:
    """The entry that the same producer added under the same idempotent ID, where it is still remembered."""
    records = records_for_write(call, stream)
    entry_id = records.find(producer, iid)
    if entry_id is not None:
        records.duplicates += 1
        call.facts.append(Deduplicated(key, stream.born, producer, entry_id))
    return entry_id


def xcfgset(call: Call) -> Reply:
    """XCFGSET key [IDMP-DURATION seconds] [IDMP-MAXSIZE n]: whatever changes forgets all records."""
    argv = call.argv
    stream = call.stream_for_write(argv[1])
    if stream is None:
        raise CommandError(NO_SUCH_KEY)
    given: dict[bytes, int] = {}
    at = 2
    while at < len(argv):
        word = call.takes(argv[at])
        if not word or at + 1 >= len(argv):
            raise CommandError(SYNTAX)
        if word in given:
            raise CommandError(b"ERR %b specified multiple times" % word)
        given[word] = need_integer(argv[at + 1])
        if word == b"IDMP-DURATION" and not 1 <= given[word] <= DURATION_MAX_S:
            raise CommandError(b"ERR IDMP-DURATION must be between 1 and %d seconds" % DURATION_MAX_S)
        if word == b"IDMP-MAXSIZE" and not 1 <= given[word] <= MAXSIZE_MAX:
            raise CommandError(b"ERR IDMP-MAXSIZE must be between 1 and %d entries" % MAXSIZE_MAX)
        at += 2
    if not given:
        raise CommandError(b"ERR At least one parameter must be specified")
    records = records_for_write(call, stream)
    before = (records.duration_s, records.maxsize)
    records.duration_s = given.get(b"IDMP-DURATION", records.duration_s)
    records.maxsize = given.get(b"IDMP-MAXSIZE", records.maxsize)
    if (records.duration_s, records.maxsize) != before:
        records.producers = {}
        call.note_change()
    return OK


def xidmprecord(call: Call) -> Reply:
    """XIDMPRECORD key producer iid id: what a rewritten append-only file restores the records by."""
    _, key, producer, iid, text = call.argv
    entry_id = strict_id(text)
    if not producer:
        raise CommandError(b"ERR producer ID must be non-empty")
    if not iid:
        raise CommandError(b"ERR idempotent ID must be non-empty")
    stream = call.stream_for_write(key)
    if stream is None:
        raise CommandError(NO_SUCH_KEY)
    if stream.get(entry_id) is None:
        raise CommandError(b"ERR No such message in stream")
    records = records_for_write(call, stream)
    known = records.producers.get(producer, {}).get(iid)
    if known is None:
        records.record(producer, iid, entry_id)
        records.added += 1
        call.note_change()
    elif known != entry_id:
        raise CommandError(b"ERR IID already exists for this producer with a different stream ID")
    return OK
