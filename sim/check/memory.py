"""What searches have found before, kept in Hypothesis's example database: tried first the next time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInput
from ..tape import Tape, parse
from .schedules import Start

if TYPE_CHECKING:
    from hypothesis.database import ExampleDatabase

FOLDER = Path(".hypothesis") / "examples"
"""Where Hypothesis itself keeps what it found, below the folder that one works in."""


class Memory:
    """The tapes that broke a property of a world, by scenario, variant, dialect and property.

    Parameters do not part worlds: a smaller counterexample has smaller parameters, and is tried first all the same.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        from hypothesis.database import DirectoryBasedExampleDatabase

        if folder.exists() and not folder.is_dir():
            raise BadInput(f"the example database {folder} is a file, it must be a folder")
        self._kept: ExampleDatabase = DirectoryBasedExampleDatabase(folder)

    def of(self, start: Start) -> list[Tape]:
        """The tapes of a world, the shortest first."""
        found = []
        for value in self._kept.fetch(_key(start)):
            try:
                found.append(parse(value.decode()))
            except (BadInput, UnicodeDecodeError):
                self._kept.delete(_key(start), value)  # nothing of ours
        return sorted(found, key=lambda tape: (len(tape.choices), str(tape)))

    def keep(self, start: Start, tape: Tape) -> None:
        """Remembers a tape."""
        self._kept.save(_key(start), str(tape).encode())

    def drop(self, start: Start, tape: Tape) -> None:
        """Forgets a tape: it breaks nothing any more."""
        self._kept.delete(_key(start), str(tape).encode())


def _key(start: Start) -> bytes:
    return f"redelivery:{start.reference or start.scenario.name}:{start.variant}:{start.dialect}".encode()
