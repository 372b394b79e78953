"""The model follows a real server: it runs what the server ran, so that there are facts, and tells where they part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ...models.commands import table_beside
from ...models.commands.call import Command
from ...models.commands.table import TABLE, commands_of, subcommands_of
from ...models.dialects import Dialect
from ...models.facts import Fact
from ...models.replies import NIL, NIL_ARRAY, Blocked, Failure, Nil, Push, Reply, encode
from ...models.server import Server
from ...models.session import Session
from ..real import values
from ..wire import simulating
from ..wire.recording import Recorder
from .heard import given_ms, heard, with_given_id

if TYPE_CHECKING:
    from .proxy import Proxy

DIFFERENCES_KEPT = 20
"""So many differences are told; the rest is counted."""

BESIDE = frozenset({
    b"ACL", b"AUTH", b"CLIENT", b"COMMAND", b"CONFIG", b"DBSIZE", b"DEBUG", b"ECHO", b"HELLO", b"INFO", b"LATENCY",
    b"LASTSAVE", b"MEMORY", b"MODULE", b"OBJECT", b"PING", b"QUIT", b"ROLE", b"SLOWLOG", b"TIME", b"WAIT", b"WAITAOF",
})  # fmt: skip
"""Commands that change no keys: the model need not know them to follow."""

RUN_BY_MODEL = frozenset({b"CLIENT", b"HELLO"})
"""Of those, what the model runs nevertheless: its history calls processes as their connections are called."""

READS = frozenset({"XREAD", "XREADGROUP"})
"""They block where they are told to."""

SIMULATION = tuple(row for row in simulating.ROWS if row.name in ("SIM.FAULT", "SIM.HISTORY", "SIM.CHECK"))


class Difference(NamedTuple):
    """A command that the server answered otherwise than the model, each reply on one line."""

    nth: int
    command: str
    model: str
    server: str


class Client(Protocol):
    """A connection, as the model knows it."""

    session: Session


class Shadow(Server):
    """The model that follows, with the commands by which a test holds the proxy in its hand."""

    __slots__ = ("host",)

    host: Proxy

    def __init__(self, dialect: Dialect | str) -> None:
        super().__init__(dialect)
        rows: tuple[Command, ...] = (*TABLE, *table_beside.ROWS, *SIMULATION)
        self._table = commands_of(self.dialect, rows)
        self._subcommands = {name: subcommands_of(command) for name, command in self._table.items()}

    def known(self, name: bytes) -> Command | None:
        """The command of a name in capitals; ``None`` where the model has none such."""
        return self._table.get(name)


class Follower:
    """Runs after a real server, command by command, and writes down what happened.

    ``epoch_ms`` is what the server's clock shows at the beginning.
    """

    def __init__(self, dialect: str, epoch_ms: int, source: str) -> None:
        self.model = Shadow(dialect)
        self.recorder = Recorder(dialect, epoch_ms, source)
        self.now_ms = epoch_ms
        self.commands = 0
        self.differences: list[Difference] = []
        self.differing = 0
        """How many there were, told or not."""
        self.unfollowed: dict[str, int] = {}
        """Commands that the model does not know, and how often they came."""
        self._clients: dict[int, Client] = {}
        self._expected: dict[int, tuple[bytes, Reply]] = {}
        """By session: what the server is to answer to a command that was blocked; and to which."""
        self._early: dict[int, tuple[Reply, tuple[Fact, ...]]] = {}

    def joined(self, client: Client) -> None:
        """A connection was made; its session begins."""
        client.session = self.model.sessions[self.model.open()]
        self._clients[client.session.id] = client

    def left(self, client: Client, now_ms: int) -> None:
        """A connection is gone."""
        number = client.session.id
        self._clients.pop(number, None)
        self._expected.pop(number, None)
        self._early.pop(number, None)
        self.recorder.closed(client, self._time(now_ms))
        self.model.close(number)

    def begins(self, client: Client, argv: Sequence[bytes], now_ms: int) -> bool:
        """A command is about to be sent; whether the server is going to keep its reply, because it blocks.

        A command that may block runs on the model now: everything before it has been answered.
        """
        command = self.model.known(argv[0].upper())
        may_block = command is not None and ("blocking" in command.flags or command.name in READS)
        if not may_block or client.session.queue is not None:
            return False
        reply, facts = self.model.execute(client.session.id, argv, self._time(now_ms))
        if not isinstance(reply, Blocked):
            self._early[client.session.id] = reply, facts
            return False
        self.commands += 1
        self.recorder.effect(client, argv, None, reply, facts, self.now_ms)
        return True

    def ran(self, client: Client, argv: Sequence[bytes], frame: bytes, now_ms: int) -> None:
        """The server answered a command."""
        self.commands += 1
        session, name, said = client.session, argv[0].upper(), heard(frame)
        queue = session.queue
        early = self._early.pop(session.id, None)
        if name == b"XADD":
            now_ms = max(now_ms, given_ms(said))
        now_ms = self._time(now_ms)
        command = self.model.known(name)
        if command is None or name in BESIDE:
            self._beside(client, argv, said)
            return
        if isinstance(said, Failure) and early is None and name not in (b"EXEC", b"DISCARD"):
            session.broken = session.broken or queue is not None
            self.recorder.effect(client, argv, queue, said, (), now_ms)
            return
        if early is None:
            line = with_given_id(argv, said)
            if name == b"EXEC" and queue is not None and isinstance(said, tuple) and len(said) == len(queue):
                queue[:] = [tuple(with_given_id(a, r)) for a, r in zip(queue, said, strict=True)]
            early = self.model.execute(session.id, line, now_ms)
        reply, facts = early
        self.recorder.effect(client, argv, queue, said, facts, now_ms)
        if (queue is None and "write" in command.flags) or name == b"EXEC":
            self._compare(argv, reply, frame, session.resp)
        self._hand_out()

    def answered(self, client: Client, argv: Sequence[bytes], frame: bytes, now_ms: int) -> None:
        """The server answered a command that was blocked."""
        session = client.session
        if session.id in self._expected:
            expected, _ = self._expected.pop(session.id)
            if expected != frame:
                self._note(argv, expected, frame)
            return
        said = heard(frame)
        if session.wait is not None:
            self.model.answer_blocked(session, said)
            self.model.take_served()
        self.recorder.served(client, said, (), self._time(now_ms))
        if not isinstance(said, (Nil, Failure)):
            self._note(argv, encode(NIL_ARRAY, session.resp), frame)

    def simulated(self, client: Client, argv: Sequence[bytes]) -> bytes:
        """What the proxy itself answers to a SIM command."""
        reply, _ = self.model.execute(client.session.id, argv, self.now_ms)
        return encode(reply, client.session.resp)

    def _time(self, now_ms: int) -> int:
        """The server's time, which does not go back here: it is told from without, to the millisecond at best."""
        self.now_ms = max(self.now_ms, now_ms)
        return self.now_ms

    def _beside(self, client: Client, argv: Sequence[bytes], said: Reply) -> None:
        """What changes no keys is not written down: clients ask about themselves each time that they connect."""
        name, session = argv[0].upper(), client.session
        if session.queue is not None:
            if not isinstance(said, Failure):
                session.queue.append(tuple(argv))
        elif name in RUN_BY_MODEL and not isinstance(said, Failure):
            self.model.execute(session.id, argv, self.now_ms)
        elif name not in BESIDE:
            word = name.decode(errors="backslashreplace")
            self.unfollowed[word] = self.unfollowed.get(word, 0) + 1
            self.recorder.effect(client, argv, None, said, (), self.now_ms)

    def _hand_out(self) -> None:
        for number, reply, facts in self.model.take_served():
            client = self._clients.get(number)
            if client is None or isinstance(reply, Push):
                continue
            self.recorder.served(client, reply, facts, self.now_ms)
            self._expected[number] = encode(reply, client.session.resp), reply

    def _compare(self, argv: Sequence[bytes], reply: Reply, frame: bytes, resp: int) -> None:
        mine = encode(reply, resp)
        if mine != frame and not (isinstance(reply, Nil) and heard(frame) in (NIL, NIL_ARRAY)):
            self._note(argv, mine, frame)

    def _note(self, argv: Sequence[bytes], mine: bytes, frame: bytes) -> None:
        self.differing += 1
        if len(self.differences) < DIFFERENCES_KEPT:
            words = " ".join(word.decode(errors="backslashreplace") for word in argv)
            self.differences.append(
                Difference(self.commands, words, values.show(values.parse(mine)), values.show(values.parse(frame)))
            )
