"""A real replica of a real server, which lags by just so much and takes its place.

Between the two stands a relay that keeps what the server tells. It is passed on unit by unit, each at the time at which
it was told: when the server asks the replica what it has (WAIT) and the question can reach it, and when the replica is
to take over, up to where it is to be. So it never has more than it must have, and may lack as much as it may.
"""

from __future__ import annotations

from ...models.append_only_file import commands, unit_ends
from .connection import Connection, refuse_errors
from .falling import Follower, tick, until
from .identity import information
from .relay import Relay
from .script import Fall
from .spawn import SpawnedServer
from .virtual_clock import VirtualClock

__all__ = ["REPLICATION", "Replica"]

REPLICATION = {
    "repl-timeout": "2000000000", "repl-ping-replica-period": "2000000000", "repl-diskless-sync": "no",
    "repl-diskless-sync-delay": "0",
}  # fmt: skip
"""A clock that jumps breaks no link, and nothing is told that no command told."""

_QUESTION = (b"REPLCONF", b"GETACK", b"*")
_PAUSE_S = 0.002
"""So long, by the real clock, the relay is listened to at a time."""


class Replica(Follower):
    """A replica behind a relay; it is started when it begins to follow, and is the server when that has fallen."""

    def __init__(self, server: SpawnedServer, clock: VirtualClock | None, timeout_s: float) -> None:
        super().__init__(server, clock, timeout_s)
        self._twin: SpawnedServer | None = None
        self._relay: Relay | None = None
        self._at = 0
        """How far the server had told when the replica began to follow."""
        self._told_ms: list[int] = []
        """When each unit that is held was told."""
        self._cut_until_ms: int | None = None

    def follow(self, control: Connection) -> None:
        """A new replica is started and gets all that the server has."""
        self._drop()
        self._control = control
        self._relay = relay = Relay(self.server.address)
        config = {**REPLICATION, "dbfilename": "replica.rdb"}
        self._twin = SpawnedServer(self.server.binary, clock=self._clock, enable_debug=True, config=config)
        self._hears = self._twin.connect(timeout=self._timeout_s)
        refuse_errors(self._twin.address, self._hears.call(b"REPLICAOF", b"127.0.0.1", b"%d" % relay.port))

        def meanwhile() -> None:
            relay.pump(_PAUSE_S)
            tick(self._ticks, control, self._hears)

        until(self._is_level, meanwhile, f"a replica of {self.server.address} does not synchronise with it")
        relay.hold()
        self._at = self._offset(control)
        self._told_ms, self._cut_until_ms = [], None

    def _is_level(self) -> bool:
        """Whether the replica has all that the server told, and both know."""
        said = information(self._hears, "replication")
        if said.get("master_link_status") != "up":
            return False
        mine = information(self._control, "replication")
        first = mine.get("slave0", "")
        return "state=online" in first and said["slave_repl_offset"] == mine["master_repl_offset"]

    @staticmethod
    def _offset(connection: Connection) -> int:
        said = information(connection, "replication")
        return int(said["slave_repl_offset" if said["role"] == "slave" else "master_repl_offset"])

    def hear(self, at_ms: int) -> None:
        """Wait until the relay has got what the step told."""
        relay = self._relay
        if relay is None:
            return
        told = self._offset(self._control) - self._at
        until(
            lambda: relay.heard >= told, lambda: relay.pump(_PAUSE_S),
            f"{self.server.address} does not tell its replica what it has told",
        )  # fmt: skip
        self._note(at_ms)

    def _note(self, at_ms: int) -> None:
        assert self._relay is not None
        units = len(unit_ends(bytes(self._relay.held)))
        self._told_ms += [at_ms] * (units - len(self._told_ms))

    def meanwhile(self, at_ms: int) -> bool:
        """Where the server asks what the replica has, and it can be reached, it gets everything and answers."""
        relay = self._relay
        if relay is None:
            return False
        while relay.pump():
            pass
        if not self._is_reached(at_ms) or _QUESTION not in commands(bytes(relay.held))[0]:
            return False
        self._note(at_ms)
        self._pass_on(len(self._told_ms))
        relay.said.clear()
        has = self._offset(self._hears)
        relay.pass_on(len(relay.held))
        until(
            lambda: any(number >= has for number in _answers(bytes(relay.said))), lambda: relay.pump(_PAUSE_S),
            f"a replica of {self.server.address} does not say what it has",
        )  # fmt: skip
        return True

    def cut(self, until_ms: int) -> None:
        """Nothing reaches it until then, however often it is cut off."""
        self._cut_until_ms = max(until_ms, self._cut_until_ms or until_ms)

    def _is_reached(self, at_ms: int) -> bool:
        if self._cut_until_ms is not None and at_ms >= self._cut_until_ms:
            self._cut_until_ms = None
        return self._cut_until_ms is None

    def _pass_on(self, count: int) -> None:
        """So many units, the oldest, reach the replica; each takes effect at the time at which it was told."""
        assert self._relay is not None
        now_ms = None if self._clock is None else self._clock.now_ms
        for at_ms in self._told_ms[:count]:
            if self._clock is not None:
                self._clock.set(at_ms)
            size = unit_ends(bytes(self._relay.held))[0]
            has = self._offset(self._hears) + size
            self._relay.pass_on(size)
            self._has_taken(has)
        del self._told_ms[:count]
        if self._clock is not None and now_ms is not None:
            self._clock.set(now_ms)

    def _has_taken(self, offset: int) -> None:
        until(
            lambda: self._offset(self._hears) >= offset, lambda: None,
            f"a replica of {self.server.address} does not take what it is told",
        )  # fmt: skip

    def fall(self, step: Fall) -> Connection:
        """The replica takes over, with all but the units that are lost; the server is gone."""
        if step.lacking < 0:
            self._drop()
            return self._empty()
        if self._twin is None or self._relay is None:
            raise ValueError("a replica takes over, and the script does not say from when on it follows")
        self._pass_on(max(0, len(self._told_ms) - step.lacking))
        self._relay.close()
        self._relay = None
        self.server.close()
        self.server, self._twin = self._twin, None
        refuse_errors(self.server.address, self._hears.call(b"REPLICAOF", b"NO", b"ONE"))
        return self._hears

    def _drop(self) -> None:
        if self._relay is not None:
            self._relay.close()
            self._relay = None
        if self._twin is not None:
            self._hears.close()
            self._twin.close()
            self._twin = None

    def close(self) -> None:
        """End the replica, or the server that it has become."""
        self._drop()
        self.server.close()


def _answers(data: bytes) -> list[int]:
    """Up to where a replica says that it has everything, as often as it says so."""
    return [int(argv[2]) for argv in commands(data)[0] if argv[:2] == (b"REPLCONF", b"ACK")]
