"""Properties of replay: does a value built from the stream again equal the one that was built live?

A process publishes what it has built with ``redelivery.publish(name, value, upto)``.
"""

from __future__ import annotations

from ..events import Projected
from ..watch import Monitor, Property
from .wording import name


class ReplayEqualsLive(Monitor):
    """Remembers the value of each projection at each entry."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, bytes], tuple[str, str]] = {}
        """(projection, entry) to the value and the process that published it first."""

    def on_projected(self, event: Projected) -> str | None:
        """At the same entry, everybody has the same value."""
        first = self.values.setdefault((event.name, event.upto), (event.value, event.process))
        if first[0] == event.value:
            return None
        return (
            f"at entry {name(event.upto)} {event.process} has {event.name} = {event.value}, "
            f"and {first[1]} had {first[0]}"
        )


class ProjectionsAgree(Monitor):
    """Remembers the last value that each process published."""

    def __init__(self) -> None:
        self.last: dict[str, dict[str, tuple[str, bytes]]] = {}

    def on_projected(self, event: Projected) -> str | None:
        """The newest value counts."""
        self.last.setdefault(event.name, {})[event.process] = (event.value, event.upto)
        return None

    def at_end(self, at_ms: int) -> str | None:
        """All processes must have come to the same value."""
        for projection, values in self.last.items():
            pairs = list(values.items())
            first, (value, upto) = pairs[0]
            for process, (other, at) in pairs[1:]:
                if other != value:
                    return (
                        f"{projection} ends as {other} (entry {name(at)}) for {process} and as {value} "
                        f"(entry {name(upto)}) for {first}"
                    )
        return None


PROPERTIES: tuple[Property, ...] = (
    Property(
        "replay-equals-live", "always", "a value built by replay equals the one built live, at the same entry",
        ReplayEqualsLive, "two Projected events of one name and one entry have the same value",
    ),
    Property(
        "projections-agree", "eventually", "all projections of one name come to the same value", ProjectionsAgree,
        "at the end, the last Projected events of all processes agree, name by name",
    ),
)  # fmt: skip
