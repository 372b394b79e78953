"""What a command line of the alphabet is made of: the shapes of commands, and the values of each kind of argument.

The command table says which commands and options a dialect has. `SHAPES` says where their parts stand, `VALUES`
which classes of values each kind of argument falls into: the first is the usual one, among the others are those
that another branch of the server's code takes. A kind that is new in the table needs a row here; a command, only if
its options do not just follow its arguments.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..virtual_clock import START_MS

__all__ = ["CLOCK_STEP_MS", "OPTIONS", "SHAPES", "VALUES"]

CLOCK_STEP_MS = 1000
"""How far a step of the clock goes, and the idle time that commands ask for: so it is just reached, or just not."""

OPTIONS = "options"
"""Where a shape has its options."""

SHAPES: Mapping[str, tuple[str, ...]] = {
    "XADD": ("key options new-id fields",),
    "XTRIM": ("key options",),
    "XREAD": ("options STREAMS key position",),
    "XREADGROUP": ("GROUP group consumer options STREAMS key group-position",),
    "XPENDING": (
        "key group",
        "key group options start end count",
        "key group options start end count consumer",
    ),
    "XINFO STREAM": ("key options",),
    "XDELEX": ("key options IDS many-ids",),
    "XACKDEL": ("key group options IDS many-ids",),
    "XNACK": ("key group nack-mode IDS many-ids options",),
}
"""The grammar of a command: kinds of arguments in lower case, words in upper case; elsewhere options come last."""

VALUES: Mapping[str, tuple[str, ...]] = {
    "key": ("s", "text"),
    "group": ("g", "h"),
    "consumer": ("a", "b"),
    "new-id": ("*", "1-1", "2-1", "3-1", "3-*", "0-0", "bad"),
    "fields": ("f 1", "f 1 g 2", "f"),
    "id": ("2-1", "1-1", "3-1", "5-0", "0-0", "bad"),
    "ids": ("1-1", "2-1", "3-1", "1-1 2-1 3-1", "9-9", "1-1 bad"),
    "trim-id": ("2", "= 3-1", "~ 3-1", "bad"),
    "trim-length": ("1", "= 0", "~ 1", "2", "-1", "bad"),
    "limit": ("1", "0", "-1", "bad"),
    "start": ("-", "2-1", "(1-1", "bad"),
    "end": ("+", "2-1", "(2-1", "bad"),
    "id-or-last": ("0", "$", "2-1", "bad"),
    "position": ("0", "1-1", "$", "+", ">", "bad"),
    "group-position": (">", "0", "1-1", "$", "+", "bad"),
    "count": ("1", "2", "0", "-1", "bad"),
    "entries-read": ("1", "0", "9", "-1", "-2", "bad"),
    "entries-added": ("9", "2", "-1", "bad"),
    "ms": (f"{CLOCK_STEP_MS}", "0", "-1", "bad"),
    "block": ("0", f"{CLOCK_STEP_MS}", "-1", "bad"),
    "min-idle": ("0", f"{CLOCK_STEP_MS}", f"{CLOCK_STEP_MS + 1}", "-1", "bad"),
    "many-bytes": ("1", "9999", "0", "-1", "bad"),
    "claim-idle": ("0", f"{CLOCK_STEP_MS}", f"{CLOCK_STEP_MS + 1}", "-1", "bad"),
    "many-ids": ("1 2-1", "1 1-1", "1 3-1", "3 1-1 2-1 3-1", "1 9-9", "2 1-1 1-1", "2 1-1", "0", "bad", "1 bad"),
    "nack-mode": ("FAIL", "SILENT", "FATAL", "bad"),
    "producer": ("p", "q"),
    "iid": ("i", "j"),
    "idmp-seconds": ("86400", "100", "0", "bad"),
    "idmp-records": ("1", "100", "0", "bad"),
    "recent-id": (f"{START_MS}-0", f"{START_MS + CLOCK_STEP_MS}-0", "bad"),
    "unix-ms": (f"{START_MS - CLOCK_STEP_MS}", "1", f"{START_MS + 9 * CLOCK_STEP_MS}", "-1", "bad"),
}
"""The classes of values of each kind of argument."""
