"""A recorded run, as a real server is to see it: who sends what and when, and what the model answered.

Times are milliseconds on the recorded run's server clock; they may go backward, as that clock may. A step
stands where it takes *effect* at the server: a lost request is no step, a lost or late reply belongs to its
`Send` all the same, and a blocked client's `Reply` stands right after the step that served it, or at the
moment of its deadline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from .values import quoted

__all__ = [
    "CLIENT", "Close", "Cut", "Fall", "Follow", "Open", "Reply", "Script", "Send", "Step", "answered_as_it_closes",
    "duration_ms", "show_command",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Open:
    """A client connects, under a number of the recorder's choice, and speaks RESP2 or RESP3."""

    conn: int
    resp: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Send:
    """A command takes effect.

    `reply` is the encoded reply of the model, or None when the command blocks: its reply comes as a `Reply`.
    A command that is answered more than once (SUBSCRIBE) has all its replies here, one after the other.
    """

    conn: int
    argv: tuple[bytes, ...]
    at_ms: int
    reply: bytes | None


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that no command just asked for: a blocked client is served or gives up, a message is pushed."""

    conn: int
    at_ms: int
    reply: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """A client hangs up or dies; if it was blocked, the server forgets its read."""

    conn: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Fall:
    """The server is gone, with all connections, and what survived stands in its place.

    ``cause`` is ``restart``, ``snapshot`` or ``failover``, ``lacking`` how many units of what it had told last are lost
    (-1: all).
    """

    cause: str
    lacking: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Follow:
    """From now on ``who`` follows the server: its ``file``, a ``replica``, or ``snapshot``s. It has everything."""

    who: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Nothing reaches the replica for ``for_ms``."""

    at_ms: int
    for_ms: int


CLIENT = b"client:"
"""Before the number of a connection: what a server calls that client, as an argument of CLIENT UNBLOCK."""

Step: TypeAlias = Open | Send | Reply | Close | Fall | Follow | Cut
Script: TypeAlias = Sequence[Step]


def answered_as_it_closes(script: Script, index: int) -> frozenset[int]:
    """Who is answered in the very moment in which a connection closes at ``index``, before anything else is sent.

    A wait that is over and another's hanging up are two things of one moment: nobody can tell which comes first.
    """
    found: set[int] = set()
    for step in script[index + 1 :] if isinstance(script[index], Close) else ():
        if isinstance(step, Send) or step.at_ms != script[index].at_ms:
            break
        if isinstance(step, Reply):
            found.add(step.conn)
    return frozenset(found)


def duration_ms(script: Script) -> int:
    """How long a replay in real time takes at least: all steps of the clock forward, in milliseconds."""
    return sum(max(0, later.at_ms - earlier.at_ms) for earlier, later in pairwise(script))


def show_command(argv: Sequence[bytes]) -> str:
    """A command as one would type it into redis-cli, e.g. `XADD orders * k "two words"`."""
    return " ".join(map(_argument, argv))


_PLAIN = frozenset(range(0x21, 0x7F)) - frozenset(b"\"'\\")


def _argument(argument: bytes) -> str:
    return argument.decode() if argument and _PLAIN.issuperset(argument) else quoted(argument)
