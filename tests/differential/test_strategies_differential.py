"""Short runs that Hypothesis draws, on the embedded server: what differs is made small by Hypothesis."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, note, settings
from redelivery.models.commands import info
from redelivery.sim.real import strategies
from redelivery.sim.real.diff.bench import Bench
from redelivery.sim.real.diff.source import Run
from redelivery.sim.real.diff.story import story_of
from redelivery.sim.real.servers import embedded

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the virtual clock is for Linux x86-64"
)

BENCHES: dict[str, Bench] = {}


@pytest.fixture(scope="module", autouse=True)
def bench() -> Iterator[None]:
    with Bench(embedded()) as found:
        BENCHES["embedded"] = found
        yield


DIALECT = embedded().dialect
SETTINGS = settings(
    max_examples=100, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)  # fmt: skip


@SETTINGS
@given(strategies.runs(DIALECT))
def test_no_short_run_differs(run: Run) -> None:
    found = BENCHES["embedded"].differences(run.recorder)
    if found:
        note(story_of(run.actions, run.world.config))
    assert found == ()


def test_hypothesis_finds_a_wrong_model_and_makes_it_small(monkeypatch: pytest.MonkeyPatch) -> None:
    smallest: list[str] = []
    monkeypatch.setattr(info, "NO_SUCH_KEY", b"ERR none such")

    @settings(SETTINGS, max_examples=400)
    @given(strategies.runs(DIALECT, commands_max=4))  # of long ones Hypothesis would shrink for minutes, or give up
    def differs(run: Run) -> None:
        if BENCHES["embedded"].differences(run.recorder):
            smallest[:] = [story_of(run.actions, run.world.config)]
            raise AssertionError("differs")

    with pytest.raises(AssertionError, match="differs"):
        differs()
    sent = [line for line in smallest[0].splitlines() if ">" in line[:2]]
    assert len(sent) <= 2
    assert "XINFO" in sent[-1].upper()
