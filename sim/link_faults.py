"""What may go wrong between processes and the server for a while, as plain values: partitions, slow and dead links."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import ScenarioError
from .struck import Striking, Who, check_least

BOTH, REQUESTS, REPLIES = "both", "requests", "replies"
"""What does not get through."""
CONNECTIONS, SLOWLY = "connections", "slowly"
"""Nobody accepts connections; what is sent takes longer."""

_CUTS = (BOTH, REQUESTS, REPLIES)


@dataclass(frozen=True, slots=True)
class Partition(Striking):
    """For ``for_ms`` nothing gets through between a process and the server, or in one direction only.

    ``cut``: ``"both"``, ``"requests"`` or ``"replies"``. Connections stay open. What is sent meanwhile is sent again by
    the network until it gets through, when the partition is over: a request takes effect then, even one that its client
    has given up. New connections are not made while it lasts, however it is cut: the client waits as long as its
    policy says (``connect_timeout_ms``), and then has sent nothing.
    """

    process: Who
    for_ms: int
    cut: str = BOTH
    budget: int = 1

    def __post_init__(self) -> None:
        check_least("partition", self.process, "for_ms", self.for_ms)
        _check_cut(f"of {self.process!r}", self.cut)

    def deed(self, name: str) -> str:
        """What happens when it strikes, in words."""
        return f"{_CUT_WORDS[self.cut].format(name)} for {self.for_ms} ms"


@dataclass(frozen=True, slots=True)
class HostPartition:
    """The same for all processes of a host at once. Not before ``from_ms``, in the world's time."""

    host: str
    for_ms: int
    cut: str = BOTH
    budget: int = 1
    from_ms: int = 0

    def __post_init__(self) -> None:
        check_least("partition", self.host, "for_ms", self.for_ms)
        _check_cut(f"of host {self.host!r}", self.cut)
        if self.from_ms < 0:
            raise ScenarioError(f"a partition of host {self.host!r}: from_ms is {self.from_ms}, it must be at least 0")

    @property
    def names(self) -> tuple[str, ...]:
        """It strikes no process alone."""
        return ()

    def deed(self, name: str) -> str:
        """What happens when it strikes, in words."""
        return f"{_CUT_WORDS[self.cut].format(f'all of host {self.host}')} for {self.for_ms} ms"

    def __str__(self) -> str:
        since = f", not before {self.from_ms} ms" if self.from_ms else ""
        return f"{self.deed('')}{since}: at most {self.budget}"


@dataclass(frozen=True, slots=True)
class HalfOpen(Striking):
    """The connections of a process are gone, and it is not told (a firewall forgot them, a power cord was pulled).

    The server has closed them: a read that was blocked is given up there, and a request that had not arrived is lost.
    The process waits for answers as long as its client's policy says. Connections that it was not using are noticed.
    """

    process: Who
    budget: int = 1

    def deed(self, name: str) -> str:
        """What happens when it strikes, in words."""
        return f"the connections of {name} are gone, and it is not told"


@dataclass(frozen=True, slots=True)
class SlowLink(Striking):
    """For ``for_ms`` each request of a process, and each reply to it, is under way for ``by_ms`` longer."""

    process: Who
    by_ms: int
    for_ms: int
    budget: int = 1

    def __post_init__(self) -> None:
        check_least("slow link", self.process, "by_ms", self.by_ms)
        check_least("slow link", self.process, "for_ms", self.for_ms)

    def deed(self, name: str) -> str:
        """What happens when it strikes, in words."""
        return f"what {name} sends and gets is {self.by_ms} ms longer under way, for {self.for_ms} ms"


_CUT_WORDS = {
    BOTH: "nothing gets through between {} and the server",
    REQUESTS: "requests of {} do not get through",
    REPLIES: "replies to {} do not get through",
}


def kinds_of(cut: str) -> tuple[str, ...]:
    """The directions that a partition cuts."""
    return (REQUESTS, REPLIES) if cut == BOTH else (cut,)


def _check_cut(whose: str, cut: str) -> None:
    if cut not in _CUTS:
        raise ScenarioError(f"a partition {whose}: cut={cut!r} is none of {', '.join(map(repr, _CUTS))}")
