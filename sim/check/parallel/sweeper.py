"""A worker that looks at all states of a scene at once."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ..breadth import Stop
from ..checkpoint import write_part
from ..machine import Machine, State
from ..sweep import Masks, Spread, Sweep, count, gathered
from . import worker
from .parcel import Bundle
from .worker import GLANCE, ROUND_S, Reply, Worker


class OfScenes(Worker):
    """Owns the scenes of some servers, with the masks of their pasts."""

    def __init__(
        self, place: int, workers: int, machine: Machine, stop: Stop, clock: Callable[[], float], known: Sequence[int]
    ) -> None:
        super().__init__(place, workers, machine, stop, clock, known)
        self._sweep = Sweep(machine, stop, self.out)
        self._leaving: dict[int, Masks] = {other: {} for other in self._senders}
        self._seen: Masks = {}
        self._states = 0
        self._level: list[tuple[int, int]] = []
        self._deeper: Masks = {}
        self._at = 0

    def begin(self, seen: Iterable[State], level: Iterable[State], deeper: Iterable[State]) -> None:
        """Takes its own out of where the search is."""
        self._seen, mine, self._deeper = [self._own(states) for states in (seen, level, deeper)]
        self._level = list(mine.items())
        self._states = count(self._seen.values())

    def _own(self, states: Iterable[State]) -> Masks:
        owners, place = self._owners, self._place
        return gathered(self._sweep.pasts, (state for state in states if owners.of(state) == place))

    def take_in(self, parcels: Sequence[tuple[int, bytes]]) -> None:
        """Adds what others found."""
        seen, deeper = self._seen, self._deeper
        for sender, packed in parcels:
            bundle: Bundle = pickle.loads(packed)
            for scene, mask in self._receivers[sender].scenes(bundle, self._sweep.pasts):
                old = seen.get(scene, 0)
                new = mask & ~old
                if new:
                    seen[scene] = old | new
                    deeper[scene] = deeper.get(scene, 0) | new
                    self._states += new.bit_count()

    def look(self, *, deepen: bool, depth: int) -> Reply:
        """Looks at scenes for a while."""
        if deepen:
            self._level, self._deeper, self._at = list(self._deeper.items()), {}, 0
        self._look(depth)
        parcels = {}
        for other, masks in self._leaving.items():
            if masks:
                bundle = self._senders[other].bundle(masks, self._sweep.pasts.table)
                parcels[other] = pickle.dumps(bundle, pickle.HIGHEST_PROTOCOL)
                masks.clear()
        return self.reply(parcels)

    def _look(self, depth: int) -> None:
        level, seen, deeper, sweep = self._level, self._seen, self._deeper, self._sweep
        owner_of, leaving, mine, clock = self._owners.of, self._leaving, self._place, self._clock
        at, states = self._at, self._states
        end = min(len(level), at + worker.ROUND_STATES)
        until_s = clock() + ROUND_S
        while at < end:
            scene, mask = level[at]
            at += 1
            for there, after in sweep.look(scene, mask, depth):
                owner = owner_of(there)
                if owner != mine:
                    away = leaving[owner]
                    away[there] = away.get(there, 0) | after
                    continue
                old = seen.get(there, 0)
                new = after & ~old
                if new:
                    seen[there] = old | new
                    deeper[there] = deeper.get(there, 0) | new
                    states += new.bit_count()
            if sweep.hit:
                self.hit = True
                break
            if not at % GLANCE and clock() >= until_s:
                break
        self._at, self._states = at, states

    def sizes(self) -> tuple[int, int, int, int]:
        """How many states it has."""
        left = count([mask for _, mask in self._level[self._at :]])
        return self._states, count([mask for _, mask in self._level]), left, count(self._deeper.values())

    def save(self, path: Path) -> None:
        """Writes its part of a checkpoint."""
        pasts = self._sweep.pasts
        level = Spread(pasts, None, self._level[self._at :])
        with path.open("wb") as file:
            write_part(file, self.machine, Spread(pasts, self._seen), level, Spread(pasts, self._deeper))
