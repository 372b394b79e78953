"""The model against real servers, reply by reply and state by state, to the byte.

The embedded server always takes part; REDELIVERY_SERVERS names more (``servers_at_hand.py``).
REDELIVERY_DIFFERENTIAL_COMMANDS says how many random commands each server gets, at speed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from redelivery.models import ids
from redelivery.models.group import Consumer, Group
from redelivery.models.server import Config
from redelivery.sim.real.diff.actions import Action, Connect, Do, Inspect
from redelivery.sim.real.diff.bench import Bench
from redelivery.sim.real.diff.campaign import Report, campaign
from redelivery.sim.real.diff.recorder import record
from redelivery.sim.real.diff.shrink import shrink
from redelivery.sim.real.diff.source import generate
from redelivery.sim.real.diff.story import story_of
from redelivery.sim.real.servers import ServerBinary

from .model_rows import Row, all_rows, played
from .servers_at_hand import servers_named

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the virtual clock is for Linux x86-64"
)

DEFAULT_COMMANDS = 100_000
COMMANDS = int(os.environ.get("REDELIVERY_DIFFERENTIAL_COMMANDS", DEFAULT_COMMANDS))
LOCKSTEP_RUNS = 10
COMMANDS_A_RUN = 300


@pytest.fixture(scope="module", params=servers_named(), ids=lambda binary: f"{binary.line}-{binary.version}")
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    assert isinstance(request.param, ServerBinary)
    with Bench(request.param) as found:
        yield found


@pytest.mark.parametrize("row", all_rows(), ids=lambda row: row.title)
def test_a_server_answers_as_the_row_says(bench: Bench, row: Row) -> None:
    assert bench.differences(played(row, bench.dialect)[0]) == ()


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    """The default run of every server, several at a time: each in a process of its own."""
    servers = servers_named()
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        runs = {server.dialect: pool.submit(campaign, server, COMMANDS, 0) for server in servers}
        return {dialect: run.result() for dialect, run in runs.items()}


@pytest.mark.parametrize("dialect", [server.dialect for server in servers_named()])
def test_default_runs_differ_nowhere_and_meet_each_row_somewhere(reports: dict[str, Report], dialect: str) -> None:
    report = reports[dialect]
    assert [finding.transcript for finding in report.differences] == []
    assert len(report.unconfirmed) <= 1, "a machine that is busy may keep a server waiting, but not again and again"
    assert report.commands == COMMANDS
    if DEFAULT_COMMANDS <= COMMANDS:
        elsewhere = [set(other.unmet) for other in reports.values() if other is not report]
        assert [row for row in report.unmet if all(row in unmet for unmet in elsewhere)] == [], "met on no server"


@pytest.mark.parametrize("seed", range(LOCKSTEP_RUNS))
def test_random_runs_do_not_differ_step_by_step(bench: Bench, seed: int) -> None:
    run = generate(bench.dialect, seed, COMMANDS_A_RUN)
    if bench.differences(run.recorder):
        pytest.fail(story_of(shrink(bench, run.world.config, run.actions), run.world.config))


# ---- does it see what it should see? ----


def test_a_wrong_model_is_found_and_shrunk(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = ids.show
    monkeypatch.setattr(ids, "show", lambda entry_id: shown(entry_id ^ 1))
    run = generate(bench.dialect, 1, 100)
    assert bench.differences(run.recorder)
    left = shrink(bench, run.world.config, run.actions)
    assert sum(isinstance(action, Do) for action in left) <= 2


def test_a_wrong_state_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assign = Group.assign

    def one_more(
        group: Group, entry_id: int, owner: Consumer, now_ms: int, count: int, *, in_time: bool = False
    ) -> bytes | None:
        return assign(group, entry_id, owner, now_ms, count + 1, in_time=in_time)

    monkeypatch.setattr(Group, "assign", one_more)
    lines = (b"XADD k 1-1 a 1", b"XGROUP CREATE k g 0", b"XREADGROUP GROUP g c STREAMS k >")
    actions: list[Action] = [Connect(1, 2), *(Do(1, tuple(line.split())) for line in lines)]
    assert bench.differences(record(bench.dialect, Config(), actions)) == ()
    found = bench.differences(record(bench.dialect, Config(), [*actions, Inspect()]))
    assert {difference.command.split()[0] for difference in found} == {"XINFO", "XPENDING"}
