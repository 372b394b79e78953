"""What a notebook shows of runs, histories, findings, checks and graphs, and that nothing loads before it does."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from xml.dom import minidom

from redelivery import find, simulate
from redelivery.sim.check.check import check
from redelivery.sim.check.finding import make
from redelivery.sim.check.report import Edge, Node, StateGraph


def test_a_run_and_its_history_are_their_timeline() -> None:
    run = simulate(find("reply-lost-claim"), "broken")
    drawn = run._repr_svg_()
    assert drawn == run.history._repr_svg_()
    assert drawn.startswith("<svg")
    assert minidom.parseString(drawn).getElementsByTagName("svg")


def test_a_check_tells_its_verdict_its_steps_and_how_to_see_it_again() -> None:
    result = check(find("crash-before-ack"), "broken")
    told = result._repr_html_()
    assert "crash-before-ack, broken: violated no-orphan" in told
    assert "redelivery replay redelivery-1:crash-before-ack:broken" in told
    assert "  1. " in told
    holds = check(find("reply-lost-read"), "repaired")._repr_html_()
    assert "reply-lost-read, repaired: holds" in holds
    assert "replay" not in holds


def test_a_finding_has_its_story_and_its_picture_where_its_scenario_is_at_hand() -> None:
    result = check(find("crash-before-ack"), "broken")
    assert result.counterexample is not None
    finding, _ = make(result.counterexample, find("crash-before-ack"))
    told = finding._repr_html_()
    assert "✗ no-orphan" in told
    assert "<svg" in told
    hostile = replace(finding, message="<script>", tape=replace(finding.tape, scenario="gone-for-good"))
    told = hostile._repr_html_()
    assert "&lt;script&gt;" in told
    assert "It cannot be drawn here: unknown scenario" in told


def test_a_state_graph_is_its_picture() -> None:
    nodes = (Node("a", 0, (("entries", "0"),)), Node("b", 1, (("entries", "1"),), ("no-orphan",)))
    graph = StateGraph("small", "broken", "a", nodes, (Edge("a", "b", "shop: XADD", "shop"),))
    drawn = graph._repr_svg_()
    assert minidom.parseString(drawn).getElementsByTagName("svg")
    assert "no-orphan" in drawn


def test_nothing_is_loaded_for_it_before_it_is_shown() -> None:
    code = (
        "import sys, redelivery; from redelivery.sim.check import report, finding; from redelivery.sim import history;"
        "sys.exit('matplotlib' in sys.modules or 'redelivery.sim.views.notebook' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
