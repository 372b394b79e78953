"""The maps that the catalogue shows: kept as they are asked for, and as the checker finds them."""

from __future__ import annotations

import html
import json
import re
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from redelivery.sim.atlas import MAPS, KeptMap
from redelivery.sim.catalogue import find
from redelivery.sim.check.check import census
from redelivery.sim.check.mapping import label_of, parse_axis

ROOT = Path(__file__).resolve().parents[2]
EVERY = 4
"""Of so many borders one is searched again: all of them take a minute, and `python -m redelivery.sim.atlas` does it."""


def numbers_of(kept: KeptMap) -> dict[str, Any]:
    text = (ROOT / kept.path).read_text(encoding="utf-8")
    (told,) = re.findall(r"<dc:description>(.*?)</dc:description>", text, re.DOTALL)
    value: dict[str, Any] = json.loads(html.unescape(told))
    return value


@pytest.mark.parametrize("kept", MAPS, ids=lambda kept: kept.name)
def test_a_picture_is_of_what_is_asked_for(kept: KeptMap) -> None:
    told, scenario = numbers_of(kept), find(kept.scenario)
    assert (told["scenario"], told["variant"]) == (kept.scenario, kept.variant)
    axes = {"x": parse_axis(kept.x, "--x", scenario), "y": parse_axis(kept.y, "--y", scenario)}
    for key, axis in axes.items():
        assert (told[key]["name"], told[key]["low"], told[key]["high"]) == (axis.name, axis.low, axis.high)
        assert tuple(told[f"{key}s"]) == axis.grid(kept.steps)
    swept = {axis.name for axis in axes.values()}
    fixed = {name: str(value) for name, value in scenario.params.items() if name not in swept} | kept.params
    assert told["params"] == fixed


@pytest.mark.parametrize("kept", MAPS, ids=lambda kept: kept.name)
def test_beside_the_borders_on_a_picture_the_checker_finds_the_one_and_the_other(kept: KeptMap) -> None:
    told = numbers_of(kept)
    scenario = find(kept.scenario)
    for border in islice(told["borders"], 0, None, EVERY):
        for value, label in ((border["last"], border["before"]), (border["first"], border["after"])):
            x, y = (value, border["at"]) if border["along"] == "x" else (border["at"], value)
            given = told["params"] | {told["x"]["name"]: str(x), told["y"]["name"]: str(y)}
            assert label_of(census(scenario, kept.variant, dialect=told["dialect"], params=given)) == label


def test_the_border_of_a_handler_is_its_min_idle_time() -> None:
    """Never below it; above it by no more than the claimer takes to look again (1001 ms)."""
    (kept,) = [each for each in MAPS if each.name == "map-handler"]
    for border in numbers_of(kept)["borders"]:
        idle, handler = (border["last"], border["at"]) if border["along"] == "x" else (border["at"], border["last"])
        assert idle <= handler <= idle + 1001


def test_a_heartbeat_below_min_idle_is_safe_and_above_it_only_where_none_is_needed() -> None:
    (kept,) = [each for each in MAPS if each.name == "map-heartbeat"]
    told = numbers_of(kept)
    for y, row in zip(told["ys"], told["labels"], strict=True):
        for x, label in zip(told["xs"], row, strict=True):
            handler = int(kept.params["handler_ms"])
            assert (label == "safe") == (y <= x or x >= handler), (x, y)
