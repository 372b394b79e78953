"""What survives a server: copies of it that follow what it tells, and what they are when they take its place.

A copy is the model itself, fed with a prefix of what the server told: a replica, which lags by what is still on its
way, or the append-only file, which holds what was brought to the disk. They differ in what may be missing when the
server is gone. A replica misses any end of the stream. The file misses nothing where only the process died, since a
server writes before it answers; where the power went it misses any end that was not brought to the disk: with
``always`` nothing, with ``everysec`` about a second (two, where the disk is slow), with ``no`` all that the operating
system holds back. A snapshot is a state as it was, and keeps what is never told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .append_only_file import commands, units_of
from .databases import Database, Value
from .dialect import Dialect
from .facts import Fact
from .group import NEVER
from .journal import Unit
from .reload import reloaded
from .server import Config, Server
from .stream import Stream

SYNCED: dict[str, int | None] = {"always": 0, "everysec": 1000, "no": None}
"""After how many milliseconds what was written is on the disk, by ``appendfsync``; ``None``: nobody says."""


class Copy:
    """A server that follows another: what it has taken over, and what is told but has not reached it.

    ``server`` obeys: it removes no key by itself. ``fork`` is as cheap as that of a server.
    """

    __slots__ = ("backlog", "server")

    def __init__(self, server: Server, backlog: Iterable[Unit] = ()) -> None:
        assert server.obeys, "a copy does as it is told"
        self.server = server
        self.backlog: list[Unit] = list(backlog)
        """What it will take over next, oldest first."""

    def fork(self) -> Copy:
        """An independent copy in the same state."""
        return Copy(self.server.fork(), self.backlog)

    def hear(self, units: Iterable[Unit]) -> None:
        """Something was told: it is on its way."""
        self.backlog.extend(units)

    def take_over(self, count: int) -> None:
        """So many units, the oldest, have reached it; each is run at the time at which it was told."""
        for unit in self.backlog[:count]:
            obey(self.server, unit, unit.at_ms)
        del self.backlog[:count]

    def must_have(self, now_ms: int, lag_ms: int | None, lag_units: int | None = None) -> int:
        """How many units of the backlog have reached it for sure, where it lags by so much at most."""
        late = 0
        if lag_ms is not None:
            late = sum(unit.at_ms <= now_ms - lag_ms for unit in self.backlog)
        if lag_units is not None:
            late = max(late, len(self.backlog) - lag_units)
        return late


def copy_of(server: Server) -> Copy:
    """A copy that has all that a server has now: a replica after its first synchronisation.

    That is done by a snapshot, so it has what is never told, too.
    """
    return Copy(load_snapshot(snapshot_of(server), server.dialect, server.config, None))


def obey(server: Server, unit: Unit, now_ms: int) -> tuple[Fact, ...]:
    """Runs a unit on a server that follows another; what it made true there."""
    assert server.obeys, "only a copy does as it is told"
    session = server.open()
    facts: list[Fact] = []
    for told in unit.told:
        server.sessions[session].use(told.database)
        facts.extend(server.execute(session, told.argv, now_ms)[1])
    server.close(session)
    server.take_served()
    return tuple(facts)


def load_file(data: bytes, dialect: Dialect, config: Config, now_ms: int, base: Server | None = None) -> Server:
    """The server that starts at ``now_ms`` from an append-only file; an end that was cut off is left out.

    ``base`` is what the file goes on from, where it begins with a snapshot. Raises ``DamagedFileError``.
    """
    argvs, _ = commands(data)
    return load_units(units_of(argvs), dialect, config, now_ms, base)


def load_units(
    units: Sequence[Unit], dialect: Dialect, config: Config, now_ms: int, base: Server | None = None
) -> Server:
    """The server that starts at ``now_ms`` from what was told: all of it happens then."""
    server = Server(dialect, config) if base is None else base.fork()
    server.journal = None
    server.obeys = True
    for unit in units:
        obey(server, unit, now_ms)
    server.obeys = False
    return server


def snapshot_of(server: Server) -> dict[int, Database]:
    """The databases of a server as a snapshot holds them: values and deadlines, nobody who waits or watches."""
    found: dict[int, Database] = {}
    for index, database in sorted(server.databases.items()):
        twin = database.fork()
        twin.waiting, twin.watchers, twin.claims = {}, {}, {}
        found[index] = twin
    return found


def load_snapshot(
    snapshot: dict[int, Database], dialect: Dialect, config: Config, now_ms: int | None
) -> Server:
    """The server that starts from a snapshot at ``now_ms``: without the keys whose time was over (rdbLoadRio).

    ``None`` makes a replica of it, which keeps them until it is told.
    """
    server = Server(dialect, config)
    for index, database in snapshot.items():
        server.select(index)
        for key, value in database.keys.items():
            deadline_ms = database.expires.get(key)
            if now_ms is not None and deadline_ms is not None and deadline_ms < now_ms:
                continue
            server.keys[key] = _reborn(server, value, dialect)
            if deadline_ms is not None:
                server.expires[key] = deadline_ms
    server.select(0)
    server.obeys = now_ms is None
    return server


def _reborn(server: Server, value: Value, dialect: Dialect) -> Value:
    return server.reborn(reloaded(value, dialect) if isinstance(value, Stream) else value)


def promoted(copy: Copy) -> Server:
    """The server that a replica becomes when it is made the master: what had not reached it is lost."""
    server = copy.server.fork()
    server.obeys = False
    return server


def restarted(copy: Copy, now_ms: int) -> Server:
    """The server that starts at ``now_ms`` from the file that ``copy`` stands for: as if all of it happened then."""
    return restarted_of(copy.server, now_ms)


def restarted_of(state: Server, now_ms: int) -> Server:
    """The server that starts at ``now_ms`` from a file that tells ``state``: its consumers were seen at the load."""
    server = state.fork()
    server.obeys = False
    for database in server.databases.values():
        for key, value in tuple(database.keys.items()):
            if isinstance(value, Stream):
                database.keys[key] = _seen_now(value, server.dialect, now_ms)
    return server


def _seen_now(stream: Stream, dialect: Dialect, now_ms: int) -> Stream:
    stream = stream.copy()
    for name in stream.groups:
        group = stream.group_for_write(name)
        assert group is not None
        for who in group.consumers:
            consumer = group.consumer_for_write(who)
            assert consumer is not None
            consumer.seen_ms = now_ms
            if consumer.active_ms != NEVER:
                consumer.active_ms = now_ms
    return stream
