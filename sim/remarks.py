"""What explains a surprising verdict, and no property says: programs that raise, groups that nobody reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..models.facts import Acked, Added, Claimed, Delivered, GroupCreated, Reread
from .events import Crashed, Handled, Handling
from .views.words import counted, duration, text

if TYPE_CHECKING:
    from .run import Run

RAISED_MAX = 3
"""So many different errors are told."""
TEXT_MAX = 160
BYTES = "; IDs and fields are bytes here, as from a default redis.asyncio.Redis()"


def remarks(run: Run) -> list[str]:
    """One line for each; of a run that shows what it is declared to show, only what no property holds against it."""
    if run.as_declared:
        return _nothing_acknowledged(run)
    raised = _raised(run)
    return [*raised, *_nobody_reads(run), *([] if raised else _nothing_handled(run))]


def _raised(run: Run) -> list[str]:
    """Which processes raised what, and how often."""
    found: dict[str, list[Crashed]] = {}
    for event in run.history:
        if isinstance(event, Crashed) and event.why == "raised":
            found.setdefault(event.message, []).append(event)
    lines = []
    for message, crashes in list(found.items())[:RAISED_MAX]:
        who = ", ".join(dict.fromkeys(crash.process for crash in crashes))
        told = message if len(message) <= TEXT_MAX else message[:TEXT_MAX] + "…"
        often = f"{counted(len(crashes), 'time')}, first at" if len(crashes) > 1 else "at"
        hint = BYTES if message.startswith(("KeyError: ", "TypeError: ", "AttributeError: ")) else ""
        lines.append(f"{who} raised {told} ({often} {duration(crashes[0].at_ms)}){hint}")
    if len(found) > RAISED_MAX:
        lines.append(f"and {counted(len(found) - RAISED_MAX, 'other error')}")
    return lines


def _nobody_reads(run: Run) -> list[str]:
    """Groups of which nobody asked for what there was."""
    groups: dict[tuple[bytes, bytes], None] = {}
    filled: set[bytes] = set()
    for event in run.history:
        for fact in getattr(event, "facts", ()):
            if isinstance(fact, GroupCreated):
                groups[fact.stream, fact.group] = None
            elif isinstance(fact, Added):
                filled.add(fact.stream)
            elif isinstance(fact, Delivered | Claimed | Reread):
                groups.pop((fact.stream, fact.group), None)
    hint = ""
    if {"stream", "group"} <= run.params.keys():
        hint = "; --param stream=NAME --param group=NAME say what the consumer reads"
    return [
        f"no process was given anything of stream {text(stream)} as group {text(group)}{hint}"
        for stream, group in groups
        if stream in filled
    ]


def _nothing_handled(run: Run) -> list[str]:
    """Entries were read, and no work on any was seen."""
    given = False
    for event in run.history:
        if isinstance(event, Handling):
            return []
        given = given or any(isinstance(fact, Delivered) for fact in getattr(event, "facts", ()))
    if not given or not any("handle" in name for name in run.properties):
        return []
    return [
        "nothing was handled: no process came to redelivery.handle(entry_id, fields), which stands for the work on an "
        "entry"
    ]


def _nothing_acknowledged(run: Run) -> list[str]:
    """Entries were handled, and none was ever acknowledged: each of them is pending for ever."""
    if run.variant.violates is not None:
        return []
    handled = False
    group: bytes | None = None
    for event in run.history:
        handled = handled or isinstance(event, Handled)
        for fact in getattr(event, "facts", ()):
            if isinstance(fact, Acked):
                return []
            if isinstance(fact, Delivered) and not fact.noack:
                group = fact.group
    if not handled or group is None:
        return []
    return [f"nothing was acknowledged: what is handled stays pending in group {text(group)}, and is claimed again"]
