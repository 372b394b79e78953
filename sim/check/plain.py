"""The world itself as something to search: forked at every step, compared to the last digit.

Nothing is taken for the same that is not, so loops close only where time comes back, which it never does. It is slow,
and it is what every reduction is held against; it also serves where a world cannot be abstracted.
"""

from __future__ import annotations

from ..choices import Enumerated
from ..steps import Due, Expire, Step
from ..world import World
from .taking import Edge


class Plain:
    """Worlds as states, their fingerprints as keys."""

    def __init__(self, world: World) -> None:
        assert world.watch is not None
        self.initial = world
        self.properties = world.watch.properties
        self._places = {p.name: which for which, p in enumerate(self.properties)}
        self._unmet = set(world.watch.unmet())

    def key(self, state: World) -> bytes:
        """The digest of everything."""
        return state.fingerprint()

    def successors(self, state: World) -> list[tuple[Edge, World, tuple[int, ...]]]:
        """Every step, with every answer to the choices within it."""
        found = []
        steps = state.enabled()
        before = self._broken(state)
        for place, step in enumerate(steps):
            edge = edge_of(steps, place)
            inner = Enumerated()
            while True:
                twin = state.fork()
                twin.take(step, inner)
                broken = tuple(which for which in self._broken(twin) if which not in before)
                found.append((edge._replace(answers=tuple(inner.answers)), twin, broken))
                self._meet(twin)
                if not inner.advance():
                    break
        return found

    def at_end(self, state: World, found: list[tuple[Edge, World, tuple[int, ...]]]) -> tuple[int, ...] | None:
        """Where no step is left the run is over."""
        if found:
            return None
        before = self._broken(state)
        twin = state.fork()
        twin.finish()
        self._meet(twin)
        return tuple(which for which in self._broken(twin) if which not in before)

    def unmet(self) -> list[str]:
        """The *sometimes* statements that no state so far has met."""
        return [p.name for p in self.properties if p.name in self._unmet]

    def _meet(self, world: World) -> None:
        assert world.watch is not None
        if self._unmet:
            self._unmet.intersection_update(world.watch.unmet())

    def _broken(self, world: World) -> tuple[int, ...]:
        assert world.watch is not None
        return tuple(sorted(self._places[violation.property] for violation in world.watch.violations))


def edge_of(steps: list[Step], place: int) -> Edge:
    """What a tape is made of: the step at ``place`` among those that are enabled."""
    step = steps[place]
    if isinstance(step, Expire):
        return Edge("expire", -1, 0, ())
    if not isinstance(step, Due):
        return Edge("strike", step.process, step.fault, ())
    process = step.scheduled.event.process
    before = [other for other in steps[:place] if isinstance(other, Due) and other.scheduled.event.process == process]
    return Edge("due", process, len(before), ())
