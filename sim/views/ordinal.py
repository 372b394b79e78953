"""Runs in which no time passes: the axis counts steps instead, or everything would stand on one line.

Worlds that try out orders alone have no waits and no work that takes time; all their events happen in the same
millisecond or two.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..events import Closed, Effect, Ended, Event, Healed, Replied
from ..history import History

MOMENTS_MAX = 3
EVENTS_MIN = 12
"""A run of fewer events can be read even where all of them stand on one line."""
_SILENT = (Replied, Closed, Ended, Healed)
"""They happen together with what they belong to."""


def timeless(history: History) -> bool:
    """Whether so little time passes that a scale of time shows nothing."""
    moments = {event.at_ms for event in history}
    return len(history) >= EVENTS_MIN and len(moments) <= MOMENTS_MAX and max(moments) - min(moments) <= MOMENTS_MAX


def in_steps(history: History) -> History:
    """The history with the number of each step in place of its time; violations are moved with their events."""
    events = list(_numbered(history))
    header = dict(history.header)
    found = header.get("violations")
    if isinstance(found, list):
        header["violations"] = [_moved(item, events) for item in found]
    return History(header, events)


def _numbered(history: History) -> Iterator[Event]:
    step = -1
    for event in history:
        step += not isinstance(event, _SILENT) or step < 0
        changes: dict[str, Any] = {"at_ms": step}
        if isinstance(event, Effect):
            changes["sent_ms"] = step
        server_ms = getattr(event, "server_ms", None)
        if server_ms is not None:
            changes["server_ms"] = server_ms - event.at_ms + step
        yield event._replace(**changes)


def _moved(item: Any, events: list[Event]) -> Any:
    step = item.get("step") if isinstance(item, dict) else None
    if not isinstance(step, int) or not events:
        return item
    return {**item, "at_ms": events[min(max(step, 0), len(events) - 1)].at_ms}
