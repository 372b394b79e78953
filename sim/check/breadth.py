"""Breadth-first and depth-first search over anything that knows its successors.

Breadth-first goes level by level, so the first violation is at the end of a shortest way, and counts do not depend
on anything but the world.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from ..errors import RedeliveryError
from .taking import Edge

S = TypeVar("S")


class Successor(NamedTuple, Generic[S]):
    """A step, the state that it leads to, and the properties that it breaks, by their places."""

    edge: Edge
    state: S
    broken: tuple[int, ...]


class Model(Protocol[S]):
    """What can be searched."""

    @property
    def initial(self) -> S:
        """The state in which everything begins."""
        ...

    def key(self, state: S) -> Hashable:
        """What tells states apart."""
        ...

    def successors(self, state: S) -> list[tuple[Edge, S, tuple[int, ...]]]:
        """Every step that can happen next, in a fixed order."""
        ...

    def at_end(self, state: S, found: list[tuple[Edge, S, tuple[int, ...]]]) -> tuple[int, ...] | None:
        """The properties that are broken if the run is over in this state; ``None`` where it cannot be."""
        ...


class Progress(NamedTuple):
    """How far a search is."""

    states: int
    transitions: int
    queue: int
    depth: int
    memory_bytes: int = 0
    """What other processes that take part in the search hold."""


class Hit(NamedTuple):
    """A violation: the properties that are broken, and the steps that lead there."""

    broken: tuple[int, ...]
    path: tuple[Edge, ...]
    at_end: bool
    keys: tuple[Hashable, ...] = ()
    """The states on the way, the first and the last included."""


@dataclass(slots=True)
class Outcome:
    """What a search came to."""

    states: int = 0
    transitions: int = 0
    depth: int = 0
    bounded: bool = False
    """Whether a bound on the depth cut something off."""
    hit: Hit | None = None
    broken: dict[int, int] = field(default_factory=dict)
    """Every property that was seen to be broken, with the depth at which it first was."""
    levels: list[int] = field(default_factory=list)
    """How many states there are at each depth."""
    ends: int = 0
    """In how many states the run can be over."""
    degrees: dict[int, int] = field(default_factory=dict)
    """How many states have so many successors."""
    cut: str | None = None
    """Why the search ended before its end; the numbers are of what was seen until then."""


Stop = Callable[[tuple[int, ...]], bool]
"""Whether a search ends where these properties are broken."""
Report = Callable[[Progress], None]
EVERY = 256
"""After so many states whoever watches is told."""
WIDE = 10_000
"""So many states have to be at hand before a search is handed over to several workers."""


@dataclass(slots=True)
class Frontier:
    """How far a breadth-first search is: everything that it needs to go on."""

    seen: Any
    """A set of states, or whatever can be counted and gone through."""
    level: Any
    deeper: Any
    """Lists of states, or the same."""
    at: int
    """How many states of the level have been looked at."""
    out: Outcome


Save = Callable[[Frontier], None]
HandOver = Callable[[Frontier], "Outcome | None"]
"""Goes on from a frontier, to the end of the search; ``None`` where it could not: the search begins again."""


def breadth_first(
    model: Model[S], stop: Stop, report: Report | None = None, depth_max: int | None = None,
    save: Save | None = None, begun: Frontier | None = None, hand_over: HandOver | None = None,
) -> Outcome:  # fmt: skip
    """Searches level by level. Ways are not kept: where one is wanted, the search is made again up to there.

    ``save`` is called now and then with all that is needed to go on; ``begun`` is such, from before. ``hand_over``
    takes a wide frontier over; what it finds is searched for again here, so that every number is as it would be had it
    not.
    """
    outcome: Outcome | None
    if getattr(model, "sweeps", False):
        from .machine import Machine
        from .sweep import sweep

        assert isinstance(model, Machine)
        swept = sweep(model, stop, report, depth_max, save, begun, hand_over)
        if isinstance(swept, Frontier):
            outcome = _breadth_first(model, stop, report, depth_max, None, save, swept, hand_over)
        else:
            outcome = swept
    else:
        outcome = _breadth_first(model, stop, report, depth_max, None, save, begun, hand_over)
    if outcome is None:
        outcome = _breadth_first(model, stop, report, depth_max, None, save)
    assert outcome is not None, "whoever hands nothing over comes to an end"
    if outcome.hit is not None:
        again = _breadth_first(model, stop, report, depth_max, {})
        assert again is not None
        if again.cut is None:
            assert again.hit is not None, "a search is repeatable"
        outcome = again
    return outcome


def _breadth_first(
    model: Model[S], stop: Stop, report: Report | None, depth_max: int | None,
    parents: dict[Hashable, tuple[Hashable, Edge]] | None, save: Save | None = None, begun: Frontier | None = None,
    hand_over: HandOver | None = None,
) -> Outcome | None:  # fmt: skip
    packed = getattr(model, "packed", False)
    if begun is None:
        begun = Frontier({model.key(model.initial)}, [model.initial], [], 0, Outcome(states=1, levels=[1]))
    out, seen = begun.out, begun.seen
    level: list[S] = begun.level
    deeper: list[S] = begun.deeper
    first, expanded = begun.at, 0
    try:
        while True:
            if hand_over is not None and len(level) - first + len(deeper) >= WIDE:
                return hand_over(Frontier(seen, level, deeper, first, out))
            for at in range(first, len(level)):
                state = level[at]
                found = model.successors(state)
                out.transitions += len(found)
                out.degrees[len(found)] = out.degrees.get(len(found), 0) + 1
                here = model.key(state) if parents is not None else None
                over = model.at_end(state, found)
                if over is not None:
                    out.ends += 1
                    if over and note(out, over, out.depth, stop):
                        out.hit = _way(parents, here, None, None, over)
                        return out
                for edge, after, broken in found:
                    key = after if packed else model.key(after)
                    if broken and note(out, broken, out.depth + 1, stop):
                        out.hit = _way(parents, here, edge, key, broken)
                        return out
                    if key not in seen:
                        seen.add(key)
                        deeper.append(after)
                        if parents is not None:
                            parents[key] = (here, edge)
                expanded += 1
                if not expanded % EVERY:
                    if save is not None:
                        save(Frontier(seen, level, deeper, at + 1, out))
                    if report is not None:
                        report(Progress(len(seen), out.transitions, len(level) - at + len(deeper), out.depth))
            if not deeper:
                break
            if depth_max is not None and out.depth >= depth_max:
                out.bounded = True
                break
            out.depth += 1
            out.levels.append(len(deeper))
            level, deeper, first = deeper, [], 0
    except KeyboardInterrupt:
        out.cut = STOPPED
    except RedeliveryError as error:
        error.so_far = out
        raise
    finally:
        out.states = len(seen) or out.states
    return out


STOPPED = "the search was stopped before its end"


def note(out: Outcome, broken: tuple[int, ...], depth: int, stop: Stop) -> bool:
    """Keeps what is broken, and how near to the beginning; whether the search ends here."""
    for which in broken:
        out.broken[which] = min(depth, out.broken.get(which, depth))
    return stop(broken)


def _way(
    parents: dict[Hashable, tuple[Hashable, Edge]] | None, key: Hashable, last: Edge | None, there: Hashable,
    broken: tuple[int, ...],
) -> Hit:  # fmt: skip
    way, keys = [], [key]
    while parents and key in parents:
        key, edge = parents[key]
        way.append(edge)
        keys.append(key)
    path, on_the_way = list(reversed(way)), list(reversed(keys))
    if last is not None:
        path.append(last)
        on_the_way.append(there)
    return Hit(broken, tuple(path), last is None, tuple(on_the_way))


def depth_first(
    model: Model[S], stop: Stop, report: Report | None = None, depth_max: int | None = None
) -> Outcome:
    """Searches one way to its end before the next; each state once, so a bound on the depth may hide some."""
    out, seen = Outcome(), {model.key(model.initial)}
    try:
        _depth_first(model, stop, report, depth_max, out, seen)
    except RedeliveryError as error:
        error.so_far = out
        raise
    finally:
        out.states = len(seen)
    return out


def _depth_first(
    model: Model[S], stop: Stop, report: Report | None, depth_max: int | None, out: Outcome, seen: set[Hashable]
) -> None:
    way: list[Edge] = []
    keys: list[Hashable] = [model.key(model.initial)]
    first: list[tuple[Edge | None, S, tuple[int, ...]]] = [(None, model.initial, ())]
    stack: list[Iterator[tuple[Edge | None, S, tuple[int, ...]]]] = [iter(first)]
    expanded = 0
    while stack:
        step = next(stack[-1], None)
        if step is None:
            stack.pop()
            if way:
                way.pop()
                keys.pop()
            continue
        edge, state, broken = step
        if edge is not None:
            way.append(edge)
            key = model.key(state)
            keys.append(key)
            new = key not in seen
            if broken and note(out, broken, len(way), stop):
                out.hit = Hit(broken, tuple(way), False, tuple(keys))
                break
            if not new:
                way.pop()
                keys.pop()
                continue
            seen.add(key)
        if depth_max is not None and len(way) >= depth_max:
            out.bounded = True
            stack.append(iter([]))
            continue
        found = model.successors(state)
        out.transitions += len(found)
        out.degrees[len(found)] = out.degrees.get(len(found), 0) + 1
        out.depth = max(out.depth, len(way))
        over = model.at_end(state, found)
        if over is not None:
            out.ends += 1
            if over and note(out, over, len(way), stop):
                out.hit = Hit(over, tuple(way), True, tuple(keys))
                break
        expanded += 1
        if report is not None and not expanded % EVERY:
            report(Progress(len(seen), out.transitions, len(stack), len(way)))
        stack.append(iter(found))
