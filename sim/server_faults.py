"""What may go wrong with the server itself, as plain values: it dies and starts again, another takes its place."""

from __future__ import annotations

from dataclasses import dataclass

from ..models.journal import FILE, NOTHING, SNAPSHOT
from .errors import ScenarioError

SOMEBODY = "somebody"
"""Who sends what no process of the world does."""
MAXMEMORY = "maxmemory"
"""On whose behalf the server itself removes keys."""


@dataclass(frozen=True, slots=True)
class ServerRestart:
    """The server may die and start again at once; all connections break, and requests that have not arrived are lost.

    ``keeps``: it starts from its append-only file (``"file"``), from its last snapshot (``"snapshot"``), or empty
    (``"nothing"``). Of the file's end up to ``loses`` units may be missing: what was written and had not been brought
    to the disk when the power went. With ``appendfsync always``, and where only the process dies, that is 0. The
    snapshot may have been taken at any time, so that up to ``loses`` units came after it. A unit is what one command or
    transaction tells (up to 6.2 a read tells each entry by itself).
    """

    keeps: str = FILE
    loses: int = 0
    budget: int = 1
    from_ms: int = 0
    """Not before this time of the world."""
    down_ms: int = 0
    """For so long it is not there yet: whoever wants to connect is refused."""

    def __post_init__(self) -> None:
        _check_from("restart of the server", self.from_ms)
        _check_down("restart of the server", self.down_ms)
        if self.keeps not in (FILE, SNAPSHOT, NOTHING):
            known = "'file', 'snapshot', 'nothing'"
            raise ScenarioError(f"a restart of the server: keeps={self.keeps!r} is none of {known}")
        _check_loses("restart", self.loses)
        if self.loses and self.keeps == NOTHING:
            raise ScenarioError(f"a restart of the server keeps nothing, so it cannot lose {self.loses} units alone")

    @property
    def names(self) -> tuple[str, ...]:
        """It strikes no process."""
        return ()

    def deed(self, name: str) -> str:
        """What happens when it strikes, in words."""
        if self.keeps == NOTHING:
            return f"the server restarts empty{_down(self.down_ms)}"
        what = "last snapshot" if self.keeps == SNAPSHOT else "append-only file"
        lacks = f", which may lack {_last(self.loses)}" if self.loses else ""
        return f"the server restarts from its {what}{lacks}{_down(self.down_ms)}"

    def __str__(self) -> str:
        return f"{self.deed('')}{_since(self.from_ms)}: at most {self.budget}"


@dataclass(frozen=True, slots=True)
class Failover:
    """A replica may take the server's place; all connections break, and requests that have not arrived are lost.

    The replica lags: it may lack up to ``loses`` units of what the server told it last. A unit is what one command or
    transaction tells (up to 6.2 a read tells each entry by itself).
    """

    loses: int = 1
    budget: int = 1
    from_ms: int = 0
    """Not before this time of the world."""
    down_ms: int = 0
    """For so long it is not there yet: whoever wants to connect is refused."""

    def __post_init__(self) -> None:
        _check_from("failover", self.from_ms)
        _check_down("failover", self.down_ms)
        _check_loses("failover", self.loses)

    @property
    def names(self) -> tuple[str, ...]:
        """It strikes no process."""
        return ()

    def deed(self, name: str) -> str:
        """What happens when it strikes, in words."""
        if not self.loses:
            return f"a replica that has everything takes the server's place{_down(self.down_ms)}"
        return f"a replica that may lack {_last(self.loses)} takes the server's place{_down(self.down_ms)}"

    def __str__(self) -> str:
        return f"{self.deed('')}{_since(self.from_ms)}: at most {self.budget}"


@dataclass(frozen=True, slots=True)
class Flush:
    """Somebody may send FLUSHALL."""

    budget: int = 1
    from_ms: int = 0
    """Not before this time of the world."""

    def __post_init__(self) -> None:
        _check_from("flush", self.from_ms)

    @property
    def names(self) -> tuple[str, ...]:
        """It strikes no process."""
        return ()

    def deed(self, name: str) -> str:
        """What happens when it strikes, in words."""
        return "somebody sends FLUSHALL"

    def __str__(self) -> str:
        return f"{self.deed('')}{_since(self.from_ms)}: at most {self.budget}"


@dataclass(frozen=True, slots=True)
class Evict:
    """The server may run into its ``maxmemory`` and evict a key: whole, with all entries and groups of a stream.

    Which one, the tape decides: of ``keys``, or of all that there are (``allkeys-lru``, ``allkeys-random``); with
    ``volatile`` only keys that expire (``volatile-lru``, ``volatile-ttl``). Where there is none nothing happens.
    """

    budget: int = 1
    keys: tuple[str, ...] = ()
    volatile: bool = False
    from_ms: int = 0
    """Not before this time of the world."""

    def __post_init__(self) -> None:
        _check_from("eviction", self.from_ms)

    @property
    def names(self) -> tuple[str, ...]:
        """It strikes no process."""
        return ()

    def deed(self, name: str) -> str:
        """What happens when it strikes, in words."""
        what = " or ".join(self.keys) if self.keys else "a key that expires" if self.volatile else "a key"
        return f"the server evicts {what}"

    def __str__(self) -> str:
        return f"{self.deed('')}{_since(self.from_ms)}: at most {self.budget}"


@dataclass(frozen=True, slots=True)
class CutReplica:
    """For ``for_ms`` nothing may reach the replica that a ``Failover`` of the same world promotes.

    It then lacks all that the server tells meanwhile, and no ``WAIT`` hears of it; once it is reached again it has
    what it lacked, but for what it lags anyhow.
    """

    for_ms: int
    budget: int = 1
    from_ms: int = 0
    """Not before this time of the world."""

    def __post_init__(self) -> None:
        _check_from("replica that is cut off", self.from_ms)
        if self.for_ms < 1:
            raise ScenarioError(f"a replica that is cut off: for_ms is {self.for_ms}, it must be at least 1")

    @property
    def names(self) -> tuple[str, ...]:
        """It strikes no process."""
        return ()

    def deed(self, name: str) -> str:
        """What happens when it strikes, in words."""
        return f"nothing reaches the replica for {self.for_ms} ms"

    def __str__(self) -> str:
        return f"{self.deed('')}{_since(self.from_ms)}: at most {self.budget}"


def _down(down_ms: int) -> str:
    return f", {down_ms} ms later" if down_ms else ""


def _check_down(what: str, down_ms: int) -> None:
    if down_ms < 0:
        raise ScenarioError(f"a {what}: down_ms is {down_ms}, it must be at least 0")


def _last(units: int) -> str:
    return "the last unit" if units == 1 else f"the last {units} units"


def _check_loses(what: str, units: int) -> None:
    if units < 0:
        raise ScenarioError(f"a {what} of the server: loses is {units}, it must be at least 0")


def _check_from(what: str, from_ms: int) -> None:
    if from_ms < 0:
        raise ScenarioError(f"a {what}: from_ms is {from_ms}, it must be at least 0")


def _since(from_ms: int) -> str:
    return f", not before {from_ms} ms" if from_ms else ""
