"""XDEL, XACK and XSETID. Sources: xdelCommand, xackCommand, xsetidCommand."""

from __future__ import annotations

from ..facts import Acked, Deleted, LastIdSet
from ..replies import OK, Reply
from .call import NO_SUCH_KEY, SYNTAX, Call, CommandError, need_integer
from .stream_ids import strict_id, strict_ids

SETID_BELOW_GIVEN = b"ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"
SETID_BELOW_DELETED = b"ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"
SETID_BELOW_TOP = b"ERR The ID specified in XSETID is smaller than the target stream top item"
SETID_BELOW_LENGTH = b"ERR The entries_added specified in XSETID is smaller than the target stream length"


def xdel(call: Call) -> Reply:
    """XDEL key id [id ...]: pending entries stay behind, dangling."""
    key = call.argv[1]
    stream = call.stream_for_write(key)
    if stream is None:
        return 0
    deleted = tuple(entry_id for entry_id in strict_ids(call.argv[2:]) if stream.remove(entry_id))
    if deleted:
        stream.max_deleted_id = max(stream.max_deleted_id, *deleted)
        call.facts.append(Deleted(key, stream.born, deleted, "XDEL"))
        call.touch(key)
    return len(deleted)


def xack(call: Call) -> Reply:
    """XACK key group id [id ...]"""
    key, name = call.argv[1], call.argv[2]
    stream = call.stream_for_write(key)
    group = None if stream is None else stream.group_for_write(name)
    if stream is None or group is None:
        return 0
    acked = 0
    for entry_id in strict_ids(call.argv[3:]):
        nack = group.release(entry_id)
        if nack is not None:
            acked += 1
            call.facts.append(Acked(key, stream.born, name, entry_id, nack.consumer))
    return acked


def xsetid(call: Call) -> Reply:
    """XSETID key id [ENTRIESADDED n] [MAXDELETEDID id]"""
    argv = call.argv
    if not call.dialect.setid_options and call.stream(argv[1]) is None:
        raise CommandError(NO_SUCH_KEY)
    last_id = strict_id(argv[2])
    entries_added: int | None = None
    max_deleted_id = 0
    at = 3
    while at < len(argv):
        word = call.takes(argv[at])
        if word == b"ENTRIESADDED" and at + 1 < len(argv):
            entries_added = need_integer(argv[at + 1])
            if entries_added < 0:
                raise CommandError(b"ERR entries_added must be positive")
        elif word == b"MAXDELETEDID" and at + 1 < len(argv):
            max_deleted_id = strict_id(argv[at + 1])
            if last_id < max_deleted_id:
                raise CommandError(SETID_BELOW_GIVEN)
        else:
            raise CommandError(SYNTAX)
        at += 2
    stream = call.stream_for_write(argv[1])
    if stream is None:
        raise CommandError(NO_SUCH_KEY)
    if call.dialect.setid_guards_deleted and last_id < stream.max_deleted_id:
        raise CommandError(SETID_BELOW_DELETED)
    if stream.length > 0:
        if last_id < stream.last_live_id():
            raise CommandError(SETID_BELOW_TOP)
        if entries_added is not None and entries_added < stream.length:
            raise CommandError(SETID_BELOW_LENGTH)
    before = stream.last_id
    stream.last_id = last_id
    if entries_added is not None:
        stream.entries_added = entries_added
    if max_deleted_id:
        stream.max_deleted_id = max_deleted_id
    call.facts.append(LastIdSet(argv[1], stream.born, before, last_id))
    return OK
