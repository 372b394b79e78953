"""Every scenario, once more on a real Redis under the virtual clock: every reply is the same, byte for byte."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from redelivery.models.replies import BLOCKED
from redelivery.sim.against import compare
from redelivery.sim.catalogue import find, shipped
from redelivery.sim.cli import main
from redelivery.sim.events import Effect, Served
from redelivery.sim.run import simulate

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the virtual clock is for Linux x86-64"
)

VARIANTS = [(scenario.name, variant) for scenario in shipped() for variant in scenario.variants]
SEEDS = (0, 1, 7, 42)


QUIET = ("block-vs-socket-timeout", "regroup-at-dollar-gap")
"""Where hardly anything is asked: what happens is that nothing comes."""

LUCKY = {("failover-loses-xadd", "broken"), ("half-open-read", "cut-off")}
"""Where the fault may strike when it does no harm."""

@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_a_real_redis_gives_the_same_replies(
    name: str, variant: str, seed: int, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    history = tmp_path / "h.jsonl"
    arguments = [
        "run",
        name,
        "--variant",
        variant,
        "--seed",
        str(seed),
        "--against",
        "embedded",
        "--history",
        str(history),
    ]
    with pytest.raises(SystemExit) as stop:
        main([*arguments, "--json"])
    said = json.loads(capsys.readouterr().out)
    assert said["differences"] == []
    declared = find(name).variant(variant).dialects
    assert said["replies"] > (4 if declared else 3 if name in QUIET else 8), "lacking a command, a process ends"
    assert said["time_compared"]
    assert said["dialect"] == said["server_dialect"], "the model speaks what the server is"
    assert said["server"]
    assert said["version"].startswith(said["dialect"].partition("-")[2])
    if (name, variant) in LUCKY and said["verdict"] == "holds":
        assert stop.value.code == 1
    elif not declared or said["dialect"] in declared:
        assert stop.value.code in (0, 3), "as declared, or a seed that shows nothing"
        assert (stop.value.code == 3) == (said["verdict"] == "incomplete" or not said["as_declared"])
    assert history.stat().st_size > 0


def test_every_reply_of_the_run_is_compared() -> None:
    run = simulate(find("event-sourcing"), dialect="redis-6.2")
    outcome = compare(run.history, "embedded")
    at_once = [reply for event in run.history if isinstance(event, Effect) for reply in event.replies]
    served = [event for event in run.history if isinstance(event, Served)]
    assert BLOCKED in at_once
    assert outcome.replies == len(at_once) - at_once.count(BLOCKED) + len(served)
    assert outcome.differences == ()


def test_a_reply_that_is_not_what_the_server_says_is_a_difference() -> None:
    run = simulate(find("crash-before-ack"), dialect="redis-6.2")
    for at, event in enumerate(run.history.events):
        if isinstance(event, Effect) and event.commands[0][0] == b"XACK":
            run.history.events[at] = event._replace(replies=(7,))
            break
    (difference,) = compare(run.history, "embedded").differences
    assert "XACK" in difference.command
    assert ("7" in difference.model, "1" in difference.server) == (True, True)


def test_another_dialect_than_the_servers_may_differ_and_is_told() -> None:
    """``XINFO GROUPS`` has two more fields from 7.0 on; the comparison is held against a server of 6.2."""
    run = simulate(find("event-sourcing"), "snapshot-then-trim", dialect="redis-8.6")
    outcome = compare(run.history, "embedded")
    if outcome.dialect != "redis-6.2":
        pytest.skip("the embedded server is not 6.2 here")
    assert {difference.command.split()[0] for difference in outcome.differences} >= {"XINFO"}
    assert len(outcome.differences) < outcome.replies
