"""What may go wrong, as plain values: named by who, which command and which time, never by bytes.

A fault says *whom* it may strike (``names``), how often (``budget``) and at which moment; the world decides whether
it does. What strikes a process does so between two of its steps; what strikes a message or a piece of work does so
just when it is due: a request about to take effect, a handler about to be done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .errors import ScenarioError
from .link_faults import HalfOpen, HostPartition, Partition, SlowLink
from .server_faults import CutReplica, Evict, Failover, Flush, ServerRestart
from .struck import Striking, Who, check_least, names_of

ANY = "any"
"""Any command."""
REQUEST, REPLY = "request", "reply"
RESET, SILENCE, TORN = "reset", "silence", "torn"
"""What becomes of a connection on which something is lost: it breaks, and both ends know; or nothing ever comes; or it
breaks in the middle of what is lost, of which half has come."""

_MOMENTS = {"any": "", "holding": " while it holds an entry", "busy": " in the middle of a turn"}


def _check_moment(what: str, process: Who, when: str) -> None:
    if when not in _MOMENTS:
        raise ScenarioError(f"a {what} of {process!r}: when={when!r} is none of {', '.join(map(repr, _MOMENTS))}")


@dataclass(frozen=True, slots=True)
class Crash(Striking):
    """A process may stop dead, between any two of its steps; ``budget`` times in all.

    ``process`` is one name, or several of which any may. ``when`` narrows the moment: ``"holding"``
    while it has an entry that it has not acknowledged, or is handling one (whoever acknowledges first, or reads with
    NOACK, has none then), ``"busy"`` once its turn has got an answer.
    """

    process: Who
    budget: int = 1
    when: str = "any"

    def __post_init__(self) -> None:
        _check_moment("crash", self.process, self.when)

    def deed(self, name: str) -> str:
        """What happens when it strikes, in words."""
        return f"{name} crashes"

    def __str__(self) -> str:
        return f"{' or '.join(self.names)} crashes{_MOMENTS[self.when]}: at most {self.budget}"


@dataclass(frozen=True, slots=True)
class Pause(Striking):
    """A process may stand still for ``for_ms`` (garbage collection, SIGSTOP, a laptop's lid), and then go on.

    Its connections stay open, and what the server sends it waits for it. Its timers run on: what was due meanwhile
    happens when it goes on. Work on an entry takes that much longer. ``when`` is as for ``Crash``.
    """

    process: Who
    for_ms: int
    budget: int = 1
    when: str = "any"

    def __post_init__(self) -> None:
        _check_moment("pause", self.process, self.when)
        check_least("pause", self.process, "for_ms", self.for_ms)

    def deed(self, name: str) -> str:
        """What happens when it strikes, in words."""
        return f"{name} pauses for {self.for_ms} ms"

    def __str__(self) -> str:
        return f"{' or '.join(self.names)} pauses for {self.for_ms} ms{_MOMENTS[self.when]}: at most {self.budget}"


@dataclass(frozen=True, slots=True)
class Lose(Striking):
    """The ``request`` or the ``reply`` of a command may be lost; ``budget`` times in all.

    A lost request never takes effect, a lost reply belongs to a command that did; of a blocked read it is the reply
    that comes in the end. ``command`` is a name such as ``"XACK"`` (or ``"any"``), ``nth`` counts the commands of that
    name from 1, for each process of its own: ``Lose("worker-a", "XACK", nth=2)`` loses the reply of worker-a's second
    XACK. ``how``: the connection breaks (``"reset"``, and the client knows at once), or nothing ever comes
    (``"silence"``, and the client waits as long as its policy says), or the connection breaks in the middle of what is
    lost (``"torn"``: real client code gets half of a reply).
    """

    process: Who
    command: str = ANY
    part: str = REPLY
    nth: int | None = None
    budget: int = 1
    how: str = RESET

    def __post_init__(self) -> None:
        _check_message("loss", self.process, self.command, self.part, self.nth, self.budget)
        if self.how not in (RESET, SILENCE, TORN):
            raise ScenarioError(f"a loss of {self.process!r}: how={self.how!r} is none of 'reset', 'silence', 'torn'")

    def deed(self, name: str) -> str:
        """What happens when it strikes, in words."""
        how = "cut off in the middle" if self.how == TORN else "lost"
        return f"the {self.part} of {name}'s {_which(self.command, self.nth)} is {how}"

    def __str__(self) -> str:
        silent = ", without a word" if self.how == SILENCE else ""
        return f"{self.deed(' or '.join(self.names))}{silent}: at most {self.budget}"


@dataclass(frozen=True, slots=True)
class Delay(Striking):
    """The ``request`` or the ``reply`` of a command may be under way for ``by_ms`` longer; ``budget`` times in all.

    Past the client's own timeout a late reply reaches nobody. What goes over another connection overtakes it.
    ``command`` and ``nth`` are as for ``Lose``.
    """

    process: Who
    by_ms: int
    command: str = ANY
    part: str = REPLY
    nth: int | None = None
    budget: int = 1

    def __post_init__(self) -> None:
        _check_message("delay", self.process, self.command, self.part, self.nth, self.budget)
        check_least("delay", self.process, "by_ms", self.by_ms)

    def deed(self, name: str) -> str:
        """What happens when it strikes, in words."""
        return f"the {self.part} of {name}'s {_which(self.command, self.nth)} is {self.by_ms} ms late"


@dataclass(frozen=True, slots=True)
class Reset(Striking):
    """All connections of a process may break at once: requests that have not arrived are lost, blocked reads end."""

    process: Who
    budget: int = 1

    def deed(self, name: str) -> str:
        """What happens when it strikes, in words."""
        return f"the connections of {name} break"


@dataclass(frozen=True, slots=True)
class SlowHandler(Striking):
    """The work on an entry may take ``by_ms`` longer than it should; ``budget`` times in all."""

    process: Who
    by_ms: int
    budget: int = 1

    def __post_init__(self) -> None:
        check_least("slow handler", self.process, "by_ms", self.by_ms)

    def deed(self, name: str) -> str:
        """What happens when it strikes, in words."""
        return f"the handler of {name} takes {self.by_ms} ms longer"


@dataclass(frozen=True, slots=True)
class FailHandler(Striking):
    """The work on an entry may fail just before it is done; ``budget`` times in all. ``handle`` raises then.

    For an entry that can never be handled see ``Process.fails_on``.
    """

    process: Who
    budget: int = 1

    def deed(self, name: str) -> str:
        """What happens when it strikes, in words."""
        return f"the handler of {name} fails"


@dataclass(frozen=True, slots=True)
class ClockJump:
    """The clock of a host may be set forward (or back, below 0) by ``by_ms``, ``budget`` times."""

    host: str
    by_ms: int
    budget: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        """It strikes no process."""
        return ()

    def deed(self, name: str) -> str:
        """What happens when it strikes, in words."""
        return f"the clock of {self.host} jumps by {self.by_ms:+d} ms"

    def __str__(self) -> str:
        return f"{self.deed('')}: at most {self.budget}"


@dataclass(frozen=True, slots=True)
class ClockDrift:
    """The clock of a host may begin to run fast (or slow, below 0) by ``ms_a_second``, ``budget`` times.

    That of the server is what deadlines are reckoned by and runs true: let those of the others run the other way.
    """

    host: str
    ms_a_second: int
    budget: int = 1

    def __post_init__(self) -> None:
        if not self.ms_a_second or self.ms_a_second <= -1000:
            raise ScenarioError(
                f"a clock drift of {self.host!r}: ms_a_second is {self.ms_a_second}, it must be above -1000, and not 0"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """It strikes no process."""
        return ()

    def deed(self, name: str) -> str:
        """What happens when it strikes, in words."""
        return f"the clock of {self.host} drifts by {self.ms_a_second:+d} ms a second from now on"

    def __str__(self) -> str:
        return f"{self.deed('')}: at most {self.budget}"


OfServer: TypeAlias = ServerRestart | Failover | Flush | CutReplica | Evict
"""Faults that strike the server."""
OfMany: TypeAlias = OfServer | HostPartition
"""Faults that may strike all processes at once."""
OfLink: TypeAlias = Partition | HalfOpen | SlowLink
"""Faults that strike the link between a process and the server."""
OfClock: TypeAlias = ClockJump | ClockDrift
"""Faults of a host's clock."""

Fault: TypeAlias = Crash | Pause | Lose | Delay | Reset | SlowHandler | FailHandler | OfClock | OfMany | OfLink

OfProcess: TypeAlias = Crash | Pause | Reset
"""Faults that strike a process, whatever is due for it."""
OfMessage: TypeAlias = Lose | Delay
"""Faults that strike a request about to take effect."""
OfWork: TypeAlias = SlowHandler | FailHandler
"""Faults that strike work about to be done."""


def names_command(command: str, argv: tuple[bytes, ...]) -> bool:
    """Whether a fault that names ``command`` means this one."""
    if command == ANY:
        return True
    words = command.upper().encode().split()
    return [word.upper() for word in argv[: len(words)]] == words


def _which(command: str, nth: int | None) -> str:
    name = "next command" if command == ANY else command.upper()
    if nth is None:
        return name
    ending = "th" if nth % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(nth % 10, "th")
    return f"{nth}{ending} {'command' if command == ANY else name}"


def _check_message(what: str, process: Who, command: str, part: str, nth: int | None, budget: int) -> None:
    if part not in (REQUEST, REPLY):
        raise ScenarioError(f"a {what} of {process!r}: part={part!r} is none of 'request', 'reply'")
    if nth is not None:
        check_least(what, process, "nth", nth)
        if budget > len(names_of(process)):
            raise ScenarioError(
                f"a {what} of {process!r}: there is one {_which(command, nth)} of each process, and the budget is "
                f"{budget}: give it a budget of {len(names_of(process))}, or no nth"
            )
    if command != ANY and not _is_known(command):
        known = ", ".join(_known())
        raise ScenarioError(f"a {what} of {process!r}: there is no command {command!r}; there is: any, {known}")


def _known() -> list[str]:
    """Every command that the model has, by name."""
    from ..models.commands import table_beside
    from ..models.commands.table import EVERY

    return sorted({row.name for row in (*EVERY, *table_beside.ROWS)})


def _is_known(command: str) -> bool:
    names = (command.upper(), command.upper().split()[0])
    if any(name in _known() for name in names):
        return True
    from .wire.model import ROWS  # what unmodified programs send beside those: scripts, hashes …

    return any(row.name in names for row in ROWS)
