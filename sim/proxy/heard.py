"""Replies of a real server as those of the model, and the IDs that it gave."""

from __future__ import annotations

from collections.abc import Sequence

from ...models.replies import NIL, NIL_ARRAY, Failure, Map, Reply, Simple
from ..real import values

ONE_WORD = frozenset({b"NOMKSTREAM", b"KEEPREF", b"DELREF", b"ACKED"})
MORE_WORDS = {b"LIMIT": 2, b"IDMPAUTO": 2, b"IDMP": 3}


def heard(frame: bytes) -> Reply:
    """What the bytes of one reply mean; what only RESP3 has is told as RESP2 would."""
    return _reply(values.parse(frame))


def _reply(value: object) -> Reply:
    match value:
        case values.Nil():
            return NIL_ARRAY if value is values.Nil.ARRAY else NIL
        case values.Status():
            return Simple(bytes(value))
        case values.Error():
            return Failure(bytes(value))
        case values.Attributed():
            return _reply(value[1])
        case values.Map():
            return Map(tuple((_reply(key), _reply(item)) for key, item in value))
        case bytes():
            return bytes(value)
        case list():
            return tuple(_reply(item) for item in value)
        case int():
            return int(value)
    return str(value).encode()


def id_place(argv: Sequence[bytes]) -> int:
    """Where in a line of XADD the ID stands; past its end where it is too short."""
    at = 2
    while at < len(argv):
        word = argv[at].upper()
        if word in ONE_WORD:
            at += 1
        elif word in (b"MAXLEN", b"MINID"):
            at += 3 if argv[at + 1 : at + 2] in ([b"="], [b"~"]) else 2
        elif word in MORE_WORDS:
            at += MORE_WORDS[word]
        else:
            return at
    return at


def with_given_id(argv: Sequence[bytes], reply: Reply) -> list[bytes]:
    """A line of XADD with the ID that the server gave, where the client left it open."""
    line = list(argv)
    at = id_place(line)
    if line[0].upper() == b"XADD" and at < len(line) and line[at].endswith(b"*") and isinstance(reply, bytes):
        line[at] = reply
    return line


def given_ms(reply: Reply) -> int:
    """The time in an ID that the server gave: its clock was there already. 0 where the reply is no ID."""
    head, dash, _ = reply.partition(b"-") if isinstance(reply, bytes) else (b"", b"", b"")
    return int(head) if dash and head.isdigit() and len(head) < 16 else 0
