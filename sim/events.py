"""What a history is made of: one class for each kind of event.

``at_ms`` is true time in the world, from 0 at its start. ``process`` is a process's name; ``call``
numbers the commands of a run, so that a request, its effect and its reply can be put together.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from ..models.facts import Fact
from ..models.replies import Reply


class Started(NamedTuple):
    """A process began to run, or runs again after a crash (``incarnation`` above 1)."""

    at_ms: int
    process: str
    consumer: str
    host: str
    incarnation: int


class Effect(NamedTuple):
    """A command took effect on the server.

    ``commands`` holds one command, or those of a transaction. ``reply`` is ``BLOCKED`` where the server
    keeps the reply until there is something to read. ``server_ms`` is the server's own clock.
    ``process`` is empty for the commands that set the world up.
    """

    at_ms: int
    process: str
    call: int
    session: int
    sent_ms: int
    server_ms: int
    commands: tuple[tuple[bytes, ...], ...]
    replies: tuple[Reply, ...]
    facts: tuple[Fact, ...]


class Served(NamedTuple):
    """A blocked command got its answer: entries, an error, or nil because its time was up."""

    at_ms: int
    process: str
    call: int
    session: int
    server_ms: int
    reply: Reply
    facts: tuple[Fact, ...]


class Replied(NamedTuple):
    """A reply reached the process that asked."""

    at_ms: int
    process: str
    call: int


class Lost(NamedTuple):
    """A ``request`` that never reached the server, or a ``reply`` that never reached its process."""

    at_ms: int
    process: str
    call: int
    what: str


class Sent(NamedTuple):
    """A request left its process. Written down only where it does not take effect at once, or never."""

    at_ms: int
    process: str
    call: int
    commands: tuple[tuple[bytes, ...], ...]


class Delayed(NamedTuple):
    """A ``request`` or a ``reply`` is under way for longer than it should be."""

    at_ms: int
    process: str
    call: int
    what: str
    by_ms: int


class Unanswered(NamedTuple):
    """A client stops waiting for an answer: ``error`` is ``timeout``, ``reset``, ``refused``, ``connect`` (it could
    not connect in time) or ``exhausted`` (all its connections were in use).

    It sends the command again ``again_ms`` later; where that is ``None``, its program hears of the error.
    """

    at_ms: int
    process: str
    call: int
    error: str
    again_ms: int | None


class Cancelled(NamedTuple):
    """A program gave up a read, and its client keeps the connection: the server may still deliver to it."""

    at_ms: int
    process: str
    call: int


class Closed(NamedTuple):
    """A connection is gone, and the server knows it."""

    at_ms: int
    process: str
    session: int


class Handling(NamedTuple):
    """A process began to work on an entry. ``group`` is empty where it read without one."""

    at_ms: int
    process: str
    stream: bytes
    group: bytes
    entry: bytes


class Handled(NamedTuple):
    """A process finished its work on an entry."""

    at_ms: int
    process: str
    stream: bytes
    group: bytes
    entry: bytes


class HandleFailed(NamedTuple):
    """The work on an entry came to nothing: ``handle`` raises, or was cancelled."""

    at_ms: int
    process: str
    stream: bytes
    group: bytes
    entry: bytes


class Slowed(NamedTuple):
    """The work on an entry takes longer than it should."""

    at_ms: int
    process: str
    stream: bytes
    group: bytes
    entry: bytes
    by_ms: int


class Paused(NamedTuple):
    """A process stands still, ``for_ms`` long."""

    at_ms: int
    process: str
    for_ms: int


class Resumed(NamedTuple):
    """A paused process goes on."""

    at_ms: int
    process: str


class Disconnected(NamedTuple):
    """All connections of a process broke."""

    at_ms: int
    process: str


class Partitioned(NamedTuple):
    """For a while nothing gets through between a process and the server, or only one way.

    ``cut`` is what does not: ``both``, ``requests`` or ``replies``.
    """

    at_ms: int
    process: str
    cut: str
    for_ms: int


class LinkSlowed(NamedTuple):
    """What a process sends and gets is under way for ``by_ms`` longer, for a while."""

    at_ms: int
    process: str
    by_ms: int
    for_ms: int


class Mended(NamedTuple):
    """The link between a process and the server is as it should be again."""

    at_ms: int
    process: str


class HalfOpened(NamedTuple):
    """The connections of a process are gone, and it does not know."""

    at_ms: int
    process: str


class Projected(NamedTuple):
    """A process published the value of a projection that it had built up to and including ``upto``."""

    at_ms: int
    process: str
    name: str
    value: str
    upto: bytes


class Crashed(NamedTuple):
    """A process stopped in the middle; ``why`` is ``fault`` or ``raised``, with the error's text."""

    at_ms: int
    process: str
    why: str
    message: str


class Finished(NamedTuple):
    """A process ran all its turns."""

    at_ms: int
    process: str


class ClockJumped(NamedTuple):
    """The clock of a host was set forward or back."""

    at_ms: int
    host: str
    by_ms: int


class ClockDrifts(NamedTuple):
    """The clock of a host goes wrong by ``ms_a_second`` from now on."""

    at_ms: int
    host: str
    ms_a_second: int


class ServerDown(NamedTuple):
    """Nobody is there who would accept a connection, for a while."""

    at_ms: int
    for_ms: int


class ReplicaCut(NamedTuple):
    """Nothing reaches the server's replica for a while. ``server_ms`` is the server's own clock."""

    at_ms: int
    server_ms: int
    for_ms: int


class ServerLost(NamedTuple):
    """The server is gone, with all connections, and another stands in its place: what survived of it.

    ``cause`` is ``restart``, ``snapshot`` or ``failover``; ``lacking`` counts the units of what it had told that are
    lost, -1 is everything. ``facts`` tell the difference. ``server_ms`` is the server's own clock.
    """

    at_ms: int
    server_ms: int
    cause: str
    lacking: int
    facts: tuple[Fact, ...]


class Healed(NamedTuple):
    """From here on no more faults happen, and what must come true has to."""

    at_ms: int


class Ended(NamedTuple):
    """The run is over."""

    at_ms: int


Event: TypeAlias = (
    Started | Effect | Served | Replied | Lost | Closed | Handling | Handled | Projected | Crashed
    | Finished | ClockJumped | Healed | Ended | Sent | Delayed | Unanswered | Cancelled | HandleFailed | Slowed
    | Paused | Resumed | Disconnected | ServerLost
    | Partitioned | LinkSlowed | Mended | HalfOpened | ClockDrifts | ServerDown | ReplicaCut
)  # fmt: skip

OfCall: TypeAlias = Effect | Served | Replied | Lost | Sent | Delayed | Unanswered | Cancelled
"""Events that are about one command."""
OF_CALL: Final = (Effect, Replied, Served, Lost, Sent, Delayed, Unanswered, Cancelled)
"""The same, to ask an event whether it is one: to ask the union takes longer."""
