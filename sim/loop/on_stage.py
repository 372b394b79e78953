"""Which simulated program has control right now, in the one thread in which a world runs."""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING, TextIO

from ..errors import RedeliveryError

if TYPE_CHECKING:
    from .fibers import Fiber
    from .program import Program


class Escaped(RedeliveryError):
    """A simulated program did something that the tape does not hold: it started a thread, opened a socket."""


class OnStage:
    """Holds the program whose code runs; ``None`` while the world itself does."""

    __slots__ = ("fiber", "prints_to", "program", "thread")

    def __init__(self) -> None:
        self.program: Program | None = None
        self.fiber: Fiber | None = None
        """Which of its threads runs, where it is a program that blocks."""
        self.prints_to: TextIO | None = None
        """Where goes what programs print; ``None`` where it always does."""
        self.thread = 0
        """The thread that it runs in: others of this process are none of the world's."""


STAGE = OnStage()


def current() -> Program | None:
    """The program whose code asks; ``None`` outside of one, and in threads that are none of the world's."""
    program = STAGE.program
    return program if program is not None and get_ident() == STAGE.thread else None


def escape(what: str) -> None:
    """The program at hand leaves the simulation: its world ends with ``what``. Nothing where no program has control."""
    program = current()
    if program is None:
        return
    error = Escaped(f"{program.name} {what}")
    program.world.escaped = program.world.escaped or error
    raise error
