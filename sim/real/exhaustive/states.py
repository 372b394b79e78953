"""What a state is, and how the model takes a command in one.

A state is the stream at the one key (or that there is none) and the time on the server's clock. Which incarnation
of the key it is, and the like, is not part of it: no server knows that. Two states with equal `State.name` are one.
"""

from __future__ import annotations

import marshal
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from ....models.dialects import Dialect
from ....models.facts import Fact
from ....models.reload import reloaded
from ....models.replies import Blocked, Failure, Reply, encode
from ....models.server import Config, Server
from ....models.snapshot import stream_snapshot
from ....models.stream import Stream
from ..virtual_clock import START_MS
from .alphabet import ENTRIES_MAX, Letter
from .letters import CLOCK_STEP_MS

__all__ = ["CONFIG", "EMPTY", "STREAM_KEY", "Model", "State", "digest_of"]

CONFIG = Config(stream_node_max_entries=2)
"""Three entries take two nodes: so there is something to trim node by node."""

STREAM_KEY = b"s"
TEXT_KEY = b"text"
TEXT = b"x"

LOOK = (b"XINFO", b"STREAM", STREAM_KEY, b"FULL", b"COUNT", b"0")
"""How the whole of a state is looked at, on both sides."""

SEEN_MAX = 60_000
"""How many looks the model remembers; past that it forgets all."""

MARSHAL = 2
"""A version whose bytes depend on the value alone."""


class State(NamedTuple):
    """A stream, or none, and the time since the start of the clock, in milliseconds."""

    stream: Stream | None
    clock_ms: int

    @property
    def now_ms(self) -> int:
        """The time since the epoch."""
        return START_MS + self.clock_ms

    def name(self) -> bytes:
        """Everything in it, as bytes: equal exactly where states are."""
        stream = self.stream
        return marshal.dumps((self.clock_ms, None if stream is None else stream_snapshot(stream)), MARSHAL)

    def is_within_bounds(self) -> bool:
        """Whether the search goes on from it: the clock is near its start, and the stream small."""
        if abs(self.clock_ms) > CLOCK_STEP_MS:
            return False
        return self.stream is None or sum(len(node.ids) for node in self.stream.nodes) <= ENTRIES_MAX


EMPTY = State(None, 0)
"""The empty server, at the start of its clock."""


def digest_of(name: bytes) -> bytes:
    """A state's name, short; 128 bits: two of a hundred thousand states are never alike."""
    return blake2b(name, digest_size=16).digest()


class Taken(NamedTuple):
    """What a command came to: its reply on the wire and as a value, the state after it, and what it made true.

    The value is `BLOCKED` where it would have blocked; the reply is then that of a transaction.
    """

    reply: bytes
    after: State
    said: Reply
    facts: tuple[Fact, ...] = ()

    @property
    def blocks(self) -> bool:
        """Whether the command would have blocked."""
        return isinstance(self.said, Blocked)


class Model:
    """The model of one server, in one state after the other. It remembers nothing but what states look like."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._server = Server(dialect, CONFIG)
        self._session = self._server.open()
        self._seen: dict[bytes, bytes] = {}

    def take(self, state: State, argv: Sequence[bytes]) -> Taken:
        """Does a command in a state, which stays as it is.

        A command that would block is done in a transaction instead, where none does: MULTI, command, EXEC.
        """
        stream = state.stream
        server = self._server
        keys = server.keys
        keys.clear()
        keys[TEXT_KEY] = TEXT
        if stream is not None:
            stream.shared = True
            keys[STREAM_KEY] = stream
        now_ms = state.now_ms
        reply, facts = server.execute(self._session, argv, now_ms)
        if isinstance(reply, Blocked):
            server.unblock(server.sessions[self._session])
            replies = [server.execute(self._session, line, now_ms)[0] for line in ((b"MULTI",), argv, (b"EXEC",))]
            return Taken(b"".join(map(_encoded, replies)), self._after(state), reply, facts)
        return Taken(_encoded(reply), self._after(state), reply, facts)

    def step(self, state: State, letter: Letter) -> State:
        """The state that a letter leads to."""
        if letter.clock_step_ms:
            return State(state.stream, state.clock_ms + letter.clock_step_ms)
        return self.take(state, letter.argv).after

    def look(self, state: State, name: bytes) -> bytes:
        """What the server says when it is asked for all of the state."""
        seen = self._seen.get(name)
        if seen is None:
            seen = self.take(state, LOOK).reply
            self.learn(name, seen)
        return seen

    def learn(self, name: bytes, seen: bytes) -> None:
        """Remembers what a state looks like, in the part too that is not the model's to know."""
        if len(self._seen) >= SEEN_MAX:
            self._seen.clear()
        self._seen[name] = seen

    def survives_a_load(self, state: State, name: bytes) -> bool:
        """Whether the server can be brought into it by a dump: all that makes it out is in there."""
        if state.stream is None:
            return True
        return State(reloaded(state.stream, self.dialect), state.clock_ms).name() == name

    def _after(self, state: State) -> State:
        value = self._server.keys.get(STREAM_KEY)
        if value is state.stream:
            return state
        if value is None:
            return State(None, state.clock_ms)
        assert isinstance(value, Stream), "no letter puts something else in its place"
        value.born = 0  # no state knows how often its key was made anew
        for group in value.groups.values():
            group.epoch = 0
        return State(value, state.clock_ms)


def _encoded(reply: Reply) -> bytes:
    return _encoded_failure(reply) if isinstance(reply, Failure) else encode(reply, 2)


@lru_cache(maxsize=10_000)
def _encoded_failure(reply: Failure) -> bytes:
    """Every second letter is refused, and always in the same few words."""
    return encode(reply, 2)
