"""What a group gives to a consumer: new entries, and its own history.

Sources: streamReplyWithRange, streamReplyWithRangeFromConsumerPEL.
"""

from __future__ import annotations

from itertools import islice

from .. import ids
from ..dialect import Dialect
from ..facts import ConsumerCreated, CursorMoved, Delivered, Reread
from ..group import COUNT_MAX, UNKNOWN, Consumer, Group
from ..lag import count_delivery, lag
from ..replies import NIL_ARRAY, Reply
from ..stream import Stream
from .budget import Budget
from .call import Call


def one_more(count: int, dialect: Dialect) -> int:
    """A delivery count after one more delivery."""
    return count if dialect.count_saturates and count >= COUNT_MAX else count + 1


def ensure_consumer(call: Call, key: bytes, stream: Stream, group: Group, name: bytes) -> Consumer:
    """The consumer of that name, created (seen now) where the group has none."""
    consumer = group.consumers.get(name)
    if consumer is None or consumer.shared:
        consumer = group.consumer_for_write(name)
    if consumer is None:
        consumer = Consumer(name, call.now_ms)
        group.consumers[name] = consumer
        call.facts.append(ConsumerCreated(key, stream.born, group.name, name))
    return consumer


def deliver(
    call: Call,
    key: bytes,
    stream: Stream,
    group: Group,
    consumer: Consumer,
    count: int | None,
    *,
    noack: bool,
    budget: Budget | None = None,
) -> tuple[Reply, ...]:
    """Gives up to ``count`` entries past the group's cursor to a consumer, and moves the cursor.

    An entry that is still pending from before a SETID backwards moves to this consumer, with its
    count back at 1; with NOACK it stays with its owner.
    """
    now_ms, facts = call.now_ms, call.facts
    before = group.cursor
    counts_entries = call.dialect.counts_entries
    first_id = stream.first_id() if counts_entries else 0
    reply: list[Reply] = []
    for entry_id, fields in stream.ascending(before + 1, ids.ID_MAX, count):
        if budget is not None and not budget.takes((ids.show(entry_id), fields)):
            break
        if counts_entries:
            count_delivery(group, stream, first_id, entry_id, call.dialect)
        group.cursor = entry_id
        owner_before = None
        if not noack:
            # What was pending already, from before a SETID, takes its place by time; the new goes to the end.
            again = now_ms < group.newest_ms and call.dialect.claims_as_listed and group.pel.get(entry_id) is not None
            owner_before = group.assign(entry_id, consumer, now_ms, 1, in_time=again)
        reply.append((ids.show(entry_id), fields))
        facts.append(
            Delivered(key, stream.born, group.name, group.epoch, consumer.name, entry_id, 1, noack, owner_before)
        )
    if not noack and reply:
        consumer.active_ms = now_ms
    if reply or budget is None:
        facts.append(cursor_moved(call, key, stream, group, before, "read"))
    return tuple(reply)


def history(
    call: Call, key: bytes, stream: Stream, group: Group, consumer: Consumer, position: int, count: int | None,
    budget: Budget | None = None,
) -> Reply:  # fmt: skip
    """A consumer's own pending entries past ``position``; each that still exists counts a delivery."""
    reply: list[Reply] = []
    for entry_id, nack in list(islice(consumer.pel.items(position + 1), count)):
        fields = stream.get(entry_id)
        if budget is not None and not budget.takes((ids.show(entry_id), fields or NIL_ARRAY)):
            break
        if fields is None:
            reply.append((ids.show(entry_id), NIL_ARRAY))
            continue
        more = one_more(nack.count, call.dialect)
        group.assign(entry_id, consumer, call.now_ms, more, in_time=call.dialect.claims_as_listed)
        reply.append((ids.show(entry_id), fields))
        call.facts.append(Reread(key, stream.born, group.name, consumer.name, entry_id, more))
    return tuple(reply)


def cursor_moved(call: Call, key: bytes, stream: Stream, group: Group, before: int, cause: str) -> CursorMoved:
    """The fact that a group's cursor is now elsewhere, with what XINFO would say."""
    stream.slowest = None
    dialect = call.dialect
    counted = dialect.counts_entries and group.entries_read != UNKNOWN
    return CursorMoved(
        key,
        stream.born,
        group.name,
        group.epoch,
        before,
        group.cursor,
        group.entries_read if counted else None,
        lag(stream, group, dialect),
        cause,
    )
