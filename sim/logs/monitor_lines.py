"""The lines that MONITOR prints: when, in which database, from where, which command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..errors import BadInput
from ..wire.parser import split

LINE = re.compile(rb"\+?(\d{9,11})\.(\d{6}) \[(\d+) ([^\]]*(?:\][^\]]*\])?)\] (.*)")
"""An address of IPv6 stands in brackets of its own."""

SCRIPT = "lua"
"""Where commands come from that a script sent."""


class Line(NamedTuple):
    """One command as MONITOR showed it; ``at_ms`` is the server's clock, ``source`` the client's address."""

    at_ms: int
    database: int
    source: str
    argv: tuple[bytes, ...]


def lines_of(text: bytes, name: str) -> Iterator[Line]:
    """The commands of a log. ``BadInput`` with the file and the line where one is none of MONITOR's.

    The first line may be the ``OK`` that answers MONITOR; of the last line a part may be missing.
    """
    raw = text.split(b"\n")
    for number, line in enumerate(raw, 1):
        line = line.rstrip(b"\r")
        if not line or line in (b"OK", b"+OK"):
            continue
        found = LINE.fullmatch(line)
        argv = split(found[5]) if found else None
        if not found or not argv:
            if number == len(raw):
                return  # cut off while it was written
            raise BadInput(f"{name}, line {number}: not a line of MONITOR (it begins like 1700000000.000000 [0 ...)")
        at_ms = int(found[1]) * 1000 + int(found[2]) // 1000
        yield Line(at_ms, int(found[3]), found[4].decode(errors="backslashreplace"), tuple(argv))
