"""XINFO: what a stream, its groups and their consumers look like.

Sources: xinfoCommand, xinfoReplyWithStreamInfo.
"""

from __future__ import annotations

from itertools import islice

from .. import ids
from ..facts import LagReported
from ..group import NEVER, UNKNOWN, Consumer, Group
from ..idempotence import Idempotence
from ..lag import lag
from ..replies import NIL, Map, Reply, Simple
from ..stream import Stream
from .call import NO_SUCH_KEY, Call, CommandError, need_integer, shown
from .groups import no_group, subcommand_error

HELP = (
    b"XINFO <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    b"CONSUMERS <key> <groupname>",
    b"GROUPS <key>",
    b"STREAM <key> [FULL [COUNT <count>]]",
    b"HELP",
)


def xinfo_by_hand(call: Call) -> Reply:
    """XINFO before it had real subcommands: the key is looked at before the subcommand's name."""
    word, argc = shown(call.argv[1]).upper(), len(call.argv)
    if word == b"HELP":
        return help_text(call)
    if argc < 3:
        text = call.dialect.xinfo_alone_text
        raise CommandError(text) if text else subcommand_error(call)
    _stream(call)
    if word == b"CONSUMERS" and argc == 4:
        return consumers(call)
    if word == b"GROUPS" and argc == 3:
        return groups(call)
    if word == b"STREAM":
        return stream(call)
    raise subcommand_error(call)


def help_text(call: Call) -> Reply:
    """XINFO HELP; the wording differs between releases, so comparisons mask it."""
    return tuple(Simple(line) for line in HELP)


def stream(call: Call) -> Reply:
    """XINFO STREAM key [FULL [COUNT n]]"""
    argv = call.argv
    found = _stream(call)
    if len(argv) not in (3, 4, 6):
        raise subcommand_error(call)
    if len(argv) == 3:
        return Map(_head(call, found) + _ends(found))
    if call.takes(argv[3]) != b"FULL":
        raise subcommand_error(call)
    count: int | None = 10
    if len(argv) == 6:
        if call.takes(argv[4]) != b"COUNT":
            raise subcommand_error(call)
        given = need_integer(argv[5])
        count = 10 if given < 0 else given or None
    entries = found.ascending(0, ids.ID_MAX, count)
    full: tuple[tuple[Reply, Reply], ...] = (
        (b"entries", tuple((ids.show(entry_id), fields) for entry_id, fields in entries)),
        (b"groups", tuple(_full_group(call, found, found.groups[g], count) for g in sorted(found.groups))),
    )
    head = tuple(pair for pair in _head(call, found) if pair[0] != b"groups")
    return Map(head + full)


def groups(call: Call) -> Reply:
    """XINFO GROUPS key"""
    found = _stream(call)
    rows: list[Reply] = []
    for name in sorted(found.groups):
        group = found.groups[name]
        pairs: tuple[tuple[Reply, Reply], ...] = (
            (b"name", name),
            (b"consumers", len(group.consumers)),
            (b"pending", len(group.pel)),
            (b"last-delivered-id", ids.show(group.cursor)),
        )
        rows.append(Map(pairs + _progress(call, found, group)))
    return tuple(rows)


def consumers(call: Call) -> Reply:
    """XINFO CONSUMERS key group"""
    name = call.argv[3]
    group = _stream(call).groups.get(name)
    if group is None:
        raise no_group(call.argv[2], name)
    rows: list[Reply] = []
    for consumer in group.sorted_consumers():
        pairs: tuple[tuple[Reply, Reply], ...] = (
            (b"name", consumer.name),
            (b"pending", len(consumer.pel)),
            (b"idle", max(call.now_ms - consumer.seen_ms, 0)),
        )
        if call.dialect.tracks_active_time:
            never = consumer.active_ms == NEVER
            pairs += ((b"inactive", NEVER if never else call.now_ms - consumer.active_ms),)
        rows.append(Map(pairs))
    return tuple(rows)


def _stream(call: Call) -> Stream:
    found = call.stream(call.argv[2])
    if found is None:
        raise CommandError(NO_SUCH_KEY)
    return found


def _head(call: Call, found: Stream) -> tuple[tuple[Reply, Reply], ...]:
    pairs: tuple[tuple[Reply, Reply], ...] = (
        (b"length", found.length),
        (b"radix-tree-keys", len(found.nodes)),
        (b"radix-tree-nodes", len(found.nodes) + 1),  # an artefact of the server; comparisons mask it
        (b"last-generated-id", ids.show(found.last_id)),
    )
    if call.dialect.counts_entries:
        pairs += (
            (b"max-deleted-entry-id", ids.show(found.max_deleted_id)),
            (b"entries-added", ids.signed64(found.entries_added)),
            (b"recorded-first-entry-id", ids.show(found.first_id())),
        )
    if call.dialect.xinfo_idempotence:
        pairs += _idempotence(call, found)
    return (*pairs, (b"groups", len(found.groups)))


def _idempotence(call: Call, found: Stream) -> tuple[tuple[Reply, Reply], ...]:
    config = call.server.config
    records = found.idempotence or Idempotence(config.stream_idmp_duration_s, config.stream_idmp_maxsize)
    tracked = [kept for _, kept in records.tracked(call.now_ms)]
    return (
        (b"idmp-duration", records.duration_s),
        (b"idmp-maxsize", records.maxsize),
        (b"pids-tracked", len(tracked)),
        (b"iids-tracked", sum(map(len, tracked))),
        (b"iids-added", records.added),
        (b"iids-duplicates", records.duplicates),
    )


def _ends(found: Stream) -> tuple[tuple[Reply, Reply], ...]:
    first: Reply = NIL
    last: Reply = NIL
    for entry_id, fields in found.ascending(0, ids.ID_MAX, 1):
        first = (ids.show(entry_id), fields)
    for entry_id, fields in found.descending(0, ids.ID_MAX, 1):
        last = (ids.show(entry_id), fields)
    return ((b"first-entry", first), (b"last-entry", last))


def _progress(call: Call, found: Stream, group: Group) -> tuple[tuple[Reply, Reply], ...]:
    if not call.dialect.counts_entries:
        return ()
    behind = lag(found, group, call.dialect)
    call.facts.append(LagReported(call.argv[2], found.born, group.name, group.cursor, behind))
    return (
        (b"entries-read", NIL if group.entries_read == UNKNOWN else group.entries_read),
        (b"lag", NIL if behind is None else behind),
    )


def _full_group(call: Call, found: Stream, group: Group, count: int | None) -> Reply:
    pending = tuple(
        (ids.show(entry_id), nack.consumer or b"", nack.delivered_ms, ids.signed64(nack.count))
        for entry_id, nack in islice(group.pel.items(), count)
    )
    return Map(
        (
            (b"name", group.name),
            (b"last-delivered-id", ids.show(group.cursor)),
            *_progress(call, found, group),
            (b"pel-count", len(group.pel)),
            *_released(call, group),
            (b"pending", pending),
            (b"consumers", tuple(_full_consumer(call, c, count) for c in group.sorted_consumers())),
        )
    )


def _released(call: Call, group: Group) -> tuple[tuple[Reply, Reply], ...]:
    if not call.dialect.releases:
        return ()
    return ((b"nacked-count", sum(nack.consumer is None for _, nack in group.pel.items())),)


def _full_consumer(call: Call, consumer: Consumer, count: int | None) -> Reply:
    pending = tuple(
        (ids.show(entry_id), nack.delivered_ms, ids.signed64(nack.count))
        for entry_id, nack in islice(consumer.pel.items(), count)
    )
    pairs: tuple[tuple[Reply, Reply], ...] = ((b"name", consumer.name), (b"seen-time", consumer.seen_ms))
    if call.dialect.tracks_active_time:
        pairs += ((b"active-time", consumer.active_ms),)
    return Map((*pairs, (b"pel-count", len(consumer.pel)), (b"pending", pending)))
