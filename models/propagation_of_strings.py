"""What the commands on strings put on the replication stream and into the append-only file.

A time to live is told as a deadline, and what only the reply depends on is left out. Sources: setGenericCommand,
getsetCommand, getdelCommand, catAppendOnlyExpireAtCommand.
"""

from __future__ import annotations

from typing import Final

from .commands.call import Call
from .commands.strings import UNITS_MS
from .journal import DISK, REPLICAS, Argv, Told, expired

WITH_TIME: Final = frozenset({"SETEX", "PSETEX"})


def told_of_string(call: Call, argv: Argv, database: int) -> list[Told]:
    """How one that changed something is told; ``argv`` is the command as it was."""
    name = call.command.name
    if name in WITH_TIME:
        return _timed(call, argv, argv[3], b"", database)
    if name == "SET":
        return _set(call, argv, database)
    if name == "GETSET" and call.dialect.getset_told_as_set:
        return [Told(database, (b"SET", *argv[1:]))]
    return [Told(database, argv)]


def _set(call: Call, argv: Argv, database: int) -> list[Told]:
    words = [text.upper() for text in argv[3:]]
    unit = next((word for word in words if word in UNITS_MS), None)
    if unit is not None:
        return _timed(call, argv, argv[2], unit, database)
    kept = [text for text, word in zip(argv[3:], words, strict=True) if word != b"GET"]
    return [Told(database, (*argv[:3], *kept))]


def _timed(call: Call, argv: Argv, value: bytes, unit: bytes, database: int) -> list[Told]:
    """A string that goes by itself, or has gone at once: up to 6.2 replicas get how long it stays."""
    key, dialect = argv[1], call.dialect
    if key not in call.server.keys:
        return [Told(database, expired(dialect, key))]
    deadline_ms = call.server.expires[key]
    as_it_was = Told(database, argv)
    if dialect.deadlines_told_apart:
        plain = Told(database, (b"SET", key, value), DISK)
        then = Told(database, (b"PEXPIREAT", key, b"%d" % deadline_ms), DISK)
        return [plain, then, as_it_was._replace(to=REPLICAS)]
    if unit == b"PXAT" and dialect.given_deadline_told_as_it_was:
        return [as_it_was]
    absolute = Told(database, (b"SET", key, value, b"PXAT", b"%d" % deadline_ms))
    if dialect.expires_as_deadline or unit.endswith(b"AT"):
        return [absolute]
    relative = (b"SET", key, value, b"PX", b"%d" % (deadline_ms - call.now_ms))
    return [absolute._replace(to=DISK), Told(database, relative, REPLICAS)]
