"""Which commands came to which outcomes, and how often."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from .alphabet import Letter

__all__ = ["Coverage", "outcome_of"]

REMEMBERED_MAX = 100_000

_QUOTED = re.compile(rb"'[^']*'|`[^`]*`")
_NILS = (b"$-1", b"*-1")


def outcome_of(reply: bytes) -> str:
    """The class of a reply: an error by its text, without what it quotes; else nil, empty, a number, and so on."""
    line = reply.partition(b"\r\n")[0]
    if line[:1] == b"-":
        return _QUOTED.sub(b"\xe2\x80\xa6", line[1:]).decode(errors="replace")
    if line in _NILS:
        return "nil"
    if line in (b"*0", b"$0"):
        return "empty"
    if line[:1] == b":":
        return line[1:].decode() if line in (b":0", b":1") else "a number"
    return {b"+": line[1:].decode(errors="replace"), b"$": "a text", b"*": "an array"}.get(line[:1], "another")


class Coverage:
    """Counts of command with options, outcome, and whether the state became another."""

    def __init__(self, letters: Sequence[Letter]) -> None:
        self._forms = [letter.form for letter in letters]
        self._outcomes: dict[bytes, str] = {}
        self.counts: Counter[tuple[str, str, bool]] = Counter()

    def count(self, outcomes: Iterable[tuple[int, bytes, bool]]) -> None:
        """Counts letters (by their number), their replies, and whether the state became another."""
        counts, known, forms = self.counts, self._outcomes, self._forms
        for letter, reply, moved in outcomes:
            outcome = known.get(reply)
            if outcome is None:
                if len(known) >= REMEMBERED_MAX:
                    known.clear()
                outcome = known[reply] = outcome_of(reply)
            counts[forms[letter], outcome, moved] += 1

    def add(self, counts: Mapping[tuple[str, str, bool], int]) -> None:
        """Adds what another one counted."""
        self.counts.update(counts)

    def take(self) -> Counter[tuple[str, str, bool]]:
        """What was counted since the last time."""
        taken, self.counts = self.counts, Counter()
        return taken

    def as_json(self) -> dict[str, dict[str, int]]:
        """Command with options, then outcome, to how often; `*` marks an outcome that made the state another."""
        found: dict[str, dict[str, int]] = {}
        for (form, outcome, moved), times in sorted(self.counts.items()):
            found.setdefault(form, {})[outcome + (" *" if moved else "")] = times
        return found
