"""Servers that die in the middle of a script, and what stands in their place.

Whoever follows a server has what survives it: its append-only file, the snapshots that were taken of it, or a replica
(`replica.py`). The script says when it begins to follow and what it lacks in the end; here that is brought about.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from ...models.append_only_file import unit_ends
from ...models.journal import SNAPSHOT
from .connection import Connection, refuse_errors
from .errors import RealServerError
from .identity import information
from .script import Fall
from .spawn import SpawnedServer
from .virtual_clock import VirtualClock

__all__ = ["FILE_CONFIG", "File", "Follower", "Snapshots"]

FILE_CONFIG: Mapping[str, str] = {
    "appendonly": "yes", "appendfsync": "no", "auto-aof-rewrite-percentage": "0", "aof-use-rdb-preamble": "no",
}  # fmt: skip
"""How a server is started whose file counts what it tells."""

_PATIENCE_S = 20.0


class Follower:
    """Who follows a server of ours, by its own means: by itself nobody does. Times are the script's, in ms."""

    def __init__(self, server: SpawnedServer, clock: VirtualClock | None, timeout_s: float) -> None:
        self.server = server
        self._clock = clock
        self._timeout_s = timeout_s
        self._ticks = None if server.binary.since(6, 2) else clock

    def follow(self, control: Connection) -> None:
        """Begin to follow, with all that the server has now."""

    def hear(self, at_ms: int) -> None:
        """A step has taken effect; whatever it told was told then."""

    def meanwhile(self, at_ms: int) -> bool:
        """The server may wait for an answer of who follows it; whether one was given."""
        return False

    def cut(self, until_ms: int) -> None:
        """Nothing reaches it until then."""

    def fall(self, step: Fall) -> Connection:
        """The server dies, and what survived stands in its place, here nothing; a connection to that."""
        if step.lacking >= 0:
            raise ValueError("something of the server survives, and the script does not say what follows it")
        return self._empty()

    def close(self) -> None:
        """End what was started besides the server; a second time does nothing."""

    def _empty(self) -> Connection:
        self.server.restart({})
        return self.server.connect(timeout=self._timeout_s)


class File(Follower):
    """Its append-only file, the end of which is cut off."""

    _least = 0
    """How many units the file held when it began to count: those cannot be lost."""

    def follow(self, control: Connection) -> None:
        """All that the file holds now was brought to the disk."""
        self._least = len(self._ends())

    def _ends(self) -> list[int]:
        return unit_ends(self.server.append_only_file())

    def fall(self, step: Fall) -> Connection:
        """It starts again from its file, less the units that are lost."""
        if step.lacking < 0:
            return self._empty()
        file = self.server.append_only_file()
        ends = unit_ends(file)
        kept = max(self._least, len(ends) - step.lacking)
        self.server.restart({"appendonly.aof": file[: ends[kept - 1]] if kept else b""})
        return self.server.connect(timeout=self._timeout_s)


class Snapshots(Follower):
    """A snapshot after each unit that the server tells; its append-only file, which it never reads, counts them."""

    def __init__(self, server: SpawnedServer, clock: VirtualClock | None, timeout_s: float) -> None:
        super().__init__(server, clock, timeout_s)
        self._saved: list[bytes] = []
        """The oldest first; each may be the last that was taken."""
        self._least = 0

    def follow(self, control: Connection) -> None:
        """One is taken now."""
        self._control = control
        if information(control, "persistence")["aof_enabled"] == "0":
            self._count(control)
        self._least = len(unit_ends(self.server.append_only_file()))
        self._saved = [self._save()]

    def _count(self, control: Connection) -> None:
        """After a start from a snapshot the file begins anew, by and by."""
        refuse_errors(control.address, control.call(b"CONFIG", b"SET", b"appendonly", b"yes"))
        until(
            lambda: all(
                information(control, "persistence")[name] == "0"
                for name in ("aof_rewrite_in_progress", "aof_rewrite_scheduled")
            ),
            lambda: tick(self._ticks, control),
            f"{control.address} does not get done with its append-only file",
        )

    def _save(self) -> bytes:
        refuse_errors(self._control.address, self._control.call(b"SAVE"))
        return (self.server.directory / "dump.rdb").read_bytes()

    def hear(self, at_ms: int) -> None:
        """Whatever was told, a snapshot may have been taken right after it."""
        if not self._saved:
            return
        told = len(unit_ends(self.server.append_only_file())) - self._least
        if told >= len(self._saved):
            self._saved += [self._save()] * (told + 1 - len(self._saved))

    def fall(self, step: Fall) -> Connection:
        """It starts again from one that lacks the last so many units, or from one that was taken just now."""
        if step.lacking < 0:
            return self._empty()
        if not self._saved:
            raise ValueError(f"a {SNAPSHOT} survives, and the script does not say from when on any is taken")
        kept = self._saved[max(0, len(self._saved) - 1 - step.lacking)] if step.lacking else self._save()
        self._saved = []
        self._control.close()
        self.server.restart({"dump.rdb": kept}, {"appendonly": "no"})
        return self.server.connect(timeout=self._timeout_s)


def until(done: Callable[[], bool], meanwhile: Callable[[], object], otherwise: str) -> None:
    """Do something again and again until all is done; `otherwise` says what is wrong where that takes too long."""
    limit = time.monotonic() + _PATIENCE_S
    while not done():
        if time.monotonic() > limit:
            raise RealServerError(otherwise)
        meanwhile()


def tick(clock: VirtualClock | None, *controls: Connection) -> None:
    """Let servers do what they do by and by, though their wall clock stands still.

    From 6.2 on they go by the monotonic clock there: `clock` is None, and it is enough to wait. 6.0 goes by the wall
    clock; but when that goes back by a second it does at once all that it does by and by.
    """
    if clock is not None:
        now_ms = clock.now_ms
        for at_ms in (now_ms - 1000, now_ms):
            clock.set(at_ms)
            for control in controls:
                control.call(b"PING")
    time.sleep(0.001)
