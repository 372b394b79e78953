"""Each application property and *sometimes* statement: what breaks it, what nearly does, and its exceptions."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from redelivery.models import facts as f
from redelivery.models import ids
from redelivery.scenarios.event_sourcing import EVENTS, NEVER_OVERDRAWN
from redelivery.scenarios.group_world import CRASHED_BUSY
from redelivery.sim.catalogue import shipped
from redelivery.sim.events import Crashed, Effect, Ended, Event, Handled, Handling, Healed, Projected, Started
from redelivery.sim.properties import BUILT_IN, SERVER_INVARIANTS, sometimes
from redelivery.sim.watch import Property, Watch

S, G, A, B = b"s", b"g", b"a", b"b"

SOMETIMES = {p.name: p for p in (*vars(sometimes).values(), CRASHED_BUSY) if isinstance(p, Property)}
PROPERTIES = {name: p for name, p in BUILT_IN.items() if p not in SERVER_INVARIANTS} | {
    NEVER_OVERDRAWN.name: NEVER_OVERDRAWN
}


def entry(n: int) -> int:
    return ids.make(n, 0)


def entries(*numbers: int) -> tuple[int, ...]:
    return tuple(entry(n) for n in numbers)


def did(*facts: f.Fact, at: int = 0, process: str = "p") -> Effect:
    """A command of which only its facts matter."""
    return Effect(at, process, 1, 1, at, 1000 + at, ((b"X",),), (0,), facts)


def added(n: int) -> f.Added:
    return f.Added(S, 1, entry(n), (b"k", b"v"))


def created(cursor: int = 0, *, group: bytes = G) -> f.GroupCreated:
    return f.GroupCreated(S, 1, group, 1, entry(cursor))


def moved(before: int, cursor: int, cause: str = "read") -> f.CursorMoved:
    return f.CursorMoved(S, 1, G, 1, entry(before), entry(cursor), None, None, cause)


def read(n: int, before: int, to: bytes = A, *, at: int = 0, noack: bool = False) -> Effect:
    """``XREADGROUP ... COUNT 1 >`` that gets entry ``n``."""
    return did(f.Delivered(S, 1, G, 1, to, entry(n), 1, noack, None), moved(before, n), at=at)


def acked(n: int, owner: bytes = A, *, at: int = 0) -> Effect:
    return did(f.Acked(S, 1, G, entry(n), owner), at=at)


def claimed(n: int, by: bytes = B, *, of: bytes | None = A, at: int = 0) -> Effect:
    return did(f.Claimed(S, 1, G, by, entry(n), of, None if of is None else 0, 0, 2, 1000), at=at)


def reread(n: int, by: bytes = A, *, at: int = 0) -> Effect:
    return did(f.Reread(S, 1, G, by, entry(n), 2), at=at)


def forgotten(n: int, owner: bytes = A) -> Effect:
    return did(f.Forgotten(S, 1, G, entry(n), owner, "XAUTOCLAIM"))


def consumer_removed(consumer: bytes, *pending: int) -> Effect:
    return did(f.ConsumerRemoved(S, 1, G, consumer, entries(*pending)))


def group_removed(*pending: int, cause: str = "XGROUP DESTROY") -> f.GroupRemoved:
    return f.GroupRemoved(S, 1, G, 1, entries(*pending), cause)


def deleted(*numbers: int) -> Effect:
    return did(f.Deleted(S, 1, entries(*numbers), "XDEL"))


def trimmed(*numbers: int, cause: str = "XTRIM") -> Effect:
    return did(f.Trimmed(S, 1, entries(*numbers), cause))


def handling(n: int, by: str = "a", *, group: bytes = G, stream: bytes = S, at: int = 0) -> Handling:
    return Handling(at, by, stream, group, b"%d-0" % n)


def handled(n: int, by: str = "a", *, group: bytes = G, stream: bytes = S, at: int = 0) -> Handled:
    return Handled(at, by, stream, group, b"%d-0" % n)


def crashed(process: str = "a", *, at: int = 0) -> Crashed:
    return Crashed(at, process, "fault", "crashed")


def started(process: str, consumer: str) -> Started:
    return Started(0, process, consumer, process, 1)


def projected(value: int, upto: int, by: str, name: str = "balance") -> Projected:
    return Projected(0, by, name, str(value), b"%d-0" % upto)


def journal(kind: bytes, points: int, n: int, *, stream: bytes = EVENTS.encode()) -> Effect:
    fact = f.Added(stream, 1, entry(n), (b"type", kind, b"points", b"%d" % points))
    return did(fact, at=n, process="shop")


START = [did(added(1)), did(added(2)), did(added(3)), did(created(0))]
"""Three entries, and a group that starts before them."""


class Case(NamedTuple):
    """A story, and what the message has to name where its last event breaks the property (or its end does)."""

    property: str
    story: str
    events: list[Event]
    names: tuple[str, ...] = ()
    exception: str = ""
    """The documented exception that it shows: how its text starts."""


BREAKS = [
    Case("acked-implies-handled", "it is acknowledged while its handler is still at it",
         [*START, read(1, 0), handling(1), acked(1)], ("entry 1-0", "group g", "nobody had handled it")),
    Case("acked-implies-handled", "it was handled in another group only",
         [*START, read(1, 0), handled(1, group=b"h"), acked(1)], ("entry 1-0", "group g")),
    Case("no-entry-lost", "an entry is trimmed before the group got it",
         [*START, read(1, 0), acked(1), trimmed(1, 2)], ("entry 2-0", "trimmed by XTRIM", "before group g")),
    Case("no-entry-lost", "an XADD with MAXLEN trims it", [*START, trimmed(1, cause="XADD")], ("by XADD",)),
    Case("no-entry-lost", "an entry is trimmed while it is pending",
         [*START, read(1, 0), trimmed(1)], ("entry 1-0", "while a had it pending in g")),
    Case("no-entry-lost", "an entry is deleted while its claimer has it pending",
         [*START, read(1, 0), claimed(1), deleted(1)], ("entry 1-0", "deleted by XDEL", "while b had")),
    Case("no-entry-lost", "one of two groups has not got it yet",
         [*START, did(created(0, group=b"late")), read(1, 0), acked(1), deleted(1)], ("before group late",)),
    Case("no-entry-lost", "DELCONSUMER drops what was pending",
         [*START, read(1, 0), consumer_removed(A, 1)], ("DELCONSUMER a", "entry 1-0")),
    Case("no-entry-lost", "DESTROY forgets what was pending",
         [*START, read(1, 0), did(group_removed(1))], ("XGROUP DESTROY of group g", "pending entry 1-0")),
    Case("no-entry-lost", "DESTROY forgets what was not delivered",
         [*START, read(1, 0), acked(1), did(group_removed())], ("XGROUP DESTROY", "undelivered entry 2-0")),
    Case("no-entry-lost", "DEL takes stream and group away",
         [*START, did(group_removed(cause="DEL"), f.StreamRemoved(S, 1, "DEL"))], ("DEL of group g", "entry 1-0")),
    Case("no-entry-lost", "SETID skips an entry",
         [*START, did(moved(0, 2, "SETID"))], ("SETID skipped entry 1-0", "group g")),
    Case("no-entry-lost", "LASTID skips an entry",
         [*START, read(1, 0), did(moved(1, 2, "LASTID"))], ("LASTID skipped entry 2-0",)),
    Case("handled-at-least-once", "an entry was delivered and acknowledged, and nobody handled it",
         [*START[2:], read(3, 0), acked(3), Ended(5)], ("entry 3-0 of s", "never handled in group g")),
    Case("handled-at-least-once", "the handling of an entry was not finished",
         [*START, handled(1), handled(2), handling(3), crashed(), Ended(5)], ("entry 3-0",)),
    Case("handled-at-least-once", "one of two groups did not handle two entries",
         [*START, did(created(0, group=b"h")), *(handled(n) for n in (1, 2, 3)), handled(2, group=b"h"), Ended(5)],
         ("entry 1-0", "group h", "1 more")),
    Case("handled-at-least-once", "it was handled by one who read without the group",
         [*START[2:], handled(3, group=b""), Ended(5)], ("entry 3-0",)),
    Case("handled-at-least-once", "an entry came after the group and before the end",
         [did(created(0)), did(added(7)), Ended(5)], ("entry 7-0",)),
    Case("single-handler", "two handle one entry at a time",
         [handling(1), handling(1, "b", at=7)], ("b began", "entry 1-0", "while a was")),
    Case("single-handler", "a third comes while one of two is left",
         [handling(1), handling(2), handled(2), handling(1, "b")], ("b began", "while a was")),
    Case("single-handler", "somebody else crashed",
         [handling(1), crashed("c"), handling(1, "b")], ("while a was",)),
    Case("single-handler", "one process handles it twice at a time",
         [handling(1), handling(1)], ("a began", "while a was")),
    Case("no-orphan", "a consumer that is dead has it since before the faults stopped",
         [*START, read(1, 0, at=30), handling(1, at=30), crashed("a", at=40), Healed(100), Ended(900)],
         ("entry 1-0 of s", "pending for a", "since 30 ms", "group g", "870 ms")),
    Case("no-orphan", "it was delivered in the very moment in which the faults stopped",
         [*START, read(1, 0, at=100), Healed(100), Ended(900)], ("1-0", "since 100 ms")),
    Case("no-orphan", "two wait", [*START, read(1, 0), read(2, 1), Healed(100), Ended(900)], ("1-0", "1 more")),
    Case("no-orphan", "it was handled and never acknowledged",
         [*START, read(1, 0), handling(1), Healed(100), handled(1, at=200), Ended(900)], ("1-0",)),
    Case("no-orphan", "its claimer died in the first phase",
         [*START, read(1, 0), claimed(1, at=50), Healed(100), Ended(900)], ("pending for b", "since 50 ms")),
    Case("no-orphan", "its owner handles another entry, and another handles it in another group",
         [*START, read(1, 0), Healed(100), handling(2), handling(1, "b", group=b"h"), Ended(900)], ("1-0",)),
    Case("replay-equals-live", "a projection is built again and differs",
         [projected(50, 1, "live"), projected(80, 2, "live"), projected(30, 2, "late")],
         ("entry 2-0", "late has balance = 30", "live had 80")),
    Case("projections-agree", "two end differently",
         [projected(50, 1, "live"), projected(80, 2, "live"), projected(50, 1, "late"), Ended(5)],
         ("balance", "50", "late", "80", "live")),
    Case("never-overdrawn", "two spend what is there once",
         [journal(b"earned", 100, 1), journal(b"spent", 80, 2), journal(b"spent", 80, 3)], ("-60", "shop")),
]  # fmt: skip

NEARLY = [
    Case("no-entry-lost", "everything is trimmed after all groups acknowledged it",
         [*START, read(1, 0), acked(1), trimmed(1), read(2, 1), claimed(2), acked(2, B), deleted(2)]),
    Case("no-entry-lost", "what lies before the group's start is trimmed",
         [did(added(1)), did(added(2)), did(created(1)), trimmed(1)]),
    Case("no-entry-lost", "what was given with NOACK is trimmed", [*START, read(1, 0, noack=True), trimmed(1)]),
    Case("no-entry-lost", "nobody reads the stream in a group", [did(added(1)), trimmed(1)]),
    Case("no-entry-lost", "DELCONSUMER of one with nothing pending",
         [*START, read(1, 0), claimed(1), consumer_removed(A), acked(1, B), trimmed(1)]),
    Case("no-entry-lost", "DESTROY when all is done",
         [did(added(1)), did(created(0)), read(1, 0), acked(1), did(group_removed()), trimmed(1)]),
    Case("no-entry-lost", "SETID goes back", [*START, read(1, 0), acked(1), did(moved(1, 0, "SETID"))]),
    Case("no-entry-lost", "SETID skips what was deleted before the group was there",
         [did(added(1)), deleted(1), did(created(0)), did(moved(0, 1, "SETID"))]),
    Case("no-entry-lost", "a group of the same name on a new stream needs nothing of the old one",
         [did(added(1)), did(created(1)), did(group_removed(cause="DEL"), f.StreamRemoved(S, 1, "DEL")),
          did(f.Added(S, 2, entry(1), (b"k", b"v"))), did(f.GroupCreated(S, 2, G, 2, entry(1))),
          did(f.Deleted(S, 2, entries(1), "XDEL"))]),
    Case("acked-implies-handled", "another has handled it, and it is acknowledged twice for two deliveries",
         [*START, read(1, 0), handling(1, "b"), handled(1, "b"), acked(1), handled(1), acked(1), read(2, 1)]),
    Case("handled-at-least-once", "all are handled, the last in the last moment, one of them twice",
         [*START, handled(1), handled(2, "b"), handled(2), handled(3), Ended(5)]),
    Case("handled-at-least-once", "the group starts after them", [did(added(1)), did(created(1)), Ended(5)]),
    Case("handled-at-least-once", "nobody reads the stream in a group", [did(added(1)), Ended(5)]),
    Case("single-handler", "one follows the other in the same millisecond",
         [handling(1), handled(1), handling(1, "b"), handled(1, "b"), handling(1)]),
    Case("single-handler", "the first is dead when the second begins",
         [handling(1), crashed("a"), handling(1, "b")]),
    Case("single-handler", "another entry, another group and another stream are no concern",
         [handling(1), handling(2, "b"), handling(1, "c", group=b"h"), handling(1, "d", stream=b"t")]),
    Case("no-orphan", "it is claimed in the second phase",
         [*START, read(1, 0), Healed(100), claimed(1, at=101), Ended(900)]),
    Case("no-orphan", "it is read again in the second phase",
         [*START, read(1, 0), Healed(100), reread(1, at=101), Ended(900)]),
    Case("no-orphan", "it is delivered in the second phase", [*START, Healed(100), read(1, 0, at=101), Ended(900)]),
    Case("no-orphan", "it is acknowledged in the second phase",
         [*START, read(1, 0), Healed(100), acked(1, at=900), Ended(900)]),
    Case("no-orphan", "its slow handler is at it to the end",
         [*START, read(1, 0), handling(1), Healed(100), Ended(900)]),
    Case("no-orphan", "it was given with NOACK", [*START, read(1, 0, noack=True), Healed(100), Ended(900)]),
    Case("no-orphan", "it was forgotten, which is another property's matter",
         [*START, read(1, 0), forgotten(1), read(2, 1), consumer_removed(A, 2), Healed(100), Ended(900)]),
    Case("no-orphan", "its group went, which is another property's matter",
         [*START, read(1, 0), did(group_removed(1)), Healed(100), Ended(900)]),
    Case("replay-equals-live", "the same value at the same entry, another at another, and of another projection",
         [projected(50, 1, "live"), projected(50, 1, "late"), projected(80, 2, "late"),
          projected(7, 2, "late", name="orders")]),
    Case("projections-agree", "they differ on the way and agree at the end",
         [projected(50, 1, "live"), projected(10, 1, "late"), projected(80, 2, "live"), projected(80, 2, "late"),
          projected(7, 2, "late", name="orders"), Ended(5)]),
    Case("never-overdrawn", "the last point is spent, and other streams do not count",
         [journal(b"earned", 80, 1), journal(b"spent", 99, 2, stream=b"other"), journal(b"spent", 80, 3)]),
]  # fmt: skip

EXCEPTIONS = [
    Case("single-handler", "two projections read the same entry", [
        handling(1, group=b""), handling(1, "b", group=b"")], exception="entries read without a group"),
]  # fmt: skip

MEETS = [
    Case("crashed-busy", "it crashed while it handled an entry", [*START, read(1, 0), handling(1), crashed("a")]),
    Case("crashed-holding", "it crashed with what it was delivered",
         [started("p1", "a"), *START, read(1, 0), crashed("p1")]),
    Case("crashed-holding", "it crashed with what it had claimed",
         [started("p1", "a"), started("p2", "b"), *START, read(1, 0), claimed(1), crashed("p2")]),
    Case("taken-over", "another has claimed it", [*START, read(1, 0), claimed(1)]),
    Case("renewed", "its owner has claimed it", [*START, read(1, 0), claimed(1, A)]),
    Case("trimmed", "XADD trimmed an entry", [*START, trimmed(1, cause="XADD")]),
]  # fmt: skip

NEARLY_MEETS = [
    Case("crashed-busy", "it came to the end of its work", [*START, read(1, 0), handling(1), handled(1), acked(1)]),
    Case("crashed-holding", "it crashed after it had acknowledged",
         [started("p1", "a"), *START, read(1, 0), acked(1), crashed("p1")]),
    Case("crashed-holding", "it crashed after another had claimed it",
         [started("p1", "a"), started("p2", "b"), *START, read(1, 0), claimed(1), crashed("p1")]),
    Case("crashed-holding", "it crashed with what it was given with NOACK",
         [started("p1", "a"), *START, read(1, 0, noack=True), crashed("p1")]),
    Case("crashed-holding", "it crashed under its new name",
         [started("p1", "a"), *START, read(1, 0), started("p1", "a-2"), crashed("p1")]),
    Case("crashed-holding", "what it had was dropped before",
         [started("p1", "a"), *START, read(1, 0), consumer_removed(A, 1), crashed("p1")]),
    Case("crashed-holding", "what it had went with its group",
         [started("p1", "a"), *START, read(1, 0), did(group_removed(1)), crashed("p1")]),
    Case("crashed-holding", "what it had was forgotten",
         [started("p1", "a"), *START, read(1, 0), forgotten(1), crashed("p1")]),
    Case("taken-over", "its owner has claimed it, and FORCE took what was nobody's",
         [*START, read(1, 0), claimed(1, A), claimed(2, B, of=None)]),
    Case("renewed", "another has claimed it, and FORCE took what was nobody's",
         [*START, read(1, 0), claimed(1), claimed(2, B, of=None)]),
    Case("trimmed", "entries were deleted", [*START, deleted(1, 2)]),
]  # fmt: skip

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
    declared = {p.name for scenario in shipped() for p in scenario.sometimes}
    declared |= {p.name for scenario in shipped() for v in scenario.variants.values() for p in v.sometimes}
    assert declared <= set(SOMETIMES)
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
