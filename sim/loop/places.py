"""Where a fault is tried, of all the moments of a plain run at which it could strike.

Most of them are alike: a worker that polls asks a thousand times and gets nothing. So they are sorted by what happens
there (which command, whether it did something, before it or after), each kind gets its share, and the share is spread
over the whole run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from ...models.facts import ConsumerCreated, Fact, LagReported
from .. import events
from ..history import History

Kind: TypeAlias = tuple[str, bool, bool]
"""What happens at an opportunity, whether it does something, and whether the fault would strike after it."""

WORK = (events.Handling, events.Handled, events.HandleFailed, events.Slowed)


def places(history: History, offered: Sequence[int], most: int) -> list[int]:
    """At most ``most`` of a fault's opportunities, by number from 1, in order.

    ``offered`` says of each how many events of the plain run there were by then.
    """
    if len(offered) <= most:
        return list(range(1, len(offered) + 1))
    kinds = _Kinds(history)
    of_kind: dict[Kind, list[int]] = {}
    for number, at in enumerate(offered, 1):
        of_kind.setdefault(kinds.of(at), []).append(number)
    sorts = sorted(of_kind.items(), key=lambda item: (not item[0][1], -len(item[1]), item[1]))
    shares = _shares([len(numbers) for _, numbers in sorts], most)
    found: list[int] = []
    for rank, ((_, numbers), share) in enumerate(zip(sorts, shares, strict=True)):
        found += _spread(numbers, share, rank, len(sorts))
    return sorted(found)


def _shares(sizes: Sequence[int], most: int) -> list[int]:
    """How many each kind gets: one more in turn, as long as it has some. Those that do something come first."""
    shares = [0] * len(sizes)
    while most:
        for at in range(len(sizes)):
            if most and shares[at] < sizes[at]:
                shares[at] += 1
                most -= 1
    return shares


def _spread(numbers: Sequence[int], share: int, rank: int, ranks: int) -> list[int]:
    """So many of them, evenly. Each kind begins at a time of its own, by its rank: that covers all of the run."""
    return [numbers[len(numbers) * (2 * ranks * at + 2 * rank + 1) // (2 * ranks * share)] for at in range(share)]


def _tells(facts: Sequence[Fact]) -> bool:
    return any(not isinstance(fact, LagReported | ConsumerCreated) for fact in facts)


class _Kinds:
    """Knows what happens between the events of a plain run."""

    def __init__(self, history: History) -> None:
        self.events = history.events
        self.effects: dict[int, events.Effect] = {}
        self.telling: set[int] = set()
        """Calls that did something, at once or when a blocked one got its answer."""
        for event in self.events:
            if isinstance(event, events.Effect):
                self.effects[event.call] = event
            if isinstance(event, events.Effect | events.Served) and _tells(event.facts):
                self.telling.add(event.call)

    def of(self, at: int) -> Kind:
        """What happens at an opportunity with so many events before it."""
        before = self._named(self.events[at - 1]) if at else None
        after = self._named(self.events[at]) if at < len(self.events) else None
        for named, is_over in ((after, False), (before, True)):
            if named is not None and named[1]:
                return *named, is_over
        for named, is_over in ((after, False), (before, True)):
            if named is not None:
                return *named, is_over
        return "", False, False

    def _named(self, event: events.Event) -> tuple[str, bool] | None:
        if isinstance(event, WORK):
            return "work", True
        call: int | None = getattr(event, "call", None)
        effect = None if call is None else self.effects.get(call)
        if call is None or effect is None:
            return None
        name = b" ".join(command[0].upper() for command in effect.commands).decode(errors="replace")
        return name, call in self.telling
