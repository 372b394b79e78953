"""The axis of time, and times in words."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redelivery.sim.views.axis import TICK_SHARE, axis, typical
from redelivery.sim.views.words import duration, jump, listed, roughly, short


def test_a_run_without_long_waits_is_to_scale() -> None:
    found = axis([0, 400, 1000], 50)
    assert found.breaks == ()
    assert [found.place(at_ms) for at_ms in (0, 250, 500, 1000)] == [0, 0.25, 0.5, 1]
    assert found.unit == "ms"
    assert [label for _, label in found.ticks()] == [str(ms) for ms in range(0, 1001, 100)]


def test_a_long_wait_is_shortened_and_shows() -> None:
    found = axis([0, 50, 100, 150, 60_000, 60_050], 50)
    (wait,) = found.breaks
    assert (wait.begin_ms, wait.end_ms) == (150, 60_000)
    assert found.place(50) - found.place(0) > 0.035
    assert found.place(50) - found.place(0) == pytest.approx(found.place(60_050) - found.place(60_000))
    assert found.unit == "s"
    assert found.knots == (0, 150, 60_000, 60_050)


def test_labels_stand_apart_and_never_in_a_shortened_stretch() -> None:
    found = axis([0, 50, 100, 150, 60_000, 60_050], 50)
    ticks = [at_ms for at_ms, _ in found.ticks()]
    assert ticks[0] == 0
    assert not [at_ms for at_ms in ticks if 150 < at_ms < 60_000]
    places = [found.place(at_ms) for at_ms in ticks]
    assert all(b - a >= TICK_SHARE - 1e-9 for a, b in pairwise(places))


def test_an_axis_of_one_moment_or_none_is_still_an_axis() -> None:
    assert axis([], 1).end_ms == 1
    assert axis([7], 1).begin_ms == 7


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=40), st.integers(1, 10**5))
def test_later_is_always_further_right(moments: list[int], unit_ms: int) -> None:
    found = axis(moments, unit_ms)
    places = [found.place(at_ms) for at_ms in sorted(set(moments))]
    assert all(a < b for a, b in pairwise(places))
    assert places[0] == 0
    assert found.place(found.end_ms) == pytest.approx(1)
    assert len(found.ticks()) <= 1 / TICK_SHARE + 1


def test_the_typical_stretch_is_the_median_of_those_that_last() -> None:
    assert typical([0, 0, 30, 50, 4000]) == 50
    assert typical([0]) == 1


def test_times_are_told_in_the_unit_that_people_use() -> None:
    times = [0, 950, 5060, 60_000, 125_000, 3_600_001, -5000]
    assert [duration(ms) for ms in times] == ["0 ms", "950 ms", "5.06 s", "1 min", "2 min 5 s", "1 h 0.001 s", "−5 s"]
    assert [roughly(ms) for ms in (950, 5104, 10_509)] == ["950 ms", "5.1 s", "10.5 s"]
    assert [jump(ms) for ms in (5000, -5000)] == ["+5 s", "−5 s"]


def test_lists_are_told_shortly() -> None:
    assert [listed(n) for n in ([], ["1"], ["1", "2"], ["1", "2", "4"])] == ["", "1", "1 and 2", "1, 2 and 4"]
    assert listed(["3", "4", "5", "6"]) == "3 to 6"
    assert short("orders", 4) == "ord…"
