"""The pages that tell of all scenarios: they are what the scenarios declare, and say all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from redelivery.sim.catalogue import find, shipped
from redelivery.sim.catalogue_page import filled, page, readme, scenario_table
from redelivery.sim.properties import BUILT_IN

ROOT = Path(__file__).resolve().parents[2]
WRITE = "run: python -m redelivery.sim.catalogue_page"


def test_the_catalogue_is_what_the_generator_gives() -> None:
    assert (ROOT / "CATALOGUE.md").read_text(encoding="utf-8") == page(), WRITE


def test_the_tables_of_the_readme_are_what_the_generator_gives() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text == readme(text), WRITE
    for scenario in shipped():
        assert f"| `{scenario.name}` | {scenario.summary} |" in text
    for name in BUILT_IN:
        assert f"| `{name}`" in text


def test_a_scenario_is_told_with_its_verdicts_counts_evidence_advice_and_safeguards() -> None:
    crash = find("crash-before-ack")
    text = page([crash])
    assert "1 scenarios, 2 variants, 1,101 states." in text
    assert "| [crash-before-ack](#crash-before-ack) | `broken` | violates `no-orphan` | 323 | any |" in text
    assert "| [crash-before-ack](#crash-before-ack) | `repaired` | holds | 778 | any |" in text
    assert "| [crash-before-ack](#crash-before-ack) | `repaired` | `claim` | `no-orphan` |" in text
    assert crash.evidence in text
    assert crash.advice in text
    assert "`min_idle_ms=5000`" in text


def test_a_variant_that_depends_on_the_server_says_on_which() -> None:
    assert "| `at-dollar` | holds | 46 | redis-7.0 and later; valkey-8.0 and later |" in page()
    assert "| `at-dollar-before-7` | violates `handled-at-least-once` | 43 | redis-6.2 |" in page()
    text = page([find("orphan-never-claimed")])
    assert "| `reading-with-claim` | holds | 1,869 | redis-8.4 and later |" in text


def test_the_short_table_names_what_breaks_once() -> None:
    table = scenario_table([find("trim-unacked-maxlen")])
    assert table.splitlines()[-1].endswith("| `trim-respects-pending` | `repaired`, `acked` |")


def test_a_page_without_the_markers_is_refused() -> None:
    assert filled("a\n<!-- m -->\nold\n<!-- /m -->\nb\n", "m", "new\n") == "a\n<!-- m -->\nnew\n<!-- /m -->\nb\n"
    with pytest.raises(ValueError, match="no <!-- m -->"):
        filled("a\n<!-- m -->\n", "m", "new\n")
