"""XREADGROUP CLAIM: a read that takes over what was pending for too long, before it takes what is new.

Source: streamReplyWithRange and xreadCommand of 8.4 and later.
"""

from __future__ import annotations

from collections.abc import Iterator

from .. import ids
from ..facts import Claimed
from ..group import Consumer, Group, Pending
from ..replies import Reply
from ..stream import Stream
from .budget import Budget
from .call import Call
from .delivering import deliver, one_more


def claim_and_deliver(
    call: Call, key: bytes, stream: Stream, group: Group, consumer: Consumer, min_idle_ms: int, count: int | None,
    *, noack: bool, budget: Budget | None = None,
) -> Reply | None:  # fmt: skip
    """Pending entries of the whole group, longest idle first, then new ones; ``None`` where there is neither.

    Each is told with its idle time and delivery count before this read, 0 and 0 for a new one. An entry that
    stands in the future counts as idle without end: the server compares without a sign.
    """
    found: list[Reply] = []
    used = 0
    for entry_id, nack in _walk(call, group) if len(group.pel) else ():
        if count is not None and used >= count:
            break
        idle_ms = call.now_ms - nack.delivered_ms
        if 0 <= idle_ms < min_idle_ms and nack.consumer is not None:
            break
        fields = stream.get(entry_id)
        if fields is None:
            used += call.dialect.claim_counts_deleted
            continue
        if budget is not None and not budget.takes((ids.show(entry_id), fields, idle_ms, nack.count)):
            break
        used += 1
        more = one_more(nack.count, call.dialect)
        group.assign(entry_id, consumer, call.now_ms, more, in_time=call.dialect.claims_as_listed)
        consumer.active_ms = call.now_ms
        found.append((ids.show(entry_id), fields, idle_ms, ids.signed64(nack.count)))
        call.facts.append(
            Claimed(key, stream.born, group.name, consumer.name, entry_id, nack.consumer, idle_ms, min_idle_ms, more,
                    call.now_ms)
        )  # fmt: skip
    left = None if count is None else count - used
    if left != 0 and stream.last_live_id() > group.cursor:
        new = deliver(call, key, stream, group, consumer, left, noack=noack, budget=budget)
        for entry in new:
            assert isinstance(entry, tuple)
            found.append((*entry, 0, 0))
    return tuple(found) if found or used or _seems_claimable(call, stream, group, min_idle_ms) else None


def _seems_claimable(call: Call, stream: Stream, group: Group, min_idle_ms: int) -> bool:
    """Whether the stream is served, with nothing: its oldest entry that is still there stands in the future.

    That is how the server decides to serve a stream; what it then claims may be cut short by an older entry that
    is gone from the stream.
    """
    if group.newest_ms <= call.now_ms:
        return False
    for entry_id, nack in group.by_time(as_listed=call.dialect.claims_as_listed):
        if stream.get(entry_id) is not None:
            return not 0 <= call.now_ms - nack.delivered_ms < min_idle_ms
    return False


def _walk(call: Call, group: Group) -> Iterator[tuple[int, Pending]]:
    """The pending entries as the server comes to them while it claims one after the other.

    It looks for the next one before it moves one that it claims, and ends at the one that was last at the start.
    That matters only after the clock went back, when what is claimed does not go to the end of the list. With
    min-idle 0 the server then may come to what it has just claimed, again and again, and never answers; the model
    stops there.
    """
    listed = call.dialect.claims_as_listed
    found = group.by_time(as_listed=listed)
    if not listed or group.newest_ms <= call.now_ms:
        yield from found
        return
    seen: dict[int, None] = {}
    order = [entry_id for entry_id, _ in found]
    at, last = order[0], order[-1]
    while at not in seen:
        seen[at] = None
        place = order.index(at)
        following = order[place + 1] if place + 1 < len(order) else at
        nack = group.pel.get(at)
        assert nack is not None
        yield at, nack
        if at == last:
            return
        order = [entry_id for entry_id, _ in group.by_time(as_listed=True)]
        at = following


def claimable_at(call: Call, keys: tuple[bytes, ...], name: bytes, min_idle_ms: int) -> int:
    """When a blocked CLAIM may find something: once the oldest pending entry was idle for long enough."""
    oldest: int | None = None
    for key in keys:
        stream = call.stream(key)
        group = None if stream is None else stream.groups.get(name)
        if stream is None or group is None:
            continue
        for entry_id, nack in group.by_time(as_listed=call.dialect.claims_as_listed):
            if stream.get(entry_id) is not None:
                oldest = nack.delivered_ms if oldest is None else min(oldest, nack.delivered_ms)
                break
    return (call.now_ms if oldest is None else oldest) + min_idle_ms
