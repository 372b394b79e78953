"""Faults on commands that nobody sends: which they are, and the one line that tells what is sent instead, and by whom.

What a process may ever send only a search of all there is knows; of one run it is known what was sent in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..models.commands.table import EVERY
from .errors import BadInput
from .events import Effect, Event, Sent
from .faults import ANY, Delay, Fault, Lose, OfMessage
from .plan import Params

if TYPE_CHECKING:
    from .run import Run

CONTAINERS = frozenset(row.name.encode() for row in EVERY if row.subcommands)
"""Commands whose second word is part of their name."""


def name_of(argv: Sequence[bytes]) -> str:
    """A command by its name: ``XACK``, ``XGROUP CREATE``."""
    words = argv[: 2 if argv[0].upper() in CONTAINERS else 1]
    return b" ".join(words).decode(errors="backslashreplace").upper()


class SeenSent:
    """Which commands each process of a world was seen to send."""

    def __init__(self, processes: Sequence[str]) -> None:
        self._by: dict[str, set[str]] = {name: set() for name in processes}

    def add(self, process: str, command: str) -> None:
        """``command`` is a name as of ``name_of``; what others than the world's processes send does not count."""
        if process in self._by:
            self._by[process].add(command)

    def has(self, process: str, command: str) -> bool:
        """Whether a process was seen to send what a fault calls ``command``."""
        wanted = command.upper().split()
        return any(sent.split()[: len(wanted)] == wanted for sent in self._by.get(process, ()))

    def told(self) -> str:
        """Who sent what, in words; those who sent the same stand together."""
        senders: dict[tuple[str, ...], list[str]] = {}
        for name, commands in self._by.items():
            senders.setdefault(tuple(sorted(commands)), []).append(name)
        return "; ".join(
            f"{', '.join(commands) or 'nothing'} (by {', '.join(names)})" for commands, names in senders.items()
        )


def unsent(faults: Sequence[Fault], seen: SeenSent) -> list[int]:
    """The places of faults on commands that none of the processes that they name was seen to send."""
    return [
        which
        for which, fault in enumerate(faults)
        if isinstance(fault, OfMessage) and fault.budget and fault.command != ANY
        and not any(seen.has(name, fault.command) for name in fault.names)
    ]


def unsent_in(run: Run) -> list[str]:
    """One line for each fault of a run that did not strike for want of its command; looked for once."""
    if run.unsent is None:
        plan = run.variant.plan(Params(run.params, {}))
        names = [process.name for process in plan.processes]
        run.unsent = unsent_of(plan.faults, names, sent_in(run.history), "in this run")
    return run.unsent


def unsent_of(
    faults: Sequence[Fault], processes: Sequence[str], sent: Iterable[tuple[str, str]], where: str
) -> list[str]:
    """The same, of all that is known to have been ``sent`` (process and command); ``where`` tells in what."""
    seen = SeenSent(processes)
    for process, command in sent:
        seen.add(process, command)
    return never_struck(faults, seen, unsent(faults, seen), where)


def sent_in(history: Iterable[Event]) -> set[tuple[str, str]]:
    """Who sent which commands in a run, whether they arrived or not."""
    return {
        (event.process, name_of(argv))
        for event in history
        if isinstance(event, Effect | Sent)
        for argv in event.commands
    }


def refuse(faults: Sequence[Fault], seen: SeenSent, which: Sequence[int]) -> None:
    """``BadInput`` for faults that can never strike, where ``seen`` is all that can ever be sent."""
    for place in which:
        fault = faults[place]
        assert isinstance(fault, Lose | Delay)
        names = " or ".join(fault.names)
        raise BadInput(
            f"a fault ({fault}) can never strike: {names} never sends {fault.command.upper()}, whatever happens; "
            f"sent are: {seen.told()}"
        )


def never_struck(faults: Sequence[Fault], seen: SeenSent, which: Sequence[int], where: str) -> list[str]:
    """One line for each fault that did not strike for want of its command; ``where`` tells in what: a run, say."""
    lines = []
    for place in which:
        fault = faults[place]
        assert isinstance(fault, Lose | Delay)
        names = " or ".join(fault.names)
        lines.append(
            f"this fault never struck ({fault}): {names} sent no {fault.command.upper()} {where}; "
            f"sent were: {seen.told()}"
        )
    return lines
