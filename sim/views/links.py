"""Sentences on what befalls links, clients and handlers: shared by the story, the charts and the causes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from .. import events as e
from .words import duration

Befalling: TypeAlias = (
    e.Unanswered | e.Delayed | e.Cancelled | e.Paused | e.Resumed | e.Disconnected | e.Slowed
    | e.Partitioned | e.LinkSlowed | e.Mended | e.HalfOpened
)

_WHY = {
    "timeout": "has waited long enough", "reset": "loses the connection", "refused": "is refused a connection",
    "connect": "cannot connect in time", "exhausted": "has no connection free",
}  # fmt: skip


def sentence(event: Befalling, command: str, entry: Callable[[bytes, bytes], str]) -> str:
    """What happens to a process, as the rest of a sentence that begins with its name."""
    match event:
        case e.Unanswered():
            then = "and gives up" if event.again_ms is None else f"and sends it again {_after(event.again_ms)}"
            return f"{_WHY[event.error]} with its {command} unanswered, {then}"
        case e.Delayed():
            return f"has the {event.what} of its {command} under way for {duration(event.by_ms)} longer"
        case e.Cancelled():
            return f"gives up its {command}, and its client keeps the connection"
        case e.Paused():
            return f"stands still for {duration(event.for_ms)}"
        case e.Resumed():
            return "goes on"
        case e.Disconnected():
            return "loses all its connections"
        case e.Partitioned():
            return f"{_CUTS[event.cut]} for {duration(event.for_ms)}"
        case e.LinkSlowed():
            longer = f"what it sends and gets is {duration(event.by_ms)} longer under way"
            return f"has a slow link for {duration(event.for_ms)}: {longer}"
        case e.Mended():
            return "has its link again as it should be"
        case e.HalfOpened():
            return "has lost its connections, and is not told"
        case e.Slowed():
            return f"needs {duration(event.by_ms)} longer for {entry(event.stream, event.entry)}"


_CUTS = {
    "both": "is cut off from the server",
    "requests": "has its requests held up",
    "replies": "has the replies to it held up",
}


def _after(ms: int) -> str:
    return f"after {duration(ms)}" if ms else "at once"
