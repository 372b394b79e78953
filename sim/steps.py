"""What may happen next in a world: events that are due, a deadline of the server, a fault."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ..models.replies import Reply
from .client_policies import TIMEOUT
from .events import Handled, HandleFailed
from .faults import Fault
from .kernel import Scheduled
from .turn import Path


class Arrive(NamedTuple):
    """A request reaches the server and takes effect."""

    process: int
    incarnation: int
    path: Path
    call: int
    session: int
    sent_ms: int
    commands: tuple[tuple[bytes, ...], ...]


class Deliver(NamedTuple):
    """A reply reaches the process that asked."""

    process: int
    incarnation: int
    path: Path
    call: int
    replies: tuple[Reply, ...]


class Wake(NamedTuple):
    """A sleep is over, or the work on an entry is done."""

    process: int
    incarnation: int
    path: Path
    handled: Handled | HandleFailed | None


class Lapse(NamedTuple):
    """A client's patience with a command is over, or it gets no connection for it: ``error`` says which."""

    process: int
    incarnation: int
    path: Path
    error: str = TIMEOUT


class Resend(NamedTuple):
    """A client sends a command again."""

    process: int
    incarnation: int
    path: Path


class Resume(NamedTuple):
    """A paused process goes on."""

    process: int
    incarnation: int


class Mend(NamedTuple):
    """What was the matter with the link of a process is over: ``what`` stands in ``link_faults``."""

    process: int
    incarnation: int
    what: str
    by_ms: int
    """By how much it was slow."""


class Enter(NamedTuple):
    """An atomic block happens."""

    process: int
    incarnation: int
    path: Path


class Begin(NamedTuple):
    """A process begins its next turn."""

    process: int
    incarnation: int


class Rise(NamedTuple):
    """A process starts, or starts again."""

    process: int
    incarnation: int


Happening: TypeAlias = Arrive | Deliver | Wake | Enter | Begin | Rise | Lapse | Resend | Resume | Mend


class Due(NamedTuple):
    """An event of the schedule may happen now."""

    at_ms: int
    scheduled: Scheduled[Happening]


class Expire(NamedTuple):
    """The server gives up the blocked reads whose time is over."""

    at_ms: int


class Strike(NamedTuple):
    """A fault may happen now; ``fault`` is its place in the plan, ``process`` whom it strikes (or -1)."""

    at_ms: int
    fault: int
    process: int


Step: TypeAlias = Due | Expire | Strike


def describe(step: Step, names: tuple[str, ...], faults: tuple[Fault, ...]) -> str:
    """A step in words."""
    if isinstance(step, Expire):
        return "the server gives up a blocked read"
    if isinstance(step, Strike):
        return faults[step.fault].deed("" if step.process < 0 else names[step.process])
    event = step.scheduled.event
    name = names[event.process]
    if isinstance(event, Arrive):
        command = b" ".join(event.commands[-1 if len(event.commands) == 1 else 1])
        return f"{name}: {command.decode(errors='replace')}"
    if isinstance(event, Wake):
        return f"{name}: {_WAKES[type(event.handled)]}"
    if isinstance(event, Enter):
        return f"{name}: an atomic block"
    return f"{name}: {_HAPPENINGS.get(type(event)) or type(event).__name__.lower()}"


_WAKES: dict[type, str] = {type(None): "slept", Handled: "handled", HandleFailed: "failed to handle"}
_HAPPENINGS: dict[type, str] = {Lapse: "times out", Resend: "sends again", Resume: "goes on", Mend: "is reached"}
