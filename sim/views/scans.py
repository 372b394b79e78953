"""Looking through pending entries for some to claim: where each scan began, and where it stopped.

XAUTOCLAIM goes through a group's pending entries by ID, from a cursor that the caller keeps, and answers with the next
one; XPENDING lists a range of them, up to a number. An entry behind the end of every scan is never claimed.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...models import ids
from ...models.replies import Reply
from ..events import Effect
from ..history import History
from .picture import Scan
from .words import text


def scans(history: History) -> tuple[Scan, ...]:
    """Every scan of a history, in order."""
    out: list[Scan] = []
    for event in history:
        if isinstance(event, Effect):
            for argv, reply in zip(event.commands, event.replies, strict=False):
                span = _span(argv, reply)
                if span is not None:
                    first, until, took = span
                    about = (text(argv[1]), text(argv[2]))
                    out.append(Scan(event.at_ms, event.process, *about, first, until, took))
    return tuple(out)


def _span(argv: Sequence[bytes], reply: Reply) -> tuple[int, int | None, bool] | None:
    """What a command looked at: from, up to and without, and whether it found anything."""
    if not isinstance(reply, tuple):
        return None
    name = argv[0].upper()
    if name == b"XAUTOCLAIM" and len(argv) > 5 and len(reply) > 1 and isinstance(reply[0], bytes):
        first, until = _id(argv[5]), _id(reply[0])
        return None if first is None else (first, until or None, bool(reply[1]))
    if name == b"XPENDING" and len(argv) > 5:
        words = argv[5:] if argv[3].upper() == b"IDLE" else argv[3:]
        if len(words) < 3 or not words[2].isdigit():
            return None
        first, last = _id(words[0]), None
        if len(reply) >= int(words[2]) and reply:
            row = reply[-1]
            last = _id(row[0]) if isinstance(row, tuple) and row and isinstance(row[0], bytes) else None
        return None if first is None else (first, None if last is None else last + 1, bool(reply))
    return None


def _id(word: bytes) -> int | None:
    """An ID, the one after it where ``(`` excludes it; ``-`` is the least one."""
    if word == b"-":
        return 0
    excluded = word.startswith(b"(")
    found = ids.parse(word[excluded:], 0, strict=True)
    return found + excluded if found is not None else None
