"""Replies as values, and their exact bytes in RESP2 and RESP3.

A reply is an ``int``, ``bytes`` (a bulk string), a ``tuple`` (an array) or one of the classes below.
Clients read several kinds of nil as one; the bytes on the socket differ, so the model keeps them apart.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias


class Simple:
    """A simple string, such as ``+OK``."""

    __slots__ = ("text",)

    def __init__(self, text: bytes) -> None:
        self.text: Final = text

    def __eq__(self, other: object) -> bool:
        return type(other) is Simple and other.text == self.text

    def __hash__(self) -> int:
        return hash((Simple, self.text))

    def __repr__(self) -> str:
        return f"Simple({self.text!r})"


class Failure:
    """An error reply; ``text`` starts with its code, such as ``ERR`` or ``NOGROUP``."""

    __slots__ = ("text",)

    def __init__(self, text: bytes) -> None:
        self.text: Final = text

    def __eq__(self, other: object) -> bool:
        return type(other) is Failure and other.text == self.text

    def __hash__(self) -> int:
        return hash((Failure, self.text))

    def __repr__(self) -> str:
        return f"Failure({self.text!r})"


class Nil:
    """One of the two nils of RESP2; both are ``_`` in RESP3."""

    __slots__ = ("resp2",)

    def __init__(self, resp2: bytes) -> None:
        self.resp2: Final = resp2

    def __repr__(self) -> str:
        return "NIL" if self.resp2.startswith(b"$") else "NIL_ARRAY"

    def __reduce__(self) -> str:
        """There is one of each, in every process that a reply travels to."""
        return repr(self)


class Map:
    """A map in RESP3. In RESP2 a flat array, or, where ``paired``, an array of two-element arrays."""

    __slots__ = ("paired", "pairs")

    def __init__(self, pairs: tuple[tuple[Reply, Reply], ...], *, paired: bool = False) -> None:
        self.pairs: Final = pairs
        self.paired: Final = paired

    def __eq__(self, other: object) -> bool:
        return type(other) is Map and (other.pairs, other.paired) == (self.pairs, self.paired)

    def __hash__(self) -> int:
        return hash((Map, self.pairs, self.paired))

    def __repr__(self) -> str:
        return f"Map({self.pairs!r})"


class Push:
    """A message that no command asked for, or the reply of SUBSCRIBE and its like: an array in RESP2."""

    __slots__ = ("items",)

    def __init__(self, items: tuple[Reply, ...]) -> None:
        self.items: Final = items

    def __eq__(self, other: object) -> bool:
        return type(other) is Push and other.items == self.items

    def __hash__(self) -> int:
        return hash((Push, self.items))

    def __repr__(self) -> str:
        return f"Push({self.items!r})"


class Frames:
    """Several replies to one command, one after the other: SUBSCRIBE to two channels is answered by two.

    Inside an array it is as many elements, and the array does not count them: so says the server, too.
    """

    __slots__ = ("frames",)

    def __init__(self, frames: tuple[Reply, ...]) -> None:
        self.frames: Final = frames

    def __eq__(self, other: object) -> bool:
        return type(other) is Frames and other.frames == self.frames

    def __hash__(self) -> int:
        return hash((Frames, self.frames))

    def __repr__(self) -> str:
        return f"Frames({self.frames!r})"


class Members:
    """A set: an array in RESP2."""

    __slots__ = ("items",)

    def __init__(self, items: tuple[Reply, ...]) -> None:
        self.items: Final = items

    def __eq__(self, other: object) -> bool:
        return type(other) is Members and other.items == self.items

    def __hash__(self) -> int:
        return hash((Members, self.items))

    def __repr__(self) -> str:
        return f"Members({self.items!r})"


class Double:
    """A number that is no integer, as the server prints it: a bulk string in RESP2."""

    __slots__ = ("text",)

    def __init__(self, text: bytes) -> None:
        self.text: Final = text

    def __eq__(self, other: object) -> bool:
        return type(other) is Double and other.text == self.text

    def __hash__(self) -> int:
        return hash((Double, self.text))

    def __repr__(self) -> str:
        return f"Double({self.text!r})"


class Blocked:
    """Not a reply: the session waits, and its reply comes later through ``Server.take_served``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "BLOCKED"

    def __reduce__(self) -> str:
        """There is one, in every process that it travels to."""
        return repr(self)


Reply: TypeAlias = (
    "int | bytes | tuple[Any, ...] | Simple | Failure | Nil | Map | Push | Frames | Members | Double | Blocked"
)

NIL: Final = Nil(b"$-1\r\n")
NIL_ARRAY: Final = Nil(b"*-1\r\n")
OK: Final = Simple(b"OK")
QUEUED: Final = Simple(b"QUEUED")
PONG: Final = Simple(b"PONG")
BLOCKED: Final = Blocked()


def encode(reply: Reply, resp: int) -> bytes:
    """The bytes of a reply on the socket, in protocol version ``resp`` (2 or 3)."""
    if type(reply) is bytes:  # mostly
        return b"$%d\r\n%b\r\n" % (len(reply), reply)
    if type(reply) is int:
        return b":%d\r\n" % reply
    assert resp in (2, 3)
    out: list[bytes] = []
    _encode(reply, resp, out)
    return b"".join(out)


def _encode(reply: Reply, resp: int, out: list[bytes]) -> None:
    if isinstance(reply, bytes):
        out.append(b"$%d\r\n%b\r\n" % (len(reply), reply))
    elif isinstance(reply, int):
        out.append(b":%d\r\n" % reply)
    elif isinstance(reply, tuple):
        out.append(b"*%d\r\n" % len(reply))
        for item in reply:
            _encode(item, resp, out)
    elif isinstance(reply, Nil):
        out.append(b"_\r\n" if resp == 3 else reply.resp2)
    elif isinstance(reply, Simple):
        out.append(b"+%b\r\n" % reply.text)
    elif isinstance(reply, Failure):
        out.append(b"-%b\r\n" % reply.text)
    elif isinstance(reply, Push):
        out.append((b">%d\r\n" if resp == 3 else b"*%d\r\n") % len(reply.items))
        for item in reply.items:
            _encode(item, resp, out)
    elif isinstance(reply, Members):
        out.append((b"~%d\r\n" if resp == 3 else b"*%d\r\n") % len(reply.items))
        for item in reply.items:
            _encode(item, resp, out)
    elif isinstance(reply, Double):
        if resp == 3:
            out.append(b",%b\r\n" % reply.text)
        else:
            _encode(reply.text, resp, out)
    elif isinstance(reply, Frames):
        for frame in reply.frames:
            _encode(frame, resp, out)
    elif isinstance(reply, Map):
        _encode_map(reply, resp, out)
    else:
        raise TypeError(f"a session that is {reply!r} has no reply yet")


def _encode_map(reply: Map, resp: int, out: list[bytes]) -> None:
    if resp == 3:
        out.append(b"%%%d\r\n" % len(reply.pairs))
    elif reply.paired:
        out.append(b"*%d\r\n" % len(reply.pairs))
    else:
        out.append(b"*%d\r\n" % (2 * len(reply.pairs)))
    for key, value in reply.pairs:
        if resp == 2 and reply.paired:
            out.append(b"*2\r\n")
        _encode(key, resp, out)
        _encode(value, resp, out)
