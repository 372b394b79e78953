"""The append-only file, to the byte: units as the server writes them, and as it reads them again.

Sources: feedAppendOnlyFile, catAppendOnlyGenericCommand, loadSingleAppendOnlyFile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from .dialect import Dialect
from .journal import DISK, Argv, Told, Unit

MULTI: Final[Argv] = (b"MULTI",)
NO_UNIT: Final = frozenset({b"SELECT", b"PING", b"REPLCONF"})
"""What stands between units: which database the next one is for, and what a server asks a replica."""


class DamagedFileError(Exception):
    """What stands in the file is no command: a server refuses to start from it."""


def lines(units: Iterable[Unit], dialect: Dialect, target: int = DISK, selected: int = -1) -> Iterator[Argv]:
    """The commands of units as they stand in a file, SELECT and MULTI included.

    ``target`` is whom they are for: the disk, or the replicas. ``selected`` is the database at the time, -1 at the
    beginning of a file.
    """
    for unit in units:
        told = [each for each in unit.told if each.to & target]
        if unit.end and dialect.select_in_unit:
            yield MULTI
        elif unit.end:
            if told and told[0].database != selected:
                selected = told[0].database
                yield (b"SELECT", b"%d" % selected)
            yield MULTI
        for each in told:
            if each.database != selected:
                selected = each.database
                yield (b"SELECT", b"%d" % selected)
            yield each.argv
        if unit.end:
            yield (unit.end,)


def written(units: Iterable[Unit], dialect: Dialect, target: int = DISK) -> bytes:
    """The bytes of a file that begins with these units."""
    return b"".join(map(encoded, lines(units, dialect, target)))


def encoded(argv: Sequence[bytes]) -> bytes:
    """A command as an array of strings."""
    return b"".join([b"*%d\r\n" % len(argv), *[b"$%d\r\n%b\r\n" % (len(text), text) for text in argv]])


def commands(data: bytes) -> tuple[list[Argv], int]:
    """The whole commands at the beginning of ``data``, and how many bytes they take.

    What comes after them is the beginning of a command that was cut off. Raises ``DamagedFileError`` where it is not.
    """
    found: list[Argv] = []
    at = 0
    while True:
        after = _command(data, at)
        if after is None:
            return found, at
        argv, at = after
        found.append(argv)


def units_of(argvs: Iterable[Argv], at_ms: int = 0) -> list[Unit]:
    """The units that the commands of a file make; a transaction without its EXEC is dropped."""
    units: list[Unit] = []
    database = 0
    told: list[Told] | None = None
    for argv in argvs:
        word = argv[0].upper()
        if word == b"SELECT":
            database = int(argv[1])
        elif word == b"MULTI":
            told = []
        elif word == b"EXEC":
            units.append(Unit(at_ms, tuple(told or ()), argv[0]))
            told = None
        elif told is not None:
            told.append(Told(database, argv))
        else:
            units.append(Unit(at_ms, (Told(database, argv),)))
    return units


def unit_ends(data: bytes) -> list[int]:
    """How long a file, or what a replica is told, is after each of its units.

    What means nothing, such as an empty transaction, is no unit, nor is what a server only asks a replica. Whatever
    follows the last unit is part of none.
    """
    ends: list[int] = []
    at, inside, told = 0, False, 0
    while (found := _command(data, at)) is not None:
        argv, at = found
        word = argv[0].upper()
        if word == b"MULTI":
            inside, told = True, 0
        elif word == b"EXEC":
            inside = False
            if told:
                ends.append(at)
            told = 0
        elif word not in NO_UNIT:
            told += 1
            if not inside:
                ends.append(at)
                told = 0
    return ends


def _command(data: bytes, at: int) -> tuple[Argv, int] | None:
    head = _number(data, at, b"*")
    if head is None:
        return None
    many, at = head
    if many < 1:
        raise DamagedFileError(f"at byte {at}: a command of {many} words")
    argv: list[bytes] = []
    for _ in range(many):
        head = _number(data, at, b"$")
        if head is None:
            return None
        size, at = head
        if len(data) < at + size + 2:
            return None
        argv.append(data[at : at + size])
        at += size + 2
    return tuple(argv), at


def _number(data: bytes, at: int, mark: bytes) -> tuple[int, int] | None:
    if at < len(data) and data[at : at + 1] != mark:
        raise DamagedFileError(f"at byte {at}: {data[at : at + 16]!r} where {mark!r} is expected")
    end = data.find(b"\r\n", at)
    if end < 0:
        return None
    text = data[at + 1 : end]
    if not text.lstrip(b"-").isdigit():
        raise DamagedFileError(f"at byte {at}: {text[:16]!r} is no number")
    return int(text), end + 2
