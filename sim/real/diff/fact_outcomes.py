"""What a command did, in a few words, from its facts: the outcomes that coverage counts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ....models import facts as f

__all__ = ["outcome_of"]

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


def outcome_of(fact: f.Fact) -> str:
    """The kind of a fact, and what tells the branches that made it apart."""
    kind = type(fact)
    tell = _TELL.get(kind)
    if tell is not None:
        return tell(fact)
    if kind not in _NAMES:
        _NAMES[kind] = _CAPITAL.sub(" ", kind.__name__).lower()
    return _NAMES[kind]


_NAMES: dict[type, str] = {}
"""The name of each kind in words: derived, so a cache and no state."""


def _claimed(fact: f.Claimed) -> str:
    if fact.idle_ms is None:
        return "claimed, forced"
    return "claimed, its own" if fact.owner_before == fact.consumer else "claimed, of another"


def _delivered(fact: f.Delivered) -> str:
    if fact.owner_before is not None:
        return "delivered, pending already"
    return "delivered, NOACK" if fact.noack else "delivered"


def _cursor_moved(fact: f.CursorMoved) -> str:
    way = "on" if fact.cursor > fact.before else "back" if fact.cursor < fact.before else "nowhere"
    return f"cursor moved {way} by {fact.cause}"


def _with_pending(what: str) -> Callable[[Any], str]:
    return lambda fact: f"{what}, with pending entries" if fact.pending else what


_TELL: dict[type, Callable[[Any], str]] = {
    f.Claimed: _claimed,
    f.Delivered: _delivered,
    f.CursorMoved: _cursor_moved,
    f.GroupRemoved: _with_pending("group removed"),
    f.ConsumerRemoved: _with_pending("consumer removed"),
    f.LagReported: lambda fact: "lag null" if fact.lag is None else "lag told",
    f.LastIdSet: lambda fact: f"last ID set {'back' if fact.last_id < fact.before else 'on'}",
}
