"""The states of a world as the checker tells them apart: abstract ones, or, where it cannot abstract, exact ones."""

from __future__ import annotations

from typing import TypeAlias

from ..check.machine import Machine
from ..check.plain import Plain
from ..check.taking import Edge
from ..watch import Property
from ..world import World

State: TypeAlias = int | bytes
"""A number of a machine, or the digest of a whole world."""
Found: TypeAlias = list[tuple[Edge, State, tuple[int, ...]]]
"""Steps, the states that they lead to, and the properties that they break."""


class Abstract:
    """The states of a machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.first: State = machine.first
        """Where everything begins, as it is."""
        self.initial: State = machine.initial
        self.properties: tuple[Property, ...] = machine.properties

    def canonical(self, state: State) -> State:
        """The one of all states that differ by who is who."""
        assert isinstance(state, int)
        return self._machine.canonical(state)

    def steps(self, state: State) -> Found:
        """Every step from a state, whoever is who."""
        assert isinstance(state, int)
        return [*self._machine.steps(state)]

    def look(self, state: State) -> tuple[Found, tuple[int, ...] | None]:
        """The steps from a canonical state to others, and what is broken if the run is over here, if it can be."""
        assert isinstance(state, int)
        found = self._machine.successors(state)
        return [*found], self._machine.at_end(state, found)


class Exact:
    """The states of a world that is compared to the last digit. Each can be looked at once."""

    def __init__(self, plain: Plain) -> None:
        self._plain = plain
        self.first: State = plain.key(plain.initial)
        self.initial: State = self.first
        self.properties: tuple[Property, ...] = plain.properties
        self._worlds: dict[State, World] = {self.first: plain.initial}
        """Of the states that have not been looked at yet."""
        self._found: dict[State, Found] = {}

    def canonical(self, state: State) -> State:
        """The state itself."""
        return state

    def steps(self, state: State) -> Found:
        """Every step from a state that was looked at."""
        return self._found[state]

    def look(self, state: State) -> tuple[Found, tuple[int, ...] | None]:
        """The steps from a state to others, and what is broken if the run is over here, if it can be."""
        world = self._worlds.pop(state)
        successors = self._plain.successors(world)
        found: Found = []
        for edge, after, broken in successors:
            key = self._plain.key(after)
            if key not in self._found and key != state:
                self._worlds.setdefault(key, after)
            found.append((edge, key, broken))
        self._found[state] = found
        return found, self._plain.at_end(world, successors)
