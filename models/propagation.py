"""What each command puts on the replication stream and into the append-only file.

Not the command as it was sent, but one that has the same effect on a copy, whenever it runs there: IDs and times are
what they came to, a read tells who got what, and a command that changed nothing tells nothing. What is not told is
lost with the server: when consumers were seen, the deliveries that a read from history counts, up to 7.2 what a group
has read. Sources: call, alsoPropagate, streamPropagateXCLAIM, streamPropagateGroupID, streamPropagateConsumerCreation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from . import ids
from .commands.adding import parse_arguments
from .commands.call import Call, CommandError
from .commands.reading import gives_away
from .commands.stream_ids import strict_id
from .facts import (
    Acked,
    Added,
    Claimed,
    ConsumerCreated,
    ConsumerRemoved,
    CursorMoved,
    DatabasesSwapped,
    Deduplicated,
    Deleted,
    Delivered,
    Fact,
    Forgotten,
    GroupCreated,
    GroupRemoved,
    KeyCopied,
    KeyExpired,
    KeyMoved,
    LastIdSet,
    ListEdited,
    ListMoved,
    ListPopped,
    ListPushed,
    ListRemoved,
    Nacked,
    StreamCreated,
    StreamRemoved,
    Trimmed,
)
from .group import Pending
from .journal import DISK, EVERYWHERE, REPLICAS, Argv, Told, expired
from .lists import LEFT, List
from .propagation_of_strings import told_of_string
from .replies import Failure, Reply
from .stream import Stream

Rule: TypeAlias = "Callable[[Call, Reply, Sequence[Fact]], list[Argv]]"

CHANGES: Final = frozenset({
    Acked, Added, Claimed, ConsumerCreated, ConsumerRemoved, CursorMoved, Deduplicated, Deleted, Forgotten,
    GroupCreated, GroupRemoved, KeyCopied, KeyMoved, LastIdSet, ListEdited, ListMoved, ListPopped, ListPushed,
    ListRemoved, Nacked, StreamCreated, StreamRemoved, Trimmed, DatabasesSwapped,
})  # fmt: skip
"""Facts that tell that a command changed something."""

HIGHEST: Final = ids.show(ids.ID_MAX)
TO_DEADLINE: Final = (b"EXPIRE", b"PEXPIRE", b"EXPIREAT", b"PEXPIREAT")


def told(call: Call, reply: Reply, facts: Sequence[Fact]) -> list[Told]:
    """What one command tells, in order: first the keys whose time it found to be over.

    ``facts`` are those that it made true itself.
    """
    database = call.server.selected
    found: list[Told] = []
    own: Sequence[Fact] = facts
    if any(type(fact) is KeyExpired for fact in facts):
        found = [Told(fact.database, expired(call.dialect, fact.key)) for fact in facts if isinstance(fact, KeyExpired)]
        own = [fact for fact in facts if getattr(fact, "cause", "") != "EXPIRE" and type(fact) is not KeyExpired]
    if isinstance(reply, Failure):
        return found
    name = call.argv[0].upper()
    if "beside" in call.command.flags:
        for argv in call.server.journal.spoken if call.server.journal else ():
            found.extend(told_of_string(call, argv, database))
    elif name in TO_DEADLINE:
        found.extend(_expire(call, reply, name, database))
    elif name == b"PUBLISH":
        found.append(Told(database, tuple(call.argv), REPLICAS))
    else:
        rule = _RULES.get(name, _as_it_was)
        found.extend([Told(database, argv) for argv in rule(call, reply, own)])
    return found


def as_served(argv: Argv) -> Argv:
    """A command line that waited, as it counts once it is served (up to 7.0): sides in small letters."""
    return (*argv[:3], *[text.lower() for text in argv[3:5]], *argv[5:]) if argv[0].upper() == b"BLMOVE" else argv


# -- commands that are told as they were, or not at all -------------------------------------------


def _as_it_was(call: Call, reply: Reply, facts: Sequence[Fact]) -> list[Argv]:
    return [tuple(call.argv)] if any(type(fact) in CHANGES for fact in facts) else []


def _if_it_did(call: Call, reply: Reply, facts: Sequence[Fact]) -> list[Argv]:
    """A command that answers OK, or how much it did."""
    return [tuple(call.argv)] if reply else []


def _xgroup(call: Call, reply: Reply, facts: Sequence[Fact]) -> list[Argv]:
    word = call.argv[1].upper()
    if word == b"DELCONSUMER" and call.dialect.no_consumer_removed_told:
        return [tuple(call.argv)]
    return _as_it_was(call, reply, facts)


def _flushdb(call: Call, reply: Reply, facts: Sequence[Fact]) -> list[Argv]:
    return [tuple(call.argv)] if call.dialect.flushdb_always_told else _if_noted(call, reply, facts)


def _if_noted(call: Call, reply: Reply, facts: Sequence[Fact]) -> list[Argv]:
    """A command that changes what no fact tells of."""
    journal = call.server.journal
    assert journal is not None
    return [tuple(call.argv)] if journal.changed else []


def _ltrim(call: Call, reply: Reply, facts: Sequence[Fact]) -> list[Argv]:
    there = isinstance(call.server.keys.get(call.argv[1]), List)
    return [tuple(call.argv)] if there and call.dialect.idle_ltrim_told else _as_it_was(call, reply, facts)


def _no_change(call: Call, reply: Reply, facts: Sequence[Fact]) -> list[Argv]:
    return []


# -- times ----------------------------------------------------------------------------------------


def _expire(call: Call, reply: Reply, name: bytes, database: int) -> list[Told]:
    if reply != 1:
        return []
    key = call.argv[1]
    if key not in call.server.keys:
        return [Told(database, expired(call.dialect, key))]
    at = b"%d" % call.server.expires[key]
    if call.dialect.expires_as_deadline:
        if name == b"PEXPIREAT":
            return [Told(database, tuple(call.argv))]
        return [Told(database, (b"PEXPIREAT", key, at, *call.argv[3:]))]
    if name == b"PEXPIREAT":
        return [Told(database, tuple(call.argv), EVERYWHERE)]
    return [Told(database, (b"PEXPIREAT", key, at), DISK), Told(database, tuple(call.argv), REPLICAS)]


# -- streams --------------------------------------------------------------------------------------


def _xadd(call: Call, reply: Reply, facts: Sequence[Fact]) -> list[Argv]:
    added = [fact for fact in facts if isinstance(fact, Added)]
    if not added:
        return _as_it_was(call, reply, facts)
    wanted = parse_arguments(call, adding=True)
    argv = list(call.argv)
    if wanted.entry_id is None or call.dialect.given_ids_complete:
        argv[wanted.rest - 1] = ids.show(added[0].id)
    if wanted.trims and wanted.approximate:
        _exact(call, argv, wanted.threshold_at, by_length=wanted.maxlen is not None)
    return [tuple(argv)]


def _xtrim(call: Call, reply: Reply, facts: Sequence[Fact]) -> list[Argv]:
    if not reply:
        return []
    wanted = parse_arguments(call, adding=False)
    argv = list(call.argv)
    if wanted.approximate:
        _exact(call, argv, wanted.threshold_at, by_length=wanted.maxlen is not None)
    return [tuple(argv)]


def _exact(call: Call, argv: list[bytes], at: int, *, by_length: bool) -> None:
    """Says what an approximate trim left (streamRewriteTrimArgument): the length, or the first slot of all."""
    stream = call.server.keys[argv[1]]
    assert isinstance(stream, Stream)
    argv[at - 1] = b"="
    if by_length:
        argv[at] = b"%d" % stream.length
    else:
        argv[at] = ids.show(stream.nodes[0].ids[0]) if stream.nodes else HIGHEST


def _xreadgroup(call: Call, reply: Reply, facts: Sequence[Fact]) -> list[Argv]:
    dialect = call.dialect
    noack = gives_away(call)
    cursors = {fact.stream: fact.before for fact in reversed(facts) if isinstance(fact, CursorMoved)}
    """Where the cursors of the streams are, as the server sees them while it goes through the facts."""
    found: list[Argv] = []
    for fact in facts:
        if isinstance(fact, ConsumerCreated):
            if (noack and dialect.noack_tells_consumer) or dialect.reads_tell_consumer:
                found.append((b"XGROUP", b"CREATECONSUMER", fact.stream, fact.group, fact.consumer))
        elif isinstance(fact, Delivered):
            if not fact.noack:
                last = cursors[fact.stream] if dialect.claims_tell_old_cursor else fact.id
                nack = Pending(fact.consumer, call.now_ms, fact.count, 0)
                found.append(_claim(fact.stream, fact.group, ids.show(fact.id), nack, last))
        elif isinstance(fact, Claimed):
            last = cursors.get(fact.stream, _cursor(call, fact.stream, fact.group))
            nack = Pending(fact.consumer, fact.delivered_ms, fact.count, 0)
            found.append(_claim(fact.stream, fact.group, ids.show(fact.id), nack, last))
        elif isinstance(fact, CursorMoved):
            cursors[fact.stream] = fact.cursor
            if fact.cursor != fact.before and (noack or dialect.reads_tell_cursor):
                found.append(_set_id(call, fact))
    return found


def _xclaim(call: Call, reply: Reply, facts: Sequence[Fact]) -> list[Argv]:
    """XCLAIM tells IDs as they were given, XAUTOCLAIM as they are."""
    texts = iter(call.argv[5:]) if call.command.name == "XCLAIM" else None
    journal = call.server.journal
    assert journal is not None
    found: list[Argv] = []
    moved: list[Argv] = []
    for fact in facts:
        if isinstance(fact, CursorMoved):
            moved = [_set_id(call, fact)]
        elif isinstance(fact, Claimed | Forgotten):
            if isinstance(fact, Claimed):
                nack = Pending(fact.consumer, fact.delivered_ms, fact.count, 0)
            else:
                nack = journal.forgotten[fact.id]
            text = ids.show(fact.id) if texts is None else next(text for text in texts if _means(text, fact.id))
            if nack.consumer is None:
                found.append((b"XACK", fact.stream, fact.group, text))
            else:
                last = _cursor(call, fact.stream, fact.group)
                found.append(_claim(fact.stream, fact.group, text, nack, last))
    return found or moved


def _means(text: bytes, entry_id: int) -> bool:
    try:
        return strict_id(text) == entry_id
    except CommandError:
        return False


def _cursor(call: Call, key: bytes, name: bytes) -> int:
    stream = call.server.keys[key]
    assert isinstance(stream, Stream)
    return stream.groups[name].cursor


def _claim(key: bytes, group: bytes, text: bytes, nack: Pending, last_id: int) -> Argv:
    """An XCLAIM that makes a pending entry what it is, and may be run twice (streamPropagateXCLAIM)."""
    assert nack.consumer is not None
    return (
        b"XCLAIM", key, group, nack.consumer, b"0", text, b"TIME", b"%d" % nack.delivered_ms,
        b"RETRYCOUNT", b"%d" % ids.signed64(nack.count), b"FORCE", b"JUSTID", b"LASTID", ids.show(last_id),
    )  # fmt: skip


def _set_id(call: Call, fact: CursorMoved) -> Argv:
    argv = (b"XGROUP", b"SETID", fact.stream, fact.group, ids.show(fact.cursor))
    if not call.dialect.counts_entries:
        return argv
    return (*argv, b"ENTRIESREAD", b"%d" % (-1 if fact.entries_read is None else fact.entries_read))


# -- lists ----------------------------------------------------------------------------------------


def _pop(call: Call, reply: Reply, facts: Sequence[Fact]) -> list[Argv]:
    """What waited, or chose among several lists, tells what it popped, and from where."""
    for fact in facts:
        if isinstance(fact, ListPopped):
            word = b"LPOP" if fact.side == LEFT else b"RPOP"
            counted = call.command.name in ("LMPOP", "BLMPOP")
            return [(word, fact.key, b"%d" % len(fact.elements)) if counted else (word, fact.key)]
    return []


def _move(call: Call, reply: Reply, facts: Sequence[Fact]) -> list[Argv]:
    for fact in facts:
        if isinstance(fact, ListMoved):
            if call.command.name == "BRPOPLPUSH":
                return [(b"RPOPLPUSH", fact.key, fact.to)]
            return [(b"LMOVE", fact.key, fact.to, *call.argv[3:5])]
    return []


_RULES: Final[dict[bytes, Rule]] = {
    b"XADD": _xadd,
    b"XTRIM": _xtrim,
    b"XREADGROUP": _xreadgroup,
    b"XCLAIM": _xclaim,
    b"XAUTOCLAIM": _xclaim,
    b"XGROUP": _xgroup,
    b"XINFO": _no_change,
    b"XCFGSET": _if_noted,
    b"XIDMPRECORD": _if_noted,
    b"DEL": _if_it_did,
    b"UNLINK": _if_it_did,
    b"PERSIST": _if_it_did,
    b"MOVE": _if_it_did,
    b"COPY": _if_it_did,
    b"SWAPDB": _if_it_did,
    b"FLUSHALL": _if_it_did,
    b"FLUSHDB": _flushdb,
    b"LTRIM": _ltrim,
    b"LMPOP": _pop,
    b"BLPOP": _pop,
    b"BRPOP": _pop,
    b"BLMPOP": _pop,
    b"BLMOVE": _move,
    b"BRPOPLPUSH": _move,
}
"""How the commands are told that are not told as they were."""
