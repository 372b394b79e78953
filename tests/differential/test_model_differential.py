"""The model against real servers, reply by reply and state by state, to the byte.

The embedded server always takes part. REDELIVERY_SERVERS names more: paths of executables that start a
server, or of folders whose subfolders each have one called ``run``, separated as in PATH.
REDELIVERY_DIFFERENTIAL_RUNS says how many random runs each server gets.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from redelivery.models import ids
from redelivery.models.group import Consumer, Group
from redelivery.models.server import Config
from redelivery.sim.real.servers import ServerBinary

from .model_against_servers import (
    Action,
    Bench,
    Connect,
    Do,
    Inspect,
    Recorder,
    record,
    servers_named,
    show,
    shrink,
)
from .model_rows import ROWS, Row, played, rows
from .model_worlds import TASTES, Source, World, generate

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the virtual clock is for Linux x86-64"
)

RUNS = int(os.environ.get("REDELIVERY_DIFFERENTIAL_RUNS", "60"))
COMMANDS_A_RUN = 300


@pytest.fixture(scope="module", params=servers_named(), ids=lambda binary: f"{binary.line}-{binary.version}")
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    assert isinstance(request.param, ServerBinary)
    found = Bench(request.param)
    yield found
    found.close()


@pytest.mark.parametrize("row", rows(ROWS.read_text()), ids=lambda row: row.title)
def test_a_server_answers_as_the_row_says(bench: Bench, row: Row) -> None:
    assert bench.differences(played(row, bench.dialect)[0]) == ()


@pytest.mark.parametrize("seed", range(RUNS))
def test_random_runs_do_not_differ(bench: Bench, seed: int) -> None:
    world, actions, recorder = generate(bench.dialect, seed, COMMANDS_A_RUN)
    if bench.differences(recorder):
        pytest.fail(show(bench, world.config, shrink(bench, world.config, actions)))


@st.composite
def runs(draw: st.DrawFn, dialect: str) -> tuple[World, list[Action]]:
    """A short run: each action is of a seed of its own, so that what is not needed can be left out."""
    node = draw(st.sampled_from(((4096, 100), (0, 2), (120, 0))))
    world = World(Config(*node), draw(st.sampled_from(TASTES)), connections=3)
    recorder = Recorder(dialect, world.config)
    chance = Random(0)
    source = Source(chance, recorder, world)
    actions: list[Action] = []

    def take(found: Iterable[Action]) -> None:
        for action in found:
            recorder.take(action)
            actions.append(action)

    take([*source.first(), Do(0, (b"XGROUP", b"CREATE", b"s", b"g", b"0", b"MKSTREAM"))])
    for _ in range(draw(st.integers(0, 60))):
        chance.seed(draw(st.integers(0, 2**32)))
        take(source.next())
    return world, [*actions, Inspect()]


@settings(
    max_examples=600,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.data())
def test_no_short_run_differs(bench: Bench, data: st.DataObject) -> None:
    world, actions = data.draw(runs(bench.dialect))
    recorder = record(bench.dialect, world.config, actions)
    found = bench.differences(recorder)
    if found:
        note(show(bench, world.config, actions))
    assert found == ()


# ---- does it see what it should see? ----


def test_a_wrong_model_is_found_and_shrunk(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = ids.show
    monkeypatch.setattr(ids, "show", lambda entry_id: shown(entry_id ^ 1))
    world, actions, recorder = generate(bench.dialect, 1, 100)
    assert bench.differences(recorder)
    left = shrink(bench, world.config, actions)
    assert sum(isinstance(action, Do) for action in left) <= 2
    assert "server" in show(bench, world.config, left)


def test_a_wrong_state_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assign = Group.assign

    def one_more(group: Group, entry_id: int, owner: Consumer, now_ms: int, count: int) -> bytes | None:
        return assign(group, entry_id, owner, now_ms, count + 1)

    monkeypatch.setattr(Group, "assign", one_more)
    lines = (b"XADD k 1-1 a 1", b"XGROUP CREATE k g 0", b"XREADGROUP GROUP g c STREAMS k >")
    actions: list[Action] = [Connect(1, 2), *(Do(1, tuple(line.split())) for line in lines)]
    assert bench.differences(record(bench.dialect, Config(), actions)) == ()
    found = bench.differences(record(bench.dialect, Config(), [*actions, Inspect()]))
    assert {difference.command.split()[0] for difference in found} == {"XINFO", "XPENDING"}
