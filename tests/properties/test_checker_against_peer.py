"""Where the abstraction is the specification's own, the checker counts the specification's states, one by one."""

from __future__ import annotations

import pytest
from redelivery.sim.check.abstraction import Abstraction
from redelivery.sim.check.breadth import breadth_first
from redelivery.sim.check.machine import Machine

from .peer_world import counts, world

SIZES = [(1, 2, 1, 2), (2, 1, 2, 3), (2, 2, 1, 2), (3, 1, 1, 3), (2, 3, 0, 2), (3, 2, 0, 2)]


@pytest.mark.parametrize(("consumers", "entries", "crashes", "deliveries"), SIZES)
def test_the_checker_counts_what_the_specification_has(
    consumers: int, entries: int, crashes: int, deliveries: int
) -> None:
    made = world(consumers=consumers, entries=entries, crashes=crashes, deliveries=deliveries)
    whole, orbits = counts(consumers, entries, crashes, deliveries)
    assert breadth_first(Machine(made, Abstraction(symmetry=False)), lambda broken: False).states == whole
    assert breadth_first(Machine(made, Abstraction(symmetry=True)), lambda broken: False).states == orbits
