"""What may be left of a server when it is gone: its last states, as whoever follows it may have them.

The newest is what a copy has that heard everything that was told; those before it lack the last units, one each. How
many may be lacking is the lag that was declared. Which of them it is in the end, chance says: whoever runs the world.
"""

from __future__ import annotations

from collections.abc import Iterable

from .durability import copy_of, load_snapshot, obey, restarted_of, snapshot_of
from .facts import Fact
from .journal import DISK, REPLICA, REPLICAS, SNAPSHOT, Journal, Unit
from .rewinding import take_place
from .server import NOBODY, Server

RESTART, FAILOVER, FROM_SNAPSHOT = "restart", "failover", "snapshot"
"""How a server is lost, and what stands in its place."""


class Survivors:
    """The states in which a copy of a server may be found, the oldest first."""

    __slots__ = ("acknowledged", "cut_at", "cut_until_ms", "lag", "states", "told", "who")

    def __init__(self, lag: int, states: Iterable[Server], *, who: str) -> None:
        self.lag = lag
        """How many units may be lacking at most, unless it is cut off."""
        self.states: list[Server] = list(states)
        """They are never changed: what comes later is made of a fork."""
        self.who = who
        """A file, a replica, or snapshots that may have been taken at any time."""
        self.told = 0
        """How much was told, in units."""
        self.acknowledged = 0
        """Up to where it has said that it has it."""
        self.cut_until_ms: int | None = None
        """Until when nothing reaches it; ``None``: it is not cut off."""
        self.cut_at = 0
        """How much had been told when it was cut off."""

    def fork(self) -> Survivors:
        """Independent ones; the states are shared."""
        twin = Survivors(self.lag, self.states, who=self.who)
        twin.told, twin.acknowledged = self.told, self.acknowledged
        twin.cut_until_ms, twin.cut_at = self.cut_until_ms, self.cut_at
        return twin

    def cut_off(self, until_ms: int) -> None:
        """Nothing reaches it until then: it lacks all that is told meanwhile, and does not answer."""
        if self.cut_until_ms is None:
            self.cut_at = self.told
        self.cut_until_ms = max(until_ms, self.cut_until_ms or until_ms)

    def lacks_for_sure(self, now_ms: int) -> int:
        """How many units it cannot have: what was told since it was cut off."""
        return 0 if self.reach(now_ms) else self.told - self.cut_at

    def reach(self, now_ms: int) -> bool:
        """Whether something reaches it now; where it was cut off until now it lags no more than usual."""
        if self.cut_until_ms is not None:
            if now_ms < self.cut_until_ms:
                return False
            self.cut_until_ms = None
            del self.states[: -self.lag - 1]
        return True

    def ask(self, now_ms: int) -> None:
        """It is asked what it has; where the question reaches it, it has everything that was told before."""
        if self.who != SNAPSHOT and self.reach(now_ms):
            self.acknowledged = self.told
            del self.states[:-1]

    def hear(self, units: Iterable[Unit], server: Server) -> None:
        """Something was told: there is one more state, and the oldest is past. ``server`` is who told it."""
        for unit in units:
            reached = self.reach(unit.at_ms)
            self.told += 1
            if self.who == SNAPSHOT:
                self.states.append(copy_of(server).server)
            else:
                self.states.append(self.states[-1].fork())
                obey(self.states[-1], unit, unit.at_ms)
            if reached:
                del self.states[: -self.lag - 1]


def follow(server: Server, who: str, lag: int) -> None:
    """From now on a file or a replica follows a server, lacking ``lag`` units at most; now it has everything."""
    server.journal = Journal(REPLICAS if who == REPLICA else DISK)
    server.survivors = Survivors(lag, [copy_of(server).server], who=who)


def lose(server: Server, cause: str, lacking: int, now_ms: int) -> tuple[Fact, ...]:
    """The server is gone, with all connections; in its place is what survived, under the same name.

    ``lacking`` is how many units are lost (at most those that may be), -1: everything. ``cause`` is ``restart``,
    from the file at ``now_ms``, ``snapshot``, from that, or ``failover`` to the replica. Whoever followed it follows
    the new one.
    """
    survivors, journal = server.survivors, server.journal
    if lacking < 0:
        after = Server(server.dialect, server.config)
    else:
        assert survivors is not None, "somebody follows a server of which something survives"
        survivors.reach(now_ms)
        states = survivors.states
        state = states[len(states) - 1 - min(lacking, len(states) - 1)]
        if survivors.who == SNAPSHOT:
            saved = server if not lacking else state  # the last one may have been taken just now
            after = load_snapshot(snapshot_of(saved), server.dialect, server.config, now_ms)
        else:
            after = restarted_of(state, now_ms) if cause == RESTART else state.fork()
        after.obeys = False
    facts = take_place(server, after, cause)
    server.databases, server.sessions, server.pubsub = after.databases, {}, NOBODY
    server.deadlines_changed()
    server.resume(after.counters()[0], server.counters()[1])
    server.select(0)
    if survivors is not None and journal is not None:
        server.journal = journal.empty()
        server.survivors = Survivors(survivors.lag, [copy_of(server).server], who=survivors.who)
    return facts
