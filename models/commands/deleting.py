"""XDELEX and XACKDEL: deleting entries with a say in what becomes of references to them.

Sources: xdelexCommand, xackdelCommand.
"""

from __future__ import annotations

from ..facts import Acked, Deleted
from ..references import ACKED, DROP, KEEP, drop_references, is_referenced, slowest_cursor
from ..replies import Reply
from ..stream import Stream
from .call import SYNTAX, Call, CommandError, integer
from .stream_ids import strict_ids

DELETED, MISSING, REFERENCED = 1, -1, 2
"""What the reply says of each ID."""

POSITIVE = b"ERR Number of IDs must be a positive integer"
NOT_MATCHING = b"ERR The `numids` parameter must match the number of arguments"


def xdelex(call: Call) -> Reply:
    """XDELEX key [KEEPREF|DELREF|ACKED] IDS n id ..."""
    key = call.argv[1]
    stream = call.stream(key)
    strategy, texts = _parse(call, 2)
    if stream is None:
        return (MISSING,) * len(texts)
    wanted = strict_ids(texts)
    stream = call.stream_for_write(key)
    assert stream is not None
    deleted: list[int] = []
    replies = tuple([_delete(call, stream, entry_id, strategy, "XDELEX", deleted) for entry_id in wanted])
    _note(call, stream, deleted, "XDELEX")
    return replies


def xackdel(call: Call) -> Reply:
    """XACKDEL key group [KEEPREF|DELREF|ACKED] IDS n id ...: acknowledges in one group, and deletes."""
    key, name = call.argv[1], call.argv[2]
    stream = call.stream(key)
    strategy, texts = _parse(call, 3)
    if stream is None or name not in stream.groups:
        return (MISSING,) * len(texts)
    wanted = strict_ids(texts)
    stream = call.stream_for_write(key)
    assert stream is not None
    group = stream.group_for_write(name)
    assert group is not None
    deleted: list[int] = []
    replies: list[Reply] = []
    for entry_id in wanted:
        nack = group.release(entry_id)
        if nack is None:
            replies.append(MISSING)
            continue
        call.facts.append(Acked(key, stream.born, name, entry_id, nack.consumer))
        outcome = _delete(call, stream, entry_id, strategy, "XACKDEL", deleted)
        replies.append(DELETED if outcome == MISSING else outcome)
    _note(call, stream, deleted, "XACKDEL")
    return tuple(replies)


def _delete(call: Call, stream: Stream, entry_id: int, strategy: str, cause: str, deleted: list[int]) -> int:
    if strategy == ACKED and is_referenced(stream, slowest_cursor(stream, call.dialect), entry_id):
        return REFERENCED
    if strategy == DROP:
        drop_references(call.argv[1], stream, entry_id, cause, call.facts)
    if not stream.remove(entry_id):
        return MISSING
    deleted.append(entry_id)
    return DELETED


def _note(call: Call, stream: Stream, deleted: list[int], cause: str) -> None:
    if deleted:
        stream.max_deleted_id = max(stream.max_deleted_id, *deleted)
        call.facts.append(Deleted(call.argv[1], stream.born, tuple(deleted), cause))
        call.touch(call.argv[1])


def _parse(call: Call, at: int) -> tuple[str, list[bytes]]:
    """The strategy, and the IDs as they were given: they are read only where there is a stream."""
    argv = call.argv
    strategy = ""
    texts: list[bytes] | None = None
    while at < len(argv):
        word = call.takes(argv[at])
        if word == b"IDS" and at + 1 < len(argv):
            count = integer(argv[at + 1])
            if count is None or count < 1:
                raise CommandError(POSITIVE)
            if count > len(argv) - at - 2:
                raise CommandError(NOT_MATCHING)
            texts = list(argv[at + 2 : at + 2 + count])
            at += 2 + count
        elif word in (b"KEEPREF", b"DELREF", b"ACKED") and not strategy:
            strategy = word.decode()
            at += 1
        else:
            raise CommandError(SYNTAX)
    if texts is None:
        raise CommandError(b"ERR IDS option is required")
    return strategy or KEEP, texts
