"""Which simulated program has control right now, in the one thread in which a world runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import RedeliveryError

if TYPE_CHECKING:
    from .program import Program


class Escaped(RedeliveryError):
    """A simulated program did something that the tape does not hold: it started a thread, opened a socket."""


class OnStage:
    """Holds the program whose code runs; ``None`` while the world itself does."""

    __slots__ = ("program",)

    def __init__(self) -> None:
        self.program: Program | None = None


STAGE = OnStage()


def escape(what: str) -> None:
    """The program at hand leaves the simulation: its world ends with ``what``. Nothing where no program has control."""
    program = STAGE.program
    if program is None:
        return
    error = Escaped(f"{program.name} {what}")
    program.world.escaped = program.world.escaped or error
    raise error
