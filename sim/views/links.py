"""Sentences on what befalls links, clients and handlers: shared by the story, the charts and the causes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from .. import events as e
from .words import duration

Befalling: TypeAlias = (
    e.Unanswered | e.Delayed | e.Cancelled | e.Paused | e.Resumed | e.Disconnected | e.Slowed
)

_WHY = {"timeout": "has waited long enough", "reset": "loses the connection", "refused": "is refused a connection"}


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
        case e.Slowed():
            return f"needs {duration(event.by_ms)} longer for {entry(event.stream, event.entry)}"


def _after(ms: int) -> str:
    return f"after {duration(ms)}" if ms else "at once"
