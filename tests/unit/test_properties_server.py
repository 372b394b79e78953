"""Each server invariant: what breaks it, what nearly does, and its documented exceptions."""

from __future__ import annotations

import pytest
from redelivery.sim.events import Event
from redelivery.sim.properties import BUILT_IN, SERVER_INVARIANTS, named
from redelivery.sim.watch import Watch

from .stories.server import BREAKS, EXCEPTIONS, NEARLY, Case

ALL = [*BREAKS, *NEARLY, *EXCEPTIONS]


def told(case: Case) -> str:
    return f"{case.property}: {case.story}"


def watched(name: str, events: list[Event]) -> Watch:
    watch = Watch(named([name]))
    for event in events:
        watch.observe(event)
    watch.finish(events[-1].at_ms)
    return watch


@pytest.mark.parametrize("case", BREAKS, ids=told)
def test_the_last_event_of_the_story_breaks_it_and_the_message_names_what_matters(case: Case) -> None:
    (violation,) = watched(case.property, case.events).violations
    assert violation.property == case.property
    assert (violation.step, violation.at_ms) == (len(case.events) - 1, case.events[-1].at_ms)
    for text in case.names:
        assert text in violation.message


@pytest.mark.parametrize("case", [*NEARLY, *EXCEPTIONS], ids=told)
def test_the_story_nearly_breaks_it_and_does_not(case: Case) -> None:
    assert watched(case.property, case.events).violations == []


@pytest.mark.parametrize("case", ALL, ids=told)
def test_a_fork_in_the_middle_of_the_story_goes_its_own_way(case: Case) -> None:
    whole = watched(case.property, case.events)
    for cut in range(len(case.events) + 1):
        watch = Watch(named([case.property]))
        for event in case.events[:cut]:
            watch.observe(event)
        before = repr(watch.components())
        twin = watch.fork()
        assert repr(twin.components()) == before
        for event in case.events[cut:]:
            twin.observe(event)
        twin.finish(case.events[-1].at_ms)
        assert twin.violations == whole.violations
        assert twin.components() == whole.components()
        assert repr(watch.components()) == before, "the original has heard what only its fork was told"


def test_every_invariant_has_a_story_that_breaks_it_and_one_that_nearly_does() -> None:
    names = {p.name for p in SERVER_INVARIANTS}
    assert len(names) == 11
    assert {case.property for case in BREAKS} == names
    assert {case.property for case in NEARLY} == names
    for p in SERVER_INVARIANTS:
        assert BUILT_IN[p.name] is p
        assert p.kind == "always"
        assert p.statement
        assert p.formal


def test_every_documented_exception_has_a_story_and_every_story_shows_a_documented_one() -> None:
    told_of = {(case.property, case.exception) for case in EXCEPTIONS}
    for name, start in told_of:
        assert any(text.startswith(start) for text in BUILT_IN[name].exceptions), (name, start)
    for p in SERVER_INVARIANTS:
        for text in p.exceptions:
            assert any(name == p.name and text.startswith(start) for name, start in told_of), (p.name, text)
