"""Saving a breadth-first search, and going on from where it was.

A file holds the numbered components of the states and how far the search was. It is written beside its place and
moved there when it is whole, so that a kill at any moment leaves the one before.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .abstraction import Abstraction
from .breadth import Frontier
from .machine import Machine

VERSION = 1
EVERY_S = 30.0
"""A kill loses no more than this, and the time that writing takes."""

Identity = tuple[Any, ...]
"""What a search is of: scenario, variant, dialect, parameters, reductions, bound on the depth."""


class Saver:
    """Writes a search to a file every half a minute; says once where it cannot."""

    def __init__(
        self, path: Path, identity: Identity, clock: Callable[[], float], every_s: float = EVERY_S
    ) -> None:
        self.path = path
        self.trouble: str | None = None
        """Why nothing could be written."""
        self._identity = identity
        self._clock = clock
        self._every_s = every_s
        self._saved_s = clock()

    def save(self, machine: Machine, frontier: Frontier) -> None:
        """Writes the file if it is time to."""
        if self._clock() - self._saved_s < self._every_s:
            return
        content = (VERSION, self._identity, machine.abstraction, _tables(machine), frontier)
        beside = self.path.with_name(self.path.name + ".part")
        try:
            with beside.open("wb") as file:
                pickle.dump(content, file, protocol=pickle.HIGHEST_PROTOCOL)
            os.replace(beside, self.path)
        except (OSError, pickle.PicklingError) as error:
            self.trouble = f"no checkpoint could be written to {self.path}: {getattr(error, 'strerror', error)}"
            beside.unlink(missing_ok=True)
        self._saved_s = self._clock()


class Saved:
    """What a file holds."""

    def __init__(self, path: Path, identity: Identity) -> None:
        try:
            with path.open("rb") as file:
                content = pickle.load(file)
        except OSError as error:
            raise BadInput(f"cannot read the checkpoint {path}: {error.strerror}") from error
        except Exception as error:
            raise BadInput(f"{path} is not a checkpoint, or it is of another Redelivery: {error}") from error
        if not isinstance(content, tuple) or content[:1] != (VERSION,):
            raise BadInput(f"{path} is not a checkpoint of version {VERSION}")
        if content[1] != identity:
            raise BadInput(f"{path} is a checkpoint of another check: {_shown(content[1])}, not {_shown(identity)}")
        self.abstraction: Abstraction = content[2]
        self.frontier: Frontier = content[4]
        self._tables = content[3]

    def restore(self, machine: Machine) -> Frontier:
        """Gives every component its number again."""
        taking, watching = machine.taking, machine.watching
        tables = self._tables
        for states, table in zip(watching.states, tables["states"], strict=True):
            for value in table:
                states.number(value)
        for value in tables["held"]:
            watching.held.number(value)
        for value in tables["whole"]:
            watching.whole.number(value)
        for frozen, attached in tables["servers"]:
            taking.server(frozen, attached)
        for life in tables["lives"]:
            taking.life(life)
        for time in tables["times"]:
            machine.times.number(time)
        watching.seen |= tables["seen"]
        taking.actions.update(tables["actions"])
        taking.struck |= tables["struck"]
        assert _tables(machine) == tables, "components have the numbers that they had"
        return self.frontier


def _tables(machine: Machine) -> dict[str, Any]:
    taking, watching = machine.taking, machine.watching
    return {
        "states": [states.table for states in watching.states],
        "held": watching.held.table,
        "whole": watching.whole.table,
        "servers": taking.servers.table,
        "lives": taking.lives.table,
        "times": machine.times.table,
        "seen": watching.seen,
        "actions": taking.actions,
        "struck": taking.struck,
    }


def _shown(identity: Identity) -> str:
    return " ".join(str(part) for part in identity if part)
