"""The ablation table: no safeguard of a variant that holds is idle, and none goes undeclared."""

from __future__ import annotations

import pytest
from redelivery.sim.catalogue import find, shipped
from redelivery.sim.check.everything import OK, ablations, check_one
from redelivery.sim.check.reductions import ALL
from redelivery.sim.scenario import Scenario


@pytest.mark.parametrize(("name", "variant"), ablations())
def test_without_a_safeguard_breaks_what_it_is_declared_to_break(name: str, variant: str) -> None:
    row = check_one(name, variant, None, ALL, lambda: 0.0)
    assert row.outcome == OK, f"{row.verdict} {row.property} {row.message}, declared: {row.declared}"
    assert row.property == find(name).variant(variant).violates


@pytest.mark.parametrize("scenario", shipped(), ids=lambda scenario: scenario.name)
def test_every_repair_declares_what_it_needs(scenario: Scenario) -> None:
    assert scenario.variants["repaired"].safeguards
