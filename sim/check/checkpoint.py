"""Saving a breadth-first search, and going on from where it was, with as many workers as one likes.

A file holds what was counted, then a part for each worker: its numbered components, and its states. It is written
beside its place and moved there when it is whole, so that a kill at any moment leaves the one before.
"""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import IO, Any

from ..errors import BadInput
from .abstraction import Abstraction
from .breadth import Frontier, Outcome
from .machine import Machine, State
from .parallel.parcel import Receiver, as_bytes, everything, state_bytes, tables

VERSION = 3
EVERY_S = 30.0
"""A kill loses no more than this, and the time that writing takes."""
CHUNK = 1 << 16
"""So many states are written at a time."""
SEEN, LEVEL, DEEPER = "seen", "level", "deeper"

Identity = tuple[Any, ...]
"""What a search is of: scenario, variant, dialect, parameters, reductions, bound on the depth."""


def write_part(
    file: IO[bytes], machine: Machine, seen: Iterable[State], level: Iterable[State], deeper: Iterable[State]
) -> None:
    """All that one worker has: of the level only what it has not looked at yet."""
    pickle.dump(everything(machine), file, pickle.HIGHEST_PROTOCOL)
    for name, states in ((SEEN, seen), (LEVEL, level), (DEEPER, deeper)):
        rest = iter(states)
        while chunk := list(islice(rest, CHUNK)):
            pickle.dump((name, as_bytes(chunk, state_bytes(machine))), file, pickle.HIGHEST_PROTOCOL)
    pickle.dump(None, file)


class Saver:
    """Writes a search to a file every half a minute; says once where it cannot."""

    def __init__(
        self, path: Path, identity: Identity, clock: Callable[[], float], every_s: float | None = None
    ) -> None:
        self.path = path
        self.trouble: str | None = None
        """Why nothing could be written."""
        self._identity = identity
        self._clock = clock
        self._every_s = EVERY_S if every_s is None else every_s
        self._saved_s = clock()

    def due(self) -> bool:
        """Whether it is time to write again."""
        return self._clock() - self._saved_s >= self._every_s

    def save(self, machine: Machine, frontier: Frontier) -> None:
        """Writes the file if it is time to."""
        if not self.due():
            return
        trouble = None
        try:
            with self.part(0).open("wb") as file:
                write_part(file, machine, frontier.seen, islice(frontier.level, frontier.at, None), frontier.deeper)
        except (OSError, pickle.PicklingError) as error:
            trouble = str(getattr(error, "strerror", error))
        self.join(machine, frontier.out, 1, trouble)

    def part(self, place: int) -> Path:
        """Where a worker writes what it has."""
        return self.path.with_name(f"{self.path.name}.part{place + 1}")

    def join(self, machine: Machine, out: Outcome, parts: int, trouble: str | None) -> None:
        """Makes one file of the parts, and puts it in the place of the one before; or says why it cannot."""
        beside = self.path.with_name(self.path.name + ".part")
        try:
            if trouble is None:
                with beside.open("wb") as file:
                    pickle.dump(VERSION, file)
                    pickle.dump((self._identity, machine.abstraction, out, _met(machine), parts), file)
                    for place in range(parts):
                        with self.part(place).open("rb") as part:
                            shutil.copyfileobj(part, file, 1 << 20)
                os.replace(beside, self.path)
        except (OSError, pickle.PicklingError) as error:
            trouble = str(getattr(error, "strerror", error))
        if trouble is not None:
            self.trouble = f"no checkpoint could be written to {self.path}: {trouble}"
        for path in (beside, *(self.part(place) for place in range(parts))):
            path.unlink(missing_ok=True)
        self._saved_s = self._clock()


class Saved:
    """What a file holds."""

    def __init__(self, path: Path, identity: Identity) -> None:
        self._path = path
        try:
            with path.open("rb") as file:
                version = pickle.load(file)
                content = pickle.load(file) if version == VERSION else None
                self._offset = file.tell()
        except OSError as error:
            raise BadInput(f"cannot read the checkpoint {path}: {error.strerror}") from error
        except Exception as error:
            raise BadInput(f"{path} is not a checkpoint, or it is of another Redelivery: {error}") from error
        if content is None:
            raise BadInput(f"{path} is not a checkpoint of version {VERSION}")
        its, abstraction, self._out, self._met, self._parts = content
        if its != identity:
            raise BadInput(f"{path} is a checkpoint of another check: {_shown(its)}, not {_shown(identity)}")
        self.abstraction: Abstraction = abstraction

    def restore(self, machine: Machine) -> Frontier:
        """Gives every component a number of this machine, and every state its components."""
        states: dict[str, list[State]] = {LEVEL: [], DEEPER: []}
        seen: set[State] = set()
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                for _ in range(self._parts):
                    receiver = Receiver(machine, [0] * len(tables(machine)))
                    receiver.learn(pickle.load(file))
                    while chunk := pickle.load(file):
                        name, packed = chunk
                        add = seen.update if name == SEEN else states[name].extend
                        add(receiver.states(packed))
        except OSError as error:
            raise BadInput(f"cannot read the checkpoint {self._path}: {error.strerror}") from error
        except (EOFError, pickle.UnpicklingError) as error:
            raise BadInput(f"{self._path} is not a whole checkpoint: was it cut?") from error
        met, actions, struck, sent, came = self._met
        machine.watching.came_before |= came
        machine.watching.seen |= met
        machine.taking.actions.update(actions)
        machine.taking.struck |= struck
        machine.taking.sent |= sent
        return Frontier(seen, states[LEVEL], states[DEEPER], 0, self._out)


def _met(machine: Machine) -> tuple[set[int], dict[str, None], set[int], set[tuple[str, str]], set[str]]:
    taking = machine.taking
    return machine.watching.look_for_met(), taking.actions, taking.struck, taking.sent, machine.watching.came()


def _shown(identity: Identity) -> str:
    return " ".join(str(part) for part in identity if part)
