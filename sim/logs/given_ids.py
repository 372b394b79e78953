"""Which ID an XADD with ``*`` was given: MONITOR shows the command, and not the answer.

MONITOR reads the clock anew for each line, and an ID comes from the time at which the server began with what a client
had sent: some milliseconds before, on a busy machine. Whatever the log or a snapshot calls by its ID settles it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ...models.ids import ms_of, next_generated, parse, seq_of
from ...models.stream import Stream
from ..proxy.heard import id_place
from .monitor_lines import Line
from .snapshot import Snapshot

EARLIER_MS = 20
"""So much earlier than its line an ID is looked for."""

WHOLE_ID = re.compile(rb"\d{1,20}-\d{1,20}")


class GivenIds:
    """The IDs that are named anywhere, and the choice among them."""

    def __init__(self, lines: Iterable[Line], snapshots: Iterable[Snapshot]) -> None:
        self._named: set[int] = set()
        words = (word for line in lines for word in line.argv[1:] if WHOLE_ID.fullmatch(word))
        for word in (*words, *(text.encode() for snapshot in snapshots for text in snapshot.ids())):
            found = parse(word, 0, strict=True)
            if found is not None:
                self._named.add(found)

    def settle(self, argv: Sequence[bytes], last: int, at_ms: int) -> tuple[tuple[bytes, ...], int]:
        """A line with the ID that it was most likely given, and the stream's last ID after it.

        ``last`` is the one before. A line that is no XADD with ``*`` stays as it is; one that nothing tells of has the
        ID of its time.
        """
        line = list(argv)
        place = id_place(line) if line[0].upper() == b"XADD" else len(line)
        if place >= len(line) or line[place] != b"*":
            return tuple(argv), last
        given = next_generated(last, at_ms)
        for ms in range(at_ms, at_ms - EARLIER_MS - 1, -1):
            if next_generated(last, ms) in self._named:
                given = next_generated(last, ms)
                break
        line[place] = b"%d-%d" % (ms_of(given), seq_of(given))
        return tuple(line), given


def last_id_of(value: object) -> int:
    """The last ID of a stream; 0 where there is none."""
    return value.last_id if isinstance(value, Stream) else 0
