"""The watch: which monitors hear what, and what becomes of their complaints and of their mistakes."""

from __future__ import annotations

import re

import pytest
from redelivery.models import facts as f
from redelivery.sim.errors import BadInput
from redelivery.sim.events import Crashed, Ended, Event, Started
from redelivery.sim.properties import SERVER_INVARIANTS
from redelivery.sim.watch import Monitor, Property, Violation, Watch

from .stories.server import START, B, acked, did


class Complains(Monitor):
    """Is never content with a crash, nor with the end."""

    def on_crashed(self, event: Crashed) -> str | None:
        return f"{event.process} crashed"

    def at_end(self, at_ms: int) -> str | None:
        return "it is over"


class Raises(Monitor):
    """A monitor with a mistake in it."""

    def on_crashed(self, event: Crashed) -> str | None:
        raise KeyError("no such thing")

    def on_acked(self, fact: f.Acked, event: Event) -> str | None:
        raise KeyError("no such thing")


class RaisesAtTheEnd(Monitor):
    """Another monitor with a mistake in it."""

    def at_end(self, at_ms: int) -> str | None:
        return str([][0])


class NeverMet(Monitor):
    """A sometimes statement with a mistake in it."""

    def met(self) -> bool:
        raise KeyError("no such thing")


class NotMade(Monitor):
    """A monitor that cannot be made."""

    def __init__(self) -> None:
        raise KeyError("no such thing")


def test_a_property_is_reported_at_its_first_violation_only() -> None:
    watch = Watch([Property("calm", "always", "nothing crashes", Complains)])
    for at_ms, process in ((3, "a"), (5, "b"), (7, "c")):
        watch.observe(Started(at_ms, process, process, process, 1))
        watch.observe(Crashed(at_ms, process, "fault", "crashed"))
    watch.finish(9)
    assert watch.violations == [Violation("calm", 1, 3, "a crashed")]
    assert watch.seen == 6


def test_a_violation_at_the_end_stands_past_the_last_event() -> None:
    watch = Watch([Property("calm", "eventually", "it goes on", Complains)])
    watch.observe(Ended(9))
    watch.finish(9)
    assert watch.violations == [Violation("calm", 1, 9, "it is over")]


def test_each_property_is_reported_for_itself_in_the_order_of_events() -> None:
    watch = Watch([*SERVER_INVARIANTS, Property("calm", "always", "nothing crashes", Complains)])
    events: list[Event] = [*START, Crashed(1, "p", "fault", "crashed"), did(acked(1, B), at=2)]
    for event in events:
        watch.observe(event)
    assert [(v.property, v.step) for v in watch.violations] == [
        ("calm", 4), ("accounted-for", 5), ("one-owner", 5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("monitor", "event", "error"),
    [
        (Raises, Crashed(1, "p", "fault", "crashed"), "KeyError at event 1: 'no such thing'"),
        (Raises, did(acked(1)), "KeyError at event 1: 'no such thing'"),
        (RaisesAtTheEnd, Ended(1), "IndexError at event 2: list index out of range"),
        (NeverMet, Ended(1), "KeyError at event 2: 'no such thing'"),
        (NotMade, Ended(1), "KeyError at event 0: 'no such thing'"),
    ],
)
def test_a_property_that_raises_is_bad_input_that_names_property_and_event(
    monitor: type[Monitor], event: Event, error: str
) -> None:
    def whole_run() -> None:
        watch = Watch([Property("mine", "sometimes", "a mistake", monitor)])
        watch.observe(Started(0, "p", "p", "p", 1))
        watch.observe(event)
        watch.finish(1)
        watch.unmet()

    with pytest.raises(BadInput) as raised:
        whole_run()
    told, _, place = str(raised.value).partition(" (")
    assert told == f"property 'mine' raised {error}"
    assert re.fullmatch(r".*test_watch\.py, line \d+\)", place)


def test_a_monitor_that_listens_for_what_never_happens_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"on_haended names no event or fact; there is on_handled"):

        class Listens(Monitor):
            def on_haended(self, event: Event) -> str | None:
                return None
