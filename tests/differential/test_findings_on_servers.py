"""Findings on real servers: whatever a search found, a server answers the same at every step, to the byte."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import redelivery
from redelivery.models.dialects import DIALECTS
from redelivery.sim.catalogue import find, shipped
from redelivery.sim.check.finding import Finding, make, read
from redelivery.sim.check.hunt import hunt
from redelivery.sim.check.report import LIVENESS, Counterexample
from redelivery.sim.check.schedules import Start
from redelivery.sim.cli import main
from redelivery.sim.errors import ScenarioError
from redelivery.sim.real.recording import script_of
from redelivery.sim.real.replay import replay
from redelivery.sim.real.servers import ServerBinary, at_hand
from redelivery.sim.run import simulate

from .servers_at_hand import servers_named

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the virtual clock is for Linux x86-64"
)

BROKEN = [
    (scenario.name, name) for scenario in shipped() for name, variant in scenario.variants.items() if variant.violates
]


NEEDS_XAUTOCLAIM = {
    "ack-lost-then-claimed": ["request-lost"],
    "error-is-acked": ["handler-fails"],
    "one-socket-block-and-ack": [],
    "poison-message-loop": ["handler-fails", "taken-up-again"],
    "prefetch-ages-in-buffer": ["taken-over"],
    "reorder-by-claim": ["crashed-holding", "taken-over"],
    "reply-lost-claim": ["taken-up-again"],
    "retry-vs-redelivery": [],
    "self-reclaim": ["renewed"],
    "slow-handler-claimed": ["taken-over"],
    "zombie-renewal-steals-back": ["stood-still", "taken-over"],
}
"""What breaks because somebody claims too much or too late does not break on 6.0, where nobody claims: the command that
they claim with came with 6.2. Each with what is never met there."""

NEEDS_6_2 = {
    ("clock-jump-forward-claims-all", "broken"): ["taken-over"],  # XAUTOCLAIM
    ("delconsumer-ghost", "broken"): ["crashed-holding", "consumer-deleted"],  # XAUTOCLAIM
    ("string-min-trim", "broken"): ["trimmed"],  # MINID
    ("trim-unacked-maxlen", "broken"): ["crashed-holding"],  # XAUTOCLAIM
    ("trim-undelivered-slow-group", "broken"): ["trimmed"],  # MINID
}
"""What breaks by a command or an option that came with 6.2, with what is never met on 6.0."""


ON_THE_FIRST_SERVER = (
    ("failover-loses-ack", "broken"),
    ("failover-loses-xadd", "other-connection"),
    ("restart-from-old-log", "snapshot"),
)
"""What is confirmed on one server alone: it takes a while to start a replica, or to take a snapshot after each command.
That a server fails over is confirmed on each, by the other variant of ``failover-loses-xadd``."""


def named(value: object) -> str:
    """A name in the name of a test."""
    return f"{value.line}-{value.version}" if isinstance(value, ServerBinary) else str(value)


@pytest.fixture(scope="module", params=servers_named(), ids=named)
def server(request: pytest.FixtureRequest) -> ServerBinary:
    binary: ServerBinary = request.param
    return binary


def confirmed(finding: Finding, server: ServerBinary) -> None:
    """The server agrees with every reply of the finding's run."""
    run = simulate(find(finding.tape.scenario), tape=finding.tape)
    assert finding.changed(run) == ""
    outcome = replay(script_of(run.history), server)
    assert outcome.time_compared
    assert outcome.replies >= 2  # that of a read which is never answered takes no more: the group, the order
    assert outcome.differences == ()


def shares() -> list[tuple[str, str, ServerBinary]]:
    """Which server is asked for which finding: the first, the newest Redis and 6.0 for each, the others in turns."""
    servers = servers_named()
    dialects = [server.dialect for server in servers]
    newest = [name for name in DIALECTS if name in dialects and name.startswith("redis")][-1]
    always = {dialects[0], "redis-6.0", newest}
    others = [dialect for dialect in dialects if dialect not in always]
    return [
        (name, variant, server)
        for server in servers
        for which, (name, variant) in enumerate(BROKEN)
        if server.dialect in always or others.index(server.dialect) == which % len(others)
    ]


@pytest.mark.parametrize(("name", "variant", "server"), shares(), ids=named)
def test_a_small_counterexample_is_confirmed(name: str, variant: str, server: ServerBinary) -> None:
    declared = find(name).variant(variant)
    if declared.dialects and server.dialect not in declared.dialects:
        run = simulate(find(name), variant, dialect=server.dialect)
        assert replay(script_of(run.history), server).differences == (), "there it shows something else, as this does"
        return
    start = Start(find(name), variant, server.dialect)
    if (name, server.dialect) == ("group-world", "redis-6.0"):
        with pytest.raises(ScenarioError, match=r"XGROUP CREATECONSUMER .* failed"):  # it came with 6.2
            hunt(start, "swarm", runs=1, replays_max=1)
        return
    done = hunt(start, "swarm", runs=100, replays_max=300)
    if server.dialect == "redis-6.0" and name in NEEDS_XAUTOCLAIM:
        assert done.finding is None
        assert done.search.unmet == NEEDS_XAUTOCLAIM[name]
        return
    if server.dialect == "redis-6.0" and (name, variant) in NEEDS_6_2:
        assert done.finding is None
        assert done.search.unmet == NEEDS_6_2[name, variant]
        return
    assert done.finding is not None
    assert done.finding.property == find(name).variant(variant).violates
    if (name, variant) not in ON_THE_FIRST_SERVER or server == next(at_hand()):
        confirmed(done.finding, server)


POLLERS = """
from redelivery import Crash, Plan, Process, Scenario, Variant, handle, sleep

async def poll(redis, me):
    for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1):
        for entry_id, fields in entries:
            await handle(entry_id, fields)
            await redis.xack("s", "g", entry_id)
    await sleep(500)

plan = Plan(
    processes=[
        Process("a", poll, restart=None, handle_ms=2000),
        *(Process(name, poll, start_ms=100) for name in ("b", "c")),
    ],
    setup=[("XADD", "s", "*", "n", "1"), ("XGROUP", "CREATE", "s", "g", "0")],
    faults=[Crash("a", when="holding")],
    faults_ms=1000,
    within_ms=9000,
)
scenario = Scenario("pollers", "Nobody claims.", {"given": Variant("as it is", lambda params: plan)}, ["no-orphan"])
"""


def test_a_lasso_is_confirmed_round_after_round(server: ServerBinary, tmp_path: Path) -> None:
    """Two pollers wake at the same moment, the later one first, round after round: nobody ever claims."""
    (tmp_path / "pollers.py").write_text(POLLERS)
    name = str(tmp_path / "pollers.py")
    prefix, loop = (1,), (1, 1)
    lasso = Counterexample(
        name, "given", server.dialect, {}, prefix + loop, "no-orphan", LIVENESS, loop_start=1, loop_end=3, loop_ms=500
    )
    finding, run = make(lasso)
    rounds = finding.tape.choices[1:]
    assert len(rounds) > 20
    assert set(rounds) == {1}
    assert [violation.property for violation in run.violations] == ["no-orphan"]
    confirmed(finding, server)


def test_check_and_replay_ask_a_server_and_fail_where_it_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> int:
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert isinstance(stop.value.code, int)
        return stop.value.code

    broken = ("check", "crash-before-ack", "--variant", "broken", "--runs", "30", "--against", "embedded")
    assert call(*broken, "--finding", "f.json") == 0
    assert "gave the same" in capsys.readouterr().out
    assert read(tmp_path / "f.json").tape.dialect.startswith("redis-6."), "the model speaks what the server is"
    assert call("replay", "f.json", "--against", "embedded") == 0
    out = capsys.readouterr().out
    assert "gave the same" in out
    assert "the very run that was found" in out
    tape = read(tmp_path / "f.json").tape
    redelivery.assert_violates(tape, "no-orphan", against="embedded")
    other = replace(tape, scenario="event-sourcing", variant="snapshot-then-trim", dialect="redis-8.6", params={})
    other = replace(other, choices=())
    with pytest.raises(AssertionError, match="differs from the model in"):
        redelivery.assert_holds(other, against="embedded")
