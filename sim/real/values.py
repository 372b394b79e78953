"""Replies as values, to explain how two of them differ.

What a client library reads as one thing stays apart here: the nils of RESP2 and RESP3, a status and a string,
a map and a flat list, an integer and a string of digits. So two replies show alike only if their bytes are
alike.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from .errors import RealServerError

__all__ = [
    "Attributed",
    "BigNumber",
    "Error",
    "Map",
    "Nil",
    "Push",
    "Set",
    "Status",
    "Verbatim",
    "first_difference",
    "parse",
    "quoted",
    "show",
]


class Nil(Enum):
    """The three ways to say nothing, shown as they are told apart."""

    BULK = "(nil)"
    ARRAY = "(nil array)"
    NULL = "(null)"


class Status(bytes):
    """`+OK`."""


class Error(bytes):
    """`-ERR …`, or RESP3's `!` with its size."""

    sized = False


class SizedError(Error):
    """An error as RESP3's `!`."""

    sized = True


class Verbatim(bytes):
    """RESP3's text with its format, as `txt:…`."""


class BigNumber(int):
    """An integer that came as RESP3's `(`."""


class Map(list[tuple[object, object]]):
    """Pairs in their order; a key can come twice, as a stream that XREAD was asked for twice."""


class Set(list[object]):
    """RESP3's `~`."""


class Push(list[object]):
    """RESP3's `>`: what the server sends without being asked."""


class Double(float):
    """RESP3's `,`, with the digits that it was written with."""

    digits: str

    def __new__(cls, digits: str) -> Double:
        value = super().__new__(cls, digits)
        value.digits = digits
        return value


class Attributed(NamedTuple):
    """A reply with RESP3's attributes in front of it."""

    attributes: Map
    value: object


def parse(frame: bytes) -> object:
    """Read one reply.

    Strings come as `bytes`, integers as `int`, arrays as `list`, booleans as `bool`; all the rest as the
    classes of this module. Raises `RealServerError` when the bytes are not exactly one reply.
    """
    try:
        value, end = _parse(frame, 0)
    except (IndexError, ValueError):
        raise RealServerError(f"not a reply: {frame[:60]!r}") from None
    if end != len(frame):
        raise RealServerError(f"more than a reply: {frame[end : end + 60]!r}")
    return value


def _parse(frame: bytes, at: int) -> tuple[object, int]:
    end = frame.index(b"\r\n", at)
    kind, line, after = frame[at : at + 1], frame[at + 1 : end], end + 2
    if kind in b"$=!":
        size = int(line)
        if size < 0:
            return Nil.BULK, after
        text, end = frame[after : after + size], after + size + 2
        if len(frame) < end:
            raise IndexError
        return (Verbatim(text) if kind == b"=" else SizedError(text) if kind == b"!" else text), end
    if kind in b"*~>":
        size = int(line)
        if size < 0:
            return Nil.ARRAY, after
        items: list[object] = Set() if kind == b"~" else Push() if kind == b">" else []
        for _ in range(size):
            item, after = _parse(frame, after)
            items.append(item)
        return items, after
    if kind in b"%|":
        pairs = Map()
        for _ in range(int(line)):
            key, after = _parse(frame, after)
            value, after = _parse(frame, after)
            pairs.append((key, value))
        if kind == b"%":
            return pairs, after
        value, after = _parse(frame, after)
        return Attributed(pairs, value), after
    return _scalar(kind, line), after


def _scalar(kind: bytes, line: bytes) -> object:
    match kind:
        case b"+":
            return Status(line)
        case b"-":
            return Error(line)
        case b":":
            return int(line)
        case b"_":
            return Nil.NULL
        case b"#":
            return line == b"t"
        case b",":
            return Double(line.decode())
        case b"(":
            return BigNumber(line)
        case _:
            raise ValueError(kind)


def quoted(text: bytes) -> str:
    """A string in double quotes, with redis-cli's escapes."""
    return '"' + "".join(map(_escaped, text)) + '"'


_ESCAPES = {0x22: '\\"', 0x5C: "\\\\", 0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x07: "\\a", 0x08: "\\b"}


def _escaped(byte: int) -> str:
    if byte in _ESCAPES:
        return _ESCAPES[byte]
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"


def show(value: object) -> str:
    """A parsed reply on one line, e.g. `["1-1", ["k", "v"]]`, `OK`, `(error) "ERR syntax error"`, `(nil)`."""
    match value:
        case Nil():
            return value.value
        case Attributed(attributes, described):
            return f"|{show(attributes)} {show(described)}"
        case Status():
            # A word such as OK, as it is; any other text could be taken for something else on the line.
            return value.decode() if value.isalpha() else f"(status) {quoted(value)}"
        case Error():
            return ("(sized error) " if value.sized else "(error) ") + quoted(value)
        case Verbatim():
            return f"={quoted(value)}"
        case bytes():
            return quoted(value)
        case Map():
            return "{" + ", ".join(f"{show(key)}: {show(item)}" for key, item in value) + "}"
        case list():
            mark = "~" if isinstance(value, Set) else ">" if isinstance(value, Push) else ""
            return mark + "[" + ", ".join(map(show, value)) + "]"
        case bool():
            return "(true)" if value else "(false)"
        case Double():
            return f"(double) {value.digits}"
        case BigNumber():
            return f"(big number) {int(value)}"
        case _:
            return str(value)


def first_difference(model: object, server: object) -> str:
    """Where two parsed replies first part, as a path such as `[0]."groups"[1]`; empty for the top."""
    if isinstance(model, Map) and isinstance(server, Map):
        for (key, mine), (other, theirs) in zip(model, server, strict=False):
            if show(key) != show(other):
                return ""
            if show(mine) != show(theirs):
                return f".{show(key)}" + first_difference(mine, theirs)
    elif isinstance(model, list) and type(model) is type(server):
        assert isinstance(server, list)
        for index, (mine, theirs) in enumerate(zip(model, server, strict=False)):
            if show(mine) != show(theirs):
                return f"[{index}]" + first_difference(mine, theirs)
    return ""
