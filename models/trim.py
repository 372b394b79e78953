"""Trimming: cutting entries off the head of a stream, node by node as the server does it.

Source: streamTrim. ``~`` removes whole nodes only, and never more than LIMIT entries; with DELREF or ACKED it goes
entry by entry where the dialect does so at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .stream import Stream


class Trim(NamedTuple):
    """What MAXLEN or MINID asks for: exactly one of ``maxlen`` and ``minid`` is given."""

    maxlen: int | None
    minid: int
    approximate: bool
    limit: int
    """The most entries that ``~`` removes; 0 for no limit. Exact trimming has none."""


def trim(stream: Stream, want: Trim) -> tuple[int, ...]:
    """Removes entries and returns their IDs, oldest first."""
    removed: list[int] = []
    while stream.nodes:
        node = stream.nodes[0]
        if want.maxlen is not None and stream.length <= want.maxlen:
            break
        if want.limit and len(removed) + node.live > want.limit:
            break
        if _removable(stream, want):
            removed.extend(i for i, slot in zip(node.ids, node.slots, strict=True) if slot is not None)
            stream.length -= node.live
            stream.drop_node(0)
            continue
        if not want.approximate:
            _trim_inside(stream, want, removed)
        break
    return tuple(removed)


def trim_by_reference(stream: Stream, want: Trim, may_go: Callable[[int], bool]) -> tuple[int, ...]:
    """Removes the entries that ``may_go``, one by one, and returns their IDs; those that stay leave holes.

    A node that would go as a whole is walked through all the same, and the next one is looked at.
    """
    removed: list[int] = []
    at = 0
    while at < len(stream.nodes):
        node = stream.nodes[at]
        if want.maxlen is not None and stream.length <= want.maxlen:
            break
        if want.limit and len(removed) + node.live > want.limit:
            break
        eligible = stream.length - node.live >= want.maxlen if want.maxlen is not None else node.ids[-1] < want.minid
        for slot, entry_id in enumerate(node.ids):
            if stream.length <= want.maxlen if want.maxlen is not None else entry_id >= want.minid:
                break
            if stream.nodes[at].slots[slot] is not None and may_go(entry_id):
                stream.bury(at, slot)
                removed.append(entry_id)
        if eligible and stream.nodes[at].live == 0:
            stream.drop_node(at)
        else:
            at += 1
        if not eligible:
            break
    return tuple(removed)


def _removable(stream: Stream, want: Trim) -> bool:
    """Whether the first node may go as a whole; its last slot counts even as a tombstone."""
    node = stream.nodes[0]
    if want.maxlen is not None:
        return stream.length - node.live >= want.maxlen
    return node.ids[-1] < want.minid


def _trim_inside(stream: Stream, want: Trim, removed: list[int]) -> None:
    for slot, entry_id in enumerate(stream.nodes[0].ids):
        if want.maxlen is not None:
            if stream.length <= want.maxlen:
                return
        elif entry_id >= want.minid:
            return
        if stream.nodes[0].slots[slot] is not None:
            stream.bury(0, slot)
            removed.append(entry_id)
