"""Rows of the command table as COMMAND tells them."""

from __future__ import annotations

from collections.abc import Sequence

from ...models.commands.call import Command
from ...models.commands.table import NUMBERED, STREAMS
from ...models.dialect import Dialect
from ...models.replies import Map, Reply, Simple

_GROUPS = (
    (("X",), b"stream"),
    (("SIM.",), b"simulation"),
    (("SUBSCRIBE", "UNSUBSCRIBE", "PSUBSCRIBE", "PUNSUBSCRIBE", "PUBLISH", "PUBSUB"), b"pubsub"),
    (("MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH"), b"transactions"),
    (("CLIENT", "AUTH", "HELLO", "PING", "ECHO", "QUIT", "RESET", "SELECT"), b"connection"),
    (("L", "R", "B"), b"list"),
)


def row_as_reply(row: Command, dialect: Dialect) -> Reply:
    """A row: name, arity, flags, first and last key, step, and what later releases add."""
    first, last, step = row.keys
    moves = row.keys in (STREAMS, NUMBERED)
    if moves:
        first, last, step = 0, 0, 0
    flags = sorted(row.flags - {"skip-monitor"}) + ["movablekeys"] * moves
    told: list[Reply] = [
        row.name.lower().encode(), row.arity, tuple([Simple(flag.replace("-", "_").encode()) for flag in flags]),
        first, last, step,
    ]  # fmt: skip
    if dialect.has((6, 0)):
        told.append(tuple([Simple(name) for name in _categories(row)]))
    if dialect.has((7, 0)):
        subcommands = [_sub_as_reply(row, sub, dialect) for sub in row.subcommands]
        told += [(), (), tuple(subcommands)]
    return tuple(told)


def _sub_as_reply(row: Command, sub: Command, dialect: Dialect) -> Reply:
    told = row_as_reply(sub, dialect)
    assert isinstance(told, tuple)
    return (b"%b|%b" % (row.name.lower().encode(), sub.name.lower().encode()), *told[1:])


def _categories(row: Command) -> list[bytes]:
    found = [b"@write" if "write" in row.flags else b"@read" if "readonly" in row.flags else b"@connection"]
    return [*found, b"@" + group_of(row), b"@fast" if "fast" in row.flags else b"@slow"]


def group_of(row: Command) -> bytes:
    """The family of a command."""
    for starts, group in _GROUPS:
        for start in starts:
            begins = (len(start) == 1 or start.endswith(".")) and row.name.startswith(start)
            of_keys = start in ("X", "SIM.") or row.keys != (0, 0, 0)
            if row.name == start or (begins and of_keys):
                return group
    return b"generic" if row.keys != (0, 0, 0) else b"server"


def docs_of(row: Command) -> Reply:
    """What COMMAND DOCS says of a row."""
    since = ".".join(map(str, (*row.since, 0))).encode()
    summary = (row.run.__doc__ or row.name).split("\n")[0].encode()
    pairs: list[tuple[Reply, Reply]] = [(b"summary", summary), (b"since", since), (b"group", group_of(row))]
    if row.subcommands:
        name = row.name.lower().encode()
        subcommands = tuple([(name + b"|" + s.name.lower().encode(), docs_of(s)) for s in row.subcommands])
        pairs.append((b"subcommands", Map(subcommands)))
    return Map(tuple(pairs))


def keys_of(row: Command, argv: Sequence[bytes]) -> list[bytes]:
    """The keys of a command line, as its row finds them."""
    if row.keys == STREAMS:
        words = [word.upper() for word in argv]
        if b"STREAMS" not in words:
            return []
        rest = argv[words.index(b"STREAMS") + 1 :]
        return list(rest[: len(rest) // 2])
    if row.keys == NUMBERED:
        at = next((at for at, word in enumerate(argv[1:], 1) if word.isdigit()), 0)
        return list(argv[at + 1 : at + 1 + int(argv[at])]) if at else []
    first, last, step = row.keys
    end = len(argv) + last if last < 0 else last
    return list(argv[first : end + 1 : step])
