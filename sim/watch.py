"""Watching a run: every property sees every event, once, as it happens.

A property is a small automaton, its *monitor*. Monitors say ``on_<kind>`` for the kinds of events and
facts that they read; a fact reaches them with the event that it is part of.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, ClassVar, NamedTuple, get_args

from ..models.facts import Claimed, Fact, KeyCopied, KeyMoved, Reinstated
from .errors import BadInput
from .events import Event


class Violation(NamedTuple):
    """A property was broken: at which event of the history, at what time, and how."""

    property: str
    step: int
    at_ms: int
    message: str


class PropertyRaised(BadInput):
    """A property's own code raised: ``property_name`` is whose, ``answers`` are the tape where they are known."""

    property_name = ""
    answers: tuple[int, ...] | None = None

    def on(self, tape: object, seen: str = "") -> PropertyRaised:
        """The same, with what a search had seen, and the tape that comes to it."""
        told = type(self)(f"{self}{seen}; it does so again with: redelivery replay {tape}")
        told.property_name = self.property_name
        return told


class Monitor:
    """Base of the automata. ``on_...`` methods return what is wrong, or ``None``.

    Attributes must be plain values and containers of such: a monitor is copied when its world is.
    """

    handlers: ClassVar[dict[type, str]] = {}
    server_times: ClassVar[frozenset[str]] = frozenset()
    """Attributes that hold times of the server's clock, which are compared with idle times only."""
    tells_ms: ClassVar[int] = 0
    """Ages of such times are told apart up to this; more only as far as processes ask for idle times."""
    unread: ClassVar[frozenset[str]] = frozenset()
    """Attributes that only messages are made of: they are kept where a run is told, not where states are compared."""
    instant: ClassVar[bool] = False
    """Of a *sometimes* statement: one event alone meets it, whatever came before."""

    def __init_subclass__(cls) -> None:
        cls.handlers = {kind: f"on_{name}" for name, kind in _KINDS.items() if hasattr(cls, f"on_{name}")}
        known = set(cls.handlers.values())
        for name in dir(cls):
            hears = name in known or not name.startswith("on_")
            assert hears, f"{cls.__name__}.{name} names no event or fact{_near(name)}"

    def on_key_moved(self, fact: KeyMoved, event: Event) -> str | None:
        """What is known of a stream holds of the incarnation that it becomes."""
        self._inherit(fact.born, fact.to_born)
        return None

    def on_key_copied(self, fact: KeyCopied, event: Event) -> str | None:
        """What is known of a stream holds of its copy."""
        self._inherit(fact.born, fact.to_born)
        return None

    def on_reinstated(self, fact: Reinstated, event: Event) -> str | None:
        """A pending entry that is what it was before is told as one that was made pending by force."""
        claimed = getattr(self, "on_claimed", None)
        if claimed is None or self.instant:
            return None
        told = Claimed(
            fact.stream, fact.born, fact.group, fact.consumer, fact.id, fact.owner_before, None, 0, fact.count,
            fact.delivered_ms,
        )  # fmt: skip
        wrong: str | None = claimed(told, event)
        return wrong

    def _inherit(self, born: int, to_born: int) -> None:
        """Copies what the books say of one incarnation: they are kept by it, or by tuples that begin with it."""
        for book in vars(self).values():
            if not isinstance(book, dict):
                continue
            for key in list(book):
                if type(key) is int and key == born:
                    book[to_born] = deepcopy(book[key])
                elif type(key) is tuple and type(key[0]) is int and key[0] == born:
                    book[to_born, *key[1:]] = deepcopy(book[key])

    def at_end(self, at_ms: int) -> str | None:
        """What is wrong when the run is over; for properties that must come true by then."""
        return None

    def met(self) -> bool:
        """Whether a *sometimes* statement was met."""
        return True


def _near(name: str) -> str:
    """What may have been meant by a method that hears of nothing."""
    near = get_close_matches(name, [f"on_{kind}" for kind in _KINDS], n=3, cutoff=0.5)
    return f"; there is {', '.join(near)}" if near else ""


def _snake(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


_TELLING = frozenset(kind for kind in get_args(Event) if "facts" in kind._fields)
"""The kinds of events that hold facts."""
_KINDS: dict[str, type] = {_snake(kind.__name__): kind for kind in (*get_args(Event), *get_args(Fact))}


@dataclass(frozen=True, slots=True)
class Property:
    """A named statement about histories.

    ``kind`` is ``always`` (no step breaks it), ``eventually`` (true at the end of the run, after the
    faults have stopped) or ``sometimes`` (some step must meet it, else the run shows nothing).
    """

    name: str
    kind: str
    statement: str
    monitor: Callable[[], Monitor]
    formal: str = ""
    exceptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert self.kind in ("always", "eventually", "sometimes"), self.kind


class Watch:
    """The monitors of one run, and what they found. Each property is reported at its first violation."""

    __slots__ = ("_monitors", "_routes", "properties", "seen", "violations")

    def __init__(self, properties: Sequence[Property]) -> None:
        self.properties = tuple(properties)
        self.violations: list[Violation] = []
        self.seen = 0
        """How many events there were so far."""
        self._monitors: list[Monitor] = []
        for which, p in enumerate(self.properties):
            try:
                self._monitors.append(p.monitor())
            except Exception as error:
                raise self._raised(which, error) from error
        self._route()

    def fork(self) -> Watch:
        """An independent watch in the same state."""
        twin = Watch.__new__(Watch)
        twin.properties = self.properties
        twin.violations = self.violations.copy()
        twin.seen = self.seen
        twin._monitors = deepcopy(self._monitors)
        twin._route()
        return twin

    def monitor(self, which: int) -> Monitor:
        """The monitor of a property, by its place."""
        return self._monitors[which]

    def components(self) -> tuple[Any, ...]:
        """The state of every monitor, for fingerprints."""
        return tuple((p.name, _plain(vars(m))) for p, m in zip(self.properties, self._monitors, strict=True))

    def observe(self, event: Event) -> None:
        """Shows an event, and the facts in it, to the properties that read such."""
        routes = self._routes
        kind: type = type(event)
        which = 0
        try:
            if kind in routes:
                for which, method in routes[kind]:
                    message = method(event)
                    if message is not None:
                        self._violate(which, event.at_ms, message)
            if kind in _TELLING:
                for fact in event.facts:  # type: ignore[union-attr]  # these have
                    for which, method in routes.get(type(fact), ()):
                        message = method(fact, event)
                        if message is not None:
                            self._violate(which, event.at_ms, message)
        except Exception as error:
            raise self._raised(which, error) from error
        self.seen += 1

    def finish(self, at_ms: int) -> None:
        """Asks every property what is still wrong now that the run is over."""
        for which, monitor in enumerate(self._monitors):
            try:
                message = monitor.at_end(at_ms)
            except Exception as error:
                raise self._raised(which, error) from error
            if message is not None:
                self._violate(which, at_ms, message)

    def unmet(self) -> list[str]:
        """The *sometimes* statements that no step met."""
        found = []
        for which, (p, monitor) in enumerate(zip(self.properties, self._monitors, strict=True)):
            try:
                met = p.kind != "sometimes" or monitor.met()
            except Exception as error:
                raise self._raised(which, error) from error
            if not met:
                found.append(p.name)
        return found

    def _route(self) -> None:
        self._routes: dict[type, list[tuple[int, Callable[..., str | None]]]] = {}
        for which, monitor in enumerate(self._monitors):
            for kind, name in monitor.handlers.items():
                self._routes.setdefault(kind, []).append((which, getattr(monitor, name)))

    def _raised(self, which: int, error: Exception) -> PropertyRaised:
        name, text = self.properties[which].name, " ".join(str(error).split())
        place = traceback.extract_tb(error.__traceback__)[-1]
        told = PropertyRaised(
            f"property {name!r} raised {type(error).__name__} at event {self.seen}{text and ': '}{text} "
            f"({place.filename}, line {place.lineno})"
        )
        told.property_name = name
        return told

    def _violate(self, which: int, at_ms: int, message: str) -> None:
        name = self.properties[which].name
        if all(violation.property != name for violation in self.violations):
            self.violations.append(Violation(name, self.seen, at_ms, message))


def _plain(value: Any) -> Any:
    """A value with its dicts and sets in order, so that its text does not depend on how it came about."""
    if isinstance(value, dict):
        return tuple(sorted((repr(_plain(k)), _plain(v)) for k, v in value.items()))
    if isinstance(value, set | frozenset):
        return tuple(sorted(repr(_plain(item)) for item in value))
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value)
    return value
