"""Where the comparison runs: the model, or a real server. Programs see the same connections to both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from ...models.dialects import DEFAULT
from ...models.pubsub import Limits
from ...models.replies import encode
from ...models.server import Config, Server
from ..real.address import Address
from ..real.connection import Connection, refuse_errors
from ..real.errors import ClockUnavailable, RealServerError, ServerClosed
from ..real.guard import admit, admitted
from ..real.servers import ServerBinary
from ..real.spawn import SpawnedServer
from ..real.values import Error, parse
from ..real.virtual_clock import START_MS, VirtualClock

__all__ = ["Client", "ModelStore", "RealStore", "Store", "real_store"]

BUFFER_BYTES = 64 * 1024
"""What a server of ours keeps for a subscriber that does not read, before it hangs up on it."""

BUFFER_BYTES_MAX = 64 * 1024 * 1024
"""More than this is not sent to a server of somebody else."""

_PONG = [b"pong", b""]


class Client(Protocol):
    """A connection that speaks RESP2."""

    def call(self, *argv: bytes) -> object:
        """The value that a command is answered with. Raises `ServerClosed`, or `RealServerError` for an error."""

    def pushed(self) -> tuple[list[object], bool]:
        """What a subscriber was sent since the last time, and whether its connection still stands."""

    def close(self) -> None:
        """Hang up."""


class Store(Protocol):
    """An empty server, again and again."""

    name: str
    version: str
    dialect: str
    buffer_bytes: int

    def empty(self) -> None:
        """Forget all keys."""

    def connect(self) -> Client:
        """Another connection."""


class ModelStore:
    """The model."""

    def __init__(self, dialect: str = DEFAULT) -> None:
        self.name, self.version, self.dialect = "model", "", dialect
        self.buffer_bytes = BUFFER_BYTES
        self.empty()

    def empty(self) -> None:
        self.server = Server(self.dialect, Config(pubsub_limits=Limits(self.buffer_bytes, 0, 0)))
        self.clients: dict[int, ModelClient] = {}

    def connect(self) -> ModelClient:
        return ModelClient(self)


class ModelClient:
    """A session of the model. As a subscriber it reads when it is asked what was pushed, and not before."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._session = store.server.open()
        self._inbox: list[bytes] = []
        store.clients[self._session] = self

    @property
    def _stands(self) -> bool:
        return self._session in self._store.server.sessions

    def call(self, *argv: bytes) -> object:
        server = self._store.server
        if not self._stands:
            raise ServerClosed("the model closed the connection")
        reply, _ = server.execute(self._session, argv, START_MS)
        for served in server.take_served():
            self._store.clients[served.session]._inbox.append(encode(served.reply, 2))
        if argv[0] == b"SUBSCRIBE":
            server.stop_reading(self._session)
        return _value(encode(reply, 2))

    def pushed(self) -> tuple[list[object], bool]:
        inbox, self._inbox = self._inbox, []
        if not self._stands:
            return [], False  # it was dropped, and what it had not read with it
        self._store.server.read(self._session, sum(map(len, inbox)))
        return [parse(reply) for reply in inbox], True

    def close(self) -> None:
        self._store.clients.pop(self._session, None)
        if self._stands:
            self._store.server.close(self._session)


class RealStore:
    """A real server: one of ours, or an empty database of somebody else."""

    def __init__(self, name: str, version: str, dialect: str, address: Address, buffer_bytes: int, ours: bool) -> None:
        self.name, self.version, self.dialect = name, version, dialect
        self.buffer_bytes = buffer_bytes
        self._address, self._ours = address, ours

    def empty(self) -> None:
        with Connection(self._address) as connection:
            refuse_errors(self._address, connection.call(b"FLUSHALL" if self._ours else b"FLUSHDB"))

    def connect(self) -> RealClient:
        return RealClient(Connection(self._address))


class RealClient:
    """A connection to a real server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def call(self, *argv: bytes) -> object:
        return _value(self._connection.call(*argv))

    def pushed(self) -> tuple[list[object], bool]:
        # What was pushed before stands before the answer, however long the way.
        found: list[object] = []
        try:
            self._connection.send([b"PING"])
            while (value := parse(self._connection.read())) != _PONG:
                found.append(value)
        except ServerClosed:
            return found, False
        return found, True

    def close(self) -> None:
        self._connection.close()


@contextmanager
def real_store(
    server: str | ServerBinary | Address, *, dialect: str | None = None, flush: bool = False
) -> Iterator[tuple[RealStore, str]]:
    """A real server to compare on, for as long as the block runs, and a note about it.

    One of ours runs under the virtual clock, where there is one: no time is waited for, and none is compared.
    Raises `RealServerError`, one line, for a server that cannot be used (`real/guard.py`).
    """
    admission = admit(server, dialect=dialect, flush=flush)
    if isinstance(admission.target, Address):
        with _theirs(admission.target, admission.dialect, flush) as store:
            yield store, admission.note
        return
    with _ours(admission.target) as spawned, spawned.connect() as control:
        limit = b"pubsub %d 0 0" % BUFFER_BYTES
        refuse_errors(spawned.address, control.call(b"CONFIG", b"SET", b"client-output-buffer-limit", limit))
        name = admission.target.name
        yield (
            RealStore(name, spawned.version, admission.dialect, spawned.address, BUFFER_BYTES, True),
            admission.note,
        )


@contextmanager
def _ours(binary: ServerBinary) -> Iterator[SpawnedServer]:
    try:
        clock: VirtualClock | None = VirtualClock()
    except ClockUnavailable:
        clock = None
    try:
        with SpawnedServer(binary, clock=clock) as server:
            yield server
    finally:
        if clock is not None:
            clock.close()


@contextmanager
def _theirs(address: Address, dialect: str, flush: bool) -> Iterator[RealStore]:
    with Connection(address) as control:
        said = parse(control.call(b"CONFIG", b"GET", b"client-output-buffer-limit"))
        limit = _pubsub_limit(said)
        if not 0 < limit <= BUFFER_BYTES_MAX:
            raise RealServerError(
                f"{address} keeps {limit or 'any number of'} bytes for a slow subscriber (client-output-buffer-limit "
                f"pubsub): too many to fill; set it to {BUFFER_BYTES_MAX} at most"
            )
        identity = admitted(control, (), flush=flush)
        try:
            yield RealStore(str(address), identity.version, dialect, address, limit, False)
        finally:
            with suppress(RealServerError):
                control.call(b"FLUSHDB")  # it was empty, or may be emptied: what is there now is ours


def _pubsub_limit(said: object) -> int:
    """The hard limit for subscribers, out of CONFIG GET's answer."""
    if isinstance(said, list) and len(said) == 2 and isinstance(said[1], bytes):
        words = said[1].split()
        if b"pubsub" in words:
            return int(words[words.index(b"pubsub") + 1])
    raise RealServerError("CONFIG GET client-output-buffer-limit is refused: the comparison needs that limit")


def _value(reply: bytes) -> object:
    value = parse(reply)
    if isinstance(value, Error):
        raise RealServerError(f"the comparison's own command was refused: {value.decode(errors='replace')}")
    return value
