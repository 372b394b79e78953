"""A Redis server as a value: keys, sessions, and who waits for what.

``execute`` runs one command and returns its reply and its facts. Time is an argument; nothing here
reads a clock. Clients that a command wakes are served after it, in the order in which they blocked;
their replies are collected by ``take_served``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from .blocking import Served
from .commands import table_beside
from .commands.call import Call, Command, CommandError, failure, shown
from .commands.pubsub import SUBSCRIBER_COMMANDS
from .commands.table import EVERY, commands_of, subcommands_of
from .commands.transactions import refuse
from .commands.waking import run_again, serve
from .databases import Database
from .dialects import DIALECTS, Dialect
from .facts import Fact, SubscriberDropped
from .followed import Followed
from .journal import Journal, Told, expired
from .propagation import as_served, told
from .pubsub import Limits, PubSub, Subscriber
from .replies import QUEUED, Failure, Push, Reply, encode
from .session import Session

__all__ = ["Config", "Served", "Server"]

_TABLES: dict[str, tuple[dict[bytes, Command], dict[bytes, dict[bytes, Command]]]] = {}
"""The resolved command table of each dialect: derived from constants, so a cache and no state."""


NOBODY: Final = PubSub()
"""Nobody is subscribed to anything; never changed."""

READ_LINES_MAX = 1024


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of a server that commands depend on; the defaults are Redis's."""

    stream_node_max_bytes: int = 4096
    stream_node_max_entries: int = 100
    stream_idmp_duration_s: int = 100
    stream_idmp_maxsize: int = 100
    active_expire: bool = True
    """Whether the server finds keys whose time is over by itself; ``DEBUG SET-ACTIVE-EXPIRE`` sets that."""

    pubsub_limits: Limits = field(default_factory=Limits)


class Server(Followed):
    """The model of one server. ``fork`` gives an independent copy at the cost of what changes later."""

    __slots__ = (
        "_next_session", "_subcommands", "_table", "config", "journal", "pubsub", "read_lines",
    )

    def __init__(
        self, dialect: Dialect | str, config: Config | None = None, databases: dict[int, Database] | None = None
    ) -> None:
        super().__init__(DIALECTS[dialect] if isinstance(dialect, str) else dialect, databases)
        self.config = config or Config()
        self.read_lines: dict[tuple[bytes, ...], Any] = {}
        """What lines of XREAD and XREADGROUP mean: remembered, and no state."""
        self._next_session = 1
        self.pubsub = NOBODY
        self.journal: Journal | None = None
        """Where commands tell what they changed; ``None`` where nobody keeps a copy of this server."""
        if self.dialect.name not in _TABLES:
            table = commands_of(self.dialect, (*EVERY, *table_beside.ROWS))
            _TABLES[self.dialect.name] = table, {n: subcommands_of(c) for n, c in table.items()}
        self._table, self._subcommands = _TABLES[self.dialect.name]

    def fork(self) -> Server:
        """An independent copy, sessions and blocked clients included."""
        assert not self._ready, "fork between commands"
        assert not self._served, "fork when what was served has been taken"
        databases = {index: database.fork() for index, database in self.databases.items()}
        twin = Server(self.dialect, self.config, databases)
        twin.read_lines = self.read_lines
        twin.sessions = {sid: session.copy() for sid, session in self.sessions.items()}
        if self.pubsub.subscribers:
            twin.pubsub = self.pubsub.fork()
        if self.journal is not None:
            assert not self.journal.units, "fork when what was told has been taken"
            twin.journal = self.journal.empty()
        if self.survivors is not None:
            twin.survivors = self.survivors.fork()
        twin.obeys = self.obeys
        twin._births = self._births
        twin._next_session = self._next_session
        return twin

    # -- sessions -------------------------------------------------------------------------------

    def open(self, resp: int = 2) -> int:
        """A new connection, speaking RESP2 or RESP3; returns its session number."""
        session_id = self._next_session
        self._next_session += 1
        self.sessions[session_id] = Session(session_id, resp)
        return session_id

    def adopt(self, session_id: int, resp: int = 3) -> None:
        """A connection that is there already, idle, under a number of its own."""
        assert session_id not in self.sessions
        self.sessions[session_id] = Session(session_id, resp)

    def close(self, session_id: int) -> None:
        """The connection is gone; a read that it was blocked in is given up. It may have gone with a server before."""
        session = self.sessions.pop(session_id, None)
        if session is None:
            return
        if session.wait is not None:
            self.unblock(session)
        if session.watched is not None:
            self.unwatch(session)
        for pattern in (False, True):
            for name in self.pubsub.names(session_id, pattern=pattern):
                self.pubsub.remove(session_id, name, pattern=pattern)

    def lose(self, cause: str, lacking: int, now_ms: int) -> tuple[Fact, ...]:
        """The server is gone, and what survived stands in its place (``survivors.lose``)."""
        from .survivors import lose

        return lose(self, cause, lacking, now_ms)

    # -- time -----------------------------------------------------------------------------------

    def next_deadline(self) -> int | None:
        """When time alone does something next: a blocked session gives up, or an awaited key goes.

        A server looks for keys whose time is over ten times a second. Only one thing shows when it finds one:
        XREADGROUP that is blocked on it is told. The model finds it as soon as its time is over.
        """
        first = super().next_deadline()
        if self.config.active_expire and any(database.expires for database in self.databases.values()):
            for at_ms, _, _ in self._awaited_ends():
                first = at_ms + 1 if first is None else min(first, at_ms + 1)
        return first

    def expire(self, now_ms: int) -> None:
        """Removes awaited keys whose time is over, then answers those who have waited for too long."""
        if self.config.active_expire:
            facts: list[Fact] = []
            for at_ms, index, key in self._awaited_ends():
                if at_ms < now_ms:
                    self.select(index)
                    self.expire_key(key, now_ms, facts, "cycle")
                    if self.journal is not None:
                        self.journal.add([Told(index, expired(self.dialect, key))])
                        self._close_unit(now_ms)
            if facts:
                told = len(self._served)
                self._serve_ready(now_ms)
                first = self._served[told]
                self._served[told] = first._replace(facts=(*facts, *first.facts))
        super().expire(now_ms)

    def _awaited_ends(self) -> list[tuple[int, int, bytes]]:
        """When keys go that XREADGROUP is blocked on, where that wakes it: the time, the database, the key."""
        if not self.dialect.blocked_notices_deletion:
            return []
        return sorted(
            (database.expires[key], index, key)
            for index, database in self.databases.items()
            if database.expires
            for key, queue in database.waiting.items()
            if key in database.expires and any(self._reads_in_group(session) for session in queue)
        )

    def _reads_in_group(self, session_id: int) -> bool:
        wait = self.sessions[session_id].wait
        return wait is not None and wait.group is not None

    # -- subscribers ----------------------------------------------------------------------------

    def own_pubsub(self) -> PubSub:
        """The subscriptions, for a change: as long as there are none, all servers share one such."""
        if self.pubsub is NOBODY:
            self.pubsub = PubSub()
        return self.pubsub

    def push(self, session_id: int, message: Push, now_ms: int) -> None:
        """Sends a message to a subscriber, unless it is about to be dropped; ``take_served`` hands it out."""
        subscriber = self.pubsub.subscribers[session_id]
        if not subscriber.dropped:
            self._served.append(Served(session_id, message, ()))
            if subscriber.unread_bytes is not None:
                size = len(encode(message, self.sessions[session_id].resp))
                subscriber.holds_up(size, self.config.pubsub_limits, now_ms)

    def stop_reading(self, session_id: int) -> None:
        """A subscriber reads nothing from now on: what is published for it piles up."""
        self._subscriber(session_id).unread_bytes = 0

    def read(self, session_id: int, size: int) -> None:
        """A subscriber that had stopped reads so many bytes."""
        self._subscriber(session_id).reads(size, self.config.pubsub_limits)

    def go_on_reading(self, session_id: int) -> None:
        """A subscriber reads everything that there is, and whatever comes."""
        subscriber = self._subscriber(session_id)
        subscriber.unread_bytes = subscriber.soft_since_ms = None

    def drop_slow_subscribers(self, facts: list[Fact]) -> None:
        """Closes the connections of those who went past a limit; what they had not read is lost."""
        for session_id, subscriber in sorted(self.pubsub.subscribers.items()):
            if subscriber.dropped:
                assert subscriber.unread_bytes is not None
                facts.append(SubscriberDropped(session_id, subscriber.unread_bytes, subscriber.dropped))
                self.close(session_id)

    def _subscriber(self, session_id: int) -> Subscriber:
        subscriber = self.pubsub.subscribers.get(session_id)
        assert subscriber is not None, f"session {session_id} is subscribed to nothing"
        return subscriber

    # -- commands -------------------------------------------------------------------------------

    def execute(self, session_id: int, argv: Sequence[bytes], now_ms: int) -> tuple[Reply, tuple[Fact, ...]]:
        """Runs one command at ``now_ms`` (the server's clock) and returns its reply and its facts.

        The reply is ``BLOCKED`` where the session now waits. Sessions that the command woke are served
        right after it; ask ``take_served`` for them.
        """
        session = self.sessions[session_id]
        assert session.wait is None, "a blocked connection sends nothing that the server would read"
        facts: list[Fact] = []
        command = self._table.get(argv[0])  # spelt in capitals, mostly
        if command is None or command.subcommands or not command.argc_min <= len(argv) <= command.argc_max:
            found = self._find(argv)
            if isinstance(found, Failure):
                return refuse(self, session, argv, found), ()
            command = found
        if session.apart:
            if session.subscriptions and session.resp == 2 and command.name not in SUBSCRIBER_COMMANDS:
                return refuse(self, session, argv, self._not_as_subscriber(argv, command)), ()
            self.select(session.database)
        if session.queue is None or "no-multi" in command.flags:
            call = Call(self, session, argv, now_ms, facts, command, session.queue is None)
            try:
                reply = command.run(call)
            except CommandError as error:
                reply = error.reply
            if self.journal is not None:
                self._tell(call, reply)
        else:
            session.queue.append(tuple(argv))
            reply = QUEUED
        if self._ready:
            self._serve_ready(now_ms)
        elif self.selected:
            self.select(0)
        return reply, tuple(facts)

    def run(self, session: Session, argv: Sequence[bytes], now_ms: int, facts: list[Fact], *, may_block: bool) -> Reply:
        """Runs a command that was accepted before: what EXEC and a woken read do."""
        command = self.command_of(argv)
        call = Call(self, session, argv, now_ms, facts, command, may_block)
        before = len(facts)
        try:
            reply = command.run(call)
        except CommandError as error:
            reply = error.reply
        if self.journal is not None:
            self.journal.add(told(call, reply, facts[before:]))
        return reply

    def _tell(self, call: Call, reply: Reply) -> None:
        """Notes what a command, or the transaction that it ended, told."""
        journal = self.journal
        assert journal is not None
        transaction = call.argv[0] if call.command.name == "EXEC" else b""
        if not transaction:
            journal.add(told(call, reply, call.facts))
        self._close_unit(call.now_ms, transaction, call.session)

    def _close_unit(self, now_ms: int, transaction: bytes = b"", session: Session | None = None) -> None:
        """What was noted since the last time takes effect as a whole, and is heard; ``session`` is who did it."""
        assert self.journal is not None
        self.journal.close(self.dialect, now_ms, transaction)
        left = self.survivors
        if left is not None:
            before = left.told
            left.hear(self.journal.take(), self)
            if session is not None and (self.dialect.reads_await or left.told != before):
                session.told = left.told

    def _not_as_subscriber(self, argv: Sequence[bytes], command: Command) -> Failure:
        name = argv[0].lower()
        if self._table[argv[0].upper()].subcommands:
            name += b"|" + command.name.lower().encode()
        return failure(self.dialect.subscriber_text % shown(name))

    def _serve(self, session: Session, key: bytes, now_ms: int, facts: list[Fact]) -> Reply:
        journal, wait = self.journal, session.wait
        if self.dialect.blocked_reexecutes:
            reply = run_again(self, session, key, now_ms, facts)
        else:
            reply = serve(self, session, key, now_ms, facts)
        if journal is not None:
            assert wait is not None
            if not self.dialect.blocked_reexecutes:
                argv = as_served(wait.argv)
                call = Call(self, session, argv, now_ms, facts, self.command_of(argv), may_block=False)
                journal.add(told(call, reply, facts))
            self._close_unit(now_ms, session=session if self.dialect.blocked_reexecutes else None)
        return reply

    def _find(self, argv: Sequence[bytes]) -> Command | Failure:
        """The row of the table that a command line means, or the error that it gets instead."""
        name = argv[0].upper()
        command = self._table.get(name)
        if command is None:
            return _unknown(argv, self.dialect)
        if command.subcommands and len(argv) > 1:
            subcommands = self._subcommands[name]
            container = command
            command = subcommands.get(argv[1].upper())
            if command is None:
                text = b"ERR unknown subcommand '%b'. Try %b HELP."
                return failure(text % (shown(argv[1])[:128], container.name.encode()))
            if not command.argc_min <= len(argv) <= command.argc_max:
                return _wrong_arity(argv[0].lower() + b"|" + argv[1].lower())
        elif not command.argc_min <= len(argv) <= command.argc_max:
            return _wrong_arity(argv[0].lower())
        return command

    def command_of(self, argv: Sequence[bytes]) -> Command:
        """The row of a command line that was accepted before."""
        command = self._find(argv)
        assert isinstance(command, Command), "only commands that exist are queued, or block"
        return command

    def remember_line(self, line: tuple[bytes, ...], meaning: Any) -> None:
        """Keeps what a line of XREAD or XREADGROUP means; not too many of them."""
        if len(self.read_lines) >= READ_LINES_MAX:
            self.read_lines.clear()
        self.read_lines[line] = meaning

    def counters(self) -> tuple[int, int]:
        """How many births and sessions there were: what the next ones will be called."""
        return (self._births, self._next_session)

    def resume(self, births: int, next_session: int | None = None) -> None:
        """Goes on counting where another server stopped."""
        self._births = births
        self._next_session = max([*self.sessions, 0]) + 1 if next_session is None else next_session


def _wrong_arity(name: bytes) -> Failure:
    return Failure(b"ERR wrong number of arguments for '%b' command" % name)


def _unknown(argv: Sequence[bytes], dialect: Dialect) -> Failure:
    """The error for a command that there is not; it quotes up to 128 bytes of arguments."""
    form = b"'%b' " if dialect.new_error_texts else b"`%b`, "
    arguments = b""
    for argument in argv[1:]:
        if len(arguments) >= 128:
            break
        arguments += form % shown(argument)[: 128 - len(arguments)]
    name = shown(argv[0])
    text = b"'%b'" % name[:128] if dialect.new_error_texts else b"`%b`" % name
    if not arguments and dialect.unknown_alone_is_bare:
        return failure(b"ERR unknown command " + text)
    return failure(b"ERR unknown command " + text + b", with args beginning with: " + arguments)
