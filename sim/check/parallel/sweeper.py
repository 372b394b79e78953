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
from .worker import GLANCE, ROUND_S, Worker


class OfScenes(Worker):
    """Owns the scenes of some servers, with the masks of their pasts.

    Those of others that it comes upon it remembers, too, so that it tells each of them once.
    """

    def __init__(
        self, place: int, workers: int, machine: Machine, stop: Stop, clock: Callable[[], float], known: Sequence[int]
    ) -> None:
        super().__init__(place, workers, machine, stop, clock, known)
        self._sweep = Sweep(machine, stop, self.out)
        self._met: Masks = {}
        """Every scene that it has met, whoever owns it."""
        self._found: list[Masks] = [{} for _ in range(workers)]
        """For each worker: what is new of its scenes; for itself that is the next level."""
        self._level: list[tuple[int, int]] = []
        self._at = 0
        self._states = self._of_level = self._looked_at = self._of_deeper = 0

    def begin(self, seen: Iterable[State], level: Iterable[State], deeper: Iterable[State]) -> None:
        """Takes its own out of where the search is."""
        self._met, mine, self._found[self._place] = [self._own(states) for states in (seen, level, deeper)]
        self._level = list(mine.items())
        self._states, self._of_level = count(self._met.values()), count(mine.values())
        self._of_deeper = count(self._found[self._place].values())

    def _own(self, states: Iterable[State]) -> Masks:
        owners, place = self._owners, self._place
        return gathered(self._sweep.pasts, (state for state in states if owners.of(state) == place))

    def take_in(self, parcels: Sequence[tuple[int, bytes]]) -> None:
        """Adds what others found."""
        met, mine, states = self._met, self._found[self._place], 0
        for sender, packed in parcels:
            bundle: Bundle = pickle.loads(packed)
            for scene, mask in self._receivers[sender].scenes(bundle, self._sweep.pasts):
                old = met.get(scene, 0)
                new = mask & ~old
                if new:
                    met[scene] = old | new
                    mine[scene] = mine.get(scene, 0) | new
                    states += new.bit_count()
        self._states += states
        self._of_deeper += states

    def _deepen(self) -> None:
        mine = self._place
        self._level, self._found[mine], self._at = list(self._found[mine].items()), {}, 0
        self._of_level, self._looked_at, self._of_deeper = self._of_deeper, 0, 0

    def _pack(self) -> dict[int, bytes]:
        parcels = {}
        for other, masks in enumerate(self._found):
            if masks and other != self._place:
                bundle = self._senders[other].bundle(masks, self._sweep.pasts.table)
                parcels[other] = pickle.dumps(bundle, pickle.HIGHEST_PROTOCOL)
                masks.clear()
        return parcels

    def _look(self, depth: int) -> None:
        level, met, sweep, found = self._level, self._met, self._sweep, self._found
        owner_of, mine, clock = self._owners.of, self._place, self._clock
        at, looked_at, states = self._at, 0, 0
        end = min(len(level), at + worker.ROUND_STATES)
        until_s = clock() + ROUND_S
        while at < end:
            scene, mask = level[at]
            at += 1
            looked_at += mask.bit_count()
            for there, after in sweep.look(scene, mask, depth):
                old = met.get(there, 0)
                new = after & ~old
                if new:
                    met[there] = old | new
                    owner = owner_of(there)
                    masks = found[owner]
                    masks[there] = masks.get(there, 0) | new
                    if owner == mine:
                        states += new.bit_count()
            if sweep.hit:
                self.hit = True
                break
            if not at % GLANCE and clock() >= until_s:
                break
        self._at = at
        self._looked_at += looked_at
        self._states += states
        self._of_deeper += states

    def sizes(self) -> tuple[int, int, int, int]:
        """How many states it has."""
        return self._states, self._of_level, self._of_level - self._looked_at, self._of_deeper

    def save(self, path: Path) -> None:
        """Writes its part of a checkpoint."""
        pasts, owners, place = self._sweep.pasts, self._owners, self._place
        seen = {scene: mask for scene, mask in self._met.items() if owners.of(scene) == place}
        level = Spread(pasts, None, self._level[self._at :])
        with path.open("wb") as file:
            write_part(file, self.machine, Spread(pasts, seen), level, Spread(pasts, self._found[place]))
