"""A history from what MONITOR showed: the model runs the log again, at the times that stand there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...models.commands import table_beside
from ...models.commands.table import TABLE, commands_of, subcommands_of
from ...models.dialects import Dialect
from ...models.replies import Blocked, Failure, Push
from ...models.server import Server
from ...models.session import Session
from ..errors import BadInput
from ..wire.recording import Recorder
from .given_ids import GivenIds, last_id_of
from .monitor_lines import SCRIPT, Line
from .snapshot import Snapshot

BESIDE = frozenset({
    b"AUTH", b"CLIENT", b"COMMAND", b"CONFIG", b"HELLO", b"INFO", b"OBJECT", b"PING", b"QUIT", b"RESET",
})  # fmt: skip
"""What changes no keys."""

SCRIPTS = frozenset({b"EVAL", b"EVALSHA", b"EVAL_RO", b"EVALSHA_RO", b"FCALL", b"FCALL_RO"})
"""What a script sends stands in lines of its own."""


class Playing(Server):
    """The model with those commands beside streams that it knows."""

    __slots__ = ()

    def __init__(self, dialect: Dialect | str) -> None:
        super().__init__(dialect)
        self._table = commands_of(self.dialect, (*TABLE, *table_beside.ROWS))
        self._subcommands = {name: subcommands_of(command) for name, command in self._table.items()}

    def knows(self, name: bytes) -> bool:
        """Whether there is a command of this name in capitals."""
        return name in self._table


class Source:
    """A client of the log: ``session`` is its own on the model."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.queued: list[tuple[bytes, ...]] | None = None
        """Commands of a transaction whose EXEC is still to come."""


class Postmortem:
    """Runs lines of MONITOR on the model; ``recorder`` holds what happened.

    MONITOR shows commands and no answers. So the answers are the model's, a reader that was cut off while it was
    blocked is not noticed before its address comes again, and what was there before is what the snapshots say.
    """

    def __init__(self, dialect: str, before: Sequence[Snapshot], epoch_ms: int, given: GivenIds) -> None:
        self.model = Playing(dialect)
        self._given = given
        self.recorder = Recorder(dialect, epoch_ms, "monitor")
        self.commands = 0
        self.refused = 0
        """How many commands the model answered with an error."""
        self.unfollowed: dict[str, int] = {}
        self._sources: dict[str, Source] = {}
        self._own = self.model.open(3)
        for snapshot in before:
            for argv in snapshot.commands():
                reply, facts = self.model.execute(self._own, argv, epoch_ms)
                if isinstance(reply, Failure):
                    text = reply.text.decode(errors="backslashreplace")
                    raise BadInput(f"{snapshot.name} does not fit {dialect}: {argv[0].decode()} answers {text}")
                self.recorder.effect(self._source_of("snapshot"), argv, None, reply, facts, epoch_ms)

    def play(self, lines: Iterable[Line]) -> None:
        """Runs the lines, in their order."""
        for line in lines:
            self._expire(line.at_ms)
            self._run(line)

    def differences(self, after: Sequence[Snapshot], now_ms: int) -> list[str]:
        """Where the model is not what snapshots say that the server was at the end."""
        return [text for snapshot in after for text in snapshot.differences(self.model, self._own, now_ms)]

    def _run(self, line: Line) -> None:
        source, name = self._source_of(line.source), line.argv[0].upper()
        if source.session.wait is not None:
            source = self._again(line.source, line.at_ms)
        if source.session.database != line.database:
            self.model.execute(source.session.id, (b"SELECT", b"%d" % line.database), line.at_ms)
        self._name(source, line.argv)
        if name == b"MULTI":
            source.queued = []
        elif name == b"DISCARD":
            source.queued = None
        elif name == b"EXEC":
            self._transaction(source, line)
        elif name in SCRIPTS or name in BESIDE:
            pass
        elif not self.model.knows(name):
            word = name.decode(errors="backslashreplace")
            self.unfollowed[word] = self.unfollowed.get(word, 0) + 1
        elif source.queued is not None:
            source.queued.append(line.argv)
        else:
            argv = line.argv
            if name == b"XADD" and len(argv) > 1:
                argv, _ = self._given.settle(argv, self._last_id(line.database, argv[1]), line.at_ms)
            self._effect(source, argv, line.at_ms)

    def _transaction(self, source: Source, line: Line) -> None:
        queued, source.queued = source.queued, None
        if not queued:
            return
        self.model.execute(source.session.id, (b"MULTI",), line.at_ms)
        lasts: dict[bytes, int] = {}
        for argv in queued:
            last = lasts.get(argv[1], self._last_id(line.database, argv[1])) if len(argv) > 1 else 0
            settled, last = self._given.settle(argv, last, line.at_ms)
            lasts[argv[1] if len(argv) > 1 else b""] = last
            self.model.execute(source.session.id, settled, line.at_ms)
        self._effect(source, line.argv, line.at_ms)

    def _last_id(self, database: int, key: bytes) -> int:
        there = self.model.databases.get(database)
        return last_id_of(there.keys.get(key)) if there is not None else 0

    def _effect(self, source: Source, argv: tuple[bytes, ...], now_ms: int) -> None:
        self.commands += 1
        queue = source.session.queue
        reply, facts = self.model.execute(source.session.id, argv, now_ms)
        self.refused += isinstance(reply, Failure)
        if isinstance(reply, Blocked) and source is self._sources.get(SCRIPT):
            self.model.unblock(source.session)  # a script is never blocked
            return
        self.recorder.effect(source, argv, queue, reply, facts, now_ms)
        self._hand_out(now_ms)

    def _expire(self, now_ms: int) -> None:
        while (deadline_ms := self.model.next_deadline()) is not None and deadline_ms <= now_ms:
            self.model.expire(deadline_ms)
            self._hand_out(deadline_ms)

    def _hand_out(self, now_ms: int) -> None:
        by_session = {source.session.id: source for source in self._sources.values()}
        for number, reply, facts in self.model.take_served():
            if number in by_session and not isinstance(reply, Push):
                self.recorder.served(by_session[number], reply, facts, now_ms)

    def _source_of(self, address: str) -> Source:
        source = self._sources.get(address)
        if source is None:
            session = self.model.sessions[self.model.open()]
            session.name = address.replace(" ", "-").encode()
            source = self._sources[address] = Source(session)
        return source

    def _again(self, address: str, now_ms: int) -> Source:
        """The address belongs to another connection now: who is blocked sends nothing."""
        old = self._sources.pop(address)
        self.recorder.closed(old, now_ms)
        self.model.close(old.session.id)
        source = self._source_of(address)
        source.session.name = old.session.name
        return source

    def _name(self, source: Source, argv: tuple[bytes, ...]) -> None:
        words = [word.upper() for word in argv]
        if words[:2] == [b"CLIENT", b"SETNAME"] and len(argv) == 3 and argv[2]:
            source.session.name = argv[2]
        elif words[0] == b"HELLO" and b"SETNAME" in words[:-1]:
            source.session.name = argv[words.index(b"SETNAME") + 1]
