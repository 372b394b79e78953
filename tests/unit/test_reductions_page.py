"""The page of what the reductions save: its small counts are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from redelivery.sim.cli.reductions_page import SETTINGS, cell, label, rows

PAGE = Path(__file__).resolve().parents[2] / "REDUCTIONS.md"
COMMAND = "run: python -m redelivery.sim.cli.reductions_page > REDUCTIONS.md"
SMALL = 60
"""Rows with at most so many states without any reduction but zones are searched again here."""


def on_the_page() -> dict[str, list[tuple[int, int]]]:
    """World to the states and steps under each setting."""
    found = {}
    for line in PAGE.read_text().splitlines():
        cells = [part.strip() for part in line.strip("|").split("|")]
        counts = [re.fullmatch(r"([\d,]+) · ([\d,]+) · [\d.]+", text) for text in cells[1:]]
        if len(cells) == len(SETTINGS) + 1 and all(counts):
            found[cells[0]] = [tuple(int(n.replace(",", "")) for n in match.groups()) for match in counts if match]
    return found  # type: ignore[return-value]


WORLDS = {label(*world): world for world in rows()}


def test_what_is_on_the_page_is_there_to_be_searched() -> None:
    assert set(on_the_page()) <= set(WORLDS), COMMAND


@pytest.mark.parametrize("name", [name for name, counts in on_the_page().items() if counts[0][0] <= SMALL])
def test_the_counts_are_true(name: str) -> None:
    again = [cell(*WORLDS[name], reductions)[:2] for reductions in SETTINGS.values()]
    assert again == on_the_page()[name], COMMAND


def test_a_reduction_never_sees_more_states_than_none() -> None:
    for name, counts in on_the_page().items():
        whole = counts[0][0]
        assert all(states <= whole for states, _ in counts), name


def test_the_small_ones_are_some() -> None:
    assert sum(counts[0][0] <= SMALL for counts in on_the_page().values()) >= 5
