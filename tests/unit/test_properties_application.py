"""Each application property and *sometimes* statement: what breaks it, what nearly does, and its exceptions."""

from __future__ import annotations

import pytest
from redelivery.sim.catalogue import shipped
from redelivery.sim.events import Ended, Event, Healed
from redelivery.sim.properties import BUILT_IN, SERVER_INVARIANTS, sometimes
from redelivery.sim.watch import Property, Watch

from .stories import (
    attempts,
    beside,
    claims,
    delivery,
    lost_servers,
    of_scenarios,
    ordering,
    progress,
    receiving,
    replay,
    retention,
    survival,
)
from .stories import sometimes as meeting
from .stories.telling import START, Case, added, created, did, read

FAMILIES = (
    delivery, ordering, claims, progress, receiving, attempts, retention, replay, beside, survival, of_scenarios,
)  # fmt: skip
"""Where the stories stand: a file for each family of properties."""
BREAKS = [case for family in FAMILIES for case in family.BREAKS]
NEARLY = [case for family in FAMILIES for case in family.NEARLY]
EXCEPTIONS = [case for family in FAMILIES for case in family.EXCEPTIONS]
MEETS = [*meeting.MEETS, *lost_servers.MEETS]
NEARLY_MEETS = [*meeting.NEARLY_MEETS, *lost_servers.NEARLY_MEETS]
CHECKED = [p for scenario in shipped() for v in scenario.variants.values() for p in scenario.properties_of(v)]
DECLARED = [p for p in CHECKED if p.name not in BUILT_IN]
"""What the scenarios bring of their own, and the shared *sometimes* statements that they name."""
SHARED = [p for p in vars(sometimes).values() if isinstance(p, Property)]
SOMETIMES = {p.name: p for p in (*SHARED, *DECLARED) if p.kind == "sometimes"}
PROPERTIES = {name: p for name, p in BUILT_IN.items() if p not in SERVER_INVARIANTS} | {
    p.name: p for p in DECLARED if p.kind != "sometimes"
}

ALL = [*BREAKS, *NEARLY, *EXCEPTIONS, *MEETS, *NEARLY_MEETS]


def told(case: Case) -> str:
    return f"{case.property}: {case.story}"


def watched(name: str, events: list[Event]) -> Watch:
    watch = Watch([(PROPERTIES | SOMETIMES)[name]])
    for event in events:
        watch.observe(event)
    watch.finish(events[-1].at_ms)
    return watch


@pytest.mark.parametrize("case", BREAKS, ids=told)
def test_the_end_of_the_story_breaks_it_and_the_message_names_what_matters(case: Case) -> None:
    (violation,) = watched(case.property, case.events).violations
    at_end = PROPERTIES[case.property].kind == "eventually"
    assert violation.property == case.property
    assert violation.step == len(case.events) - (not at_end)
    assert violation.at_ms == case.events[-1].at_ms
    for text in case.names:
        assert text in violation.message


def test_one_entry_alone_has_no_others_with_it() -> None:
    orphan = watched("no-orphan", [*START, read(1, 0), Healed(100), Ended(900)])
    unhandled = watched("handled-at-least-once", [did(created(0)), did(added(7)), Ended(5)])
    for watch in (orphan, unhandled):
        assert "more" not in watch.violations[0].message


@pytest.mark.parametrize("case", [*NEARLY, *EXCEPTIONS], ids=told)
def test_the_story_nearly_breaks_it_and_does_not(case: Case) -> None:
    assert watched(case.property, case.events).violations == []


@pytest.mark.parametrize("case", MEETS, ids=told)
def test_the_last_event_of_the_story_meets_it(case: Case) -> None:
    assert watched(case.property, case.events[:-1]).unmet() == [case.property]
    assert watched(case.property, case.events).unmet() == []


@pytest.mark.parametrize("case", NEARLY_MEETS, ids=told)
def test_the_story_nearly_meets_it_and_does_not(case: Case) -> None:
    watch = watched(case.property, case.events)
    assert watch.unmet() == [case.property]
    assert watch.violations == []


@pytest.mark.parametrize("case", ALL, ids=told)
def test_a_fork_in_the_middle_of_the_story_goes_its_own_way(case: Case) -> None:
    whole = watched(case.property, case.events)
    for cut in range(len(case.events) + 1):
        watch = Watch(whole.properties)
        for event in case.events[:cut]:
            watch.observe(event)
        before = repr(watch.components())
        twin = watch.fork()
        assert repr(twin.components()) == before
        for event in case.events[cut:]:
            twin.observe(event)
        twin.finish(case.events[-1].at_ms)
        assert twin.violations == whole.violations
        assert twin.unmet() == whole.unmet()
        assert twin.components() == whole.components()
        assert repr(watch.components()) == before, "the original has heard what only its fork was told"


def test_every_property_has_a_story_that_breaks_it_and_one_that_nearly_does() -> None:
    assert {case.property for case in BREAKS} == set(PROPERTIES)
    assert {case.property for case in NEARLY} == set(PROPERTIES)
    for p in PROPERTIES.values():
        assert p.kind in ("always", "eventually")
        assert p.statement
        assert p.formal


def test_every_sometimes_statement_has_a_story_that_meets_it_and_one_that_nearly_does() -> None:
    assert {case.property for case in MEETS} == set(SOMETIMES)
    assert {case.property for case in NEARLY_MEETS} == set(SOMETIMES)
    assert all(p.kind == "sometimes" for p in SOMETIMES.values())


def test_every_documented_exception_has_a_story_and_every_story_shows_a_documented_one() -> None:
    told_of = {(case.property, case.exception) for case in EXCEPTIONS}
    for name, start in told_of:
        assert any(text.startswith(start) for text in PROPERTIES[name].exceptions), (name, start)
    for p in PROPERTIES.values():
        for text in p.exceptions:
            assert any(name == p.name and text.startswith(start) for name, start in told_of), (p.name, text)
