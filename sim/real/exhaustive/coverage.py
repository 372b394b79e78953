"""Which commands, with which options, came to which outcomes, and how often."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from .alphabet import Letter

__all__ = ["ANY", "Counts", "Coverage", "nested", "outcome_of"]

ANY = "any"
"""Stands for whatever options there were."""

Counts: TypeAlias = "Counter[tuple[int, str, bool]]"
"""How often a letter (by its number) came to an outcome, and whether the state became another."""

REMEMBERED_MAX = 100_000

_QUOTED = re.compile(rb"'[^']*'|`[^`]*`")
_NILS = (b"$-1", b"*-1")


def outcome_of(reply: bytes) -> str:
    """The class of a reply: an error by its text, without what it quotes; else nil, nothing, a number, and so on."""
    line = reply.partition(b"\r\n")[0]
    if line[:1] == b"-":
        return "error: " + _QUOTED.sub("'…'".encode(), line[1:]).decode(errors="replace")
    if line in _NILS:
        return "nil"
    if line == b"*0":
        return "nothing"
    if line[:1] == b":":
        return "zero" if line == b":0" else "a number"
    return {b"+": line[1:].decode(errors="replace"), b"$": "a text", b"*": "items"}.get(line[:1], "another")


class Coverage:
    """Counts letters and what they came to."""

    def __init__(self) -> None:
        self._outcomes: dict[bytes, str] = {}
        self._counts: Counts = Counter()

    def count(self, outcomes: Iterable[tuple[int, bytes, bool]]) -> None:
        """Counts letters (by their number), their replies, and whether the state became another."""
        counts, known = self._counts, self._outcomes
        for letter, reply, moved in outcomes:
            outcome = known.get(reply)
            if outcome is None:
                if len(known) >= REMEMBERED_MAX:
                    known.clear()
                outcome = known[reply] = outcome_of(reply)
            counts[letter, outcome, moved] += 1

    def take(self) -> Counts:
        """What was counted since the last time."""
        taken, self._counts = self._counts, Counter()
        return taken


def nested(counts: Counts, letters: Sequence[Letter]) -> dict[str, dict[str, dict[str, int]]]:
    """Counts as command, option, outcome; `changes the state` and `leaves the state` are outcomes too."""
    rows: Counter[tuple[str, str, str]] = Counter()
    for (number, outcome, moved), times in counts.items():
        letter = letters[number]
        for option in (ANY, *letter.options):
            rows[letter.command, option, outcome] += times
            rows[letter.command, option, "changes the state" if moved else "leaves the state"] += times
    found: dict[str, dict[str, dict[str, int]]] = {}
    for (command, option, outcome), times in sorted(rows.items()):
        found.setdefault(command, {}).setdefault(option, {})[outcome] = times
    return found
