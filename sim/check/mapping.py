"""Safety maps: two parameters of a variant are swept, and where its safety changes is found exactly, by bisection.

Each point is a check of everything that can happen there. Between two points of the grid that differ the border is
halved down to one step (a millisecond, or one); between two that agree nothing is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count, pairwise
from typing import Any, NamedTuple

from ..errors import BadInput, RedeliveryError, unknown
from ..scenario import Scenario
from .check import census

SAFE = "safe"
KINDS: dict[str, frozenset[str]] = {
    "lost": frozenset(("no-entry-lost", "trim-respects-pending", "trim-respects-cursor", "popped-implies-handled")),
    "duplicate": frozenset(("single-handler", "handled-at-most-once", "one-intent-one-entry")),
    "starved": frozenset(("no-orphan", "handled-at-least-once", "added-implies-handled", "pel-drains")),
}
"""What a point is called by the properties that break there; whatever else breaks is called by its own name.

What was lost or never claimed is not handled either: a point is called by the first kind that is more than a
consequence.
"""
UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000}
STEPS = 7
STEPS_MAX = 200
_AXIS = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=([^.]+(?:\.\d+[a-z]*)?)\.\.(.+)")
_VALUE = re.compile(r"(\d+(?:\.\d+)?)([a-z]*)")


@dataclass(frozen=True, slots=True)
class Axis:
    """A parameter that is swept from ``low`` to ``high``, both included."""

    name: str
    low: int
    high: int

    @property
    def is_time(self) -> bool:
        """Whether its values are milliseconds."""
        return self.name.endswith("_ms")

    def grid(self, steps: int) -> tuple[int, ...]:
        """At most ``steps`` values: both ends, and between them multiples of a round number (1, 2 or 5, and zeros)."""
        least = -(-(self.high - self.low) // (steps - 1))
        step = next(first * 10**zeros for zeros in count() for first in (1, 2, 5) if first * 10**zeros >= least)
        return (self.low, *range(self.low // step * step + step, self.high, step), self.high)


class Border(NamedTuple):
    """Where the label changes along an axis: ``last`` still has ``before``, and ``first`` (one more) has ``after``."""

    along: str
    """``x`` or ``y``."""
    at: int
    """The value on the other axis."""
    last: int
    first: int
    before: str
    after: str


@dataclass(slots=True)
class SafetyMap:
    """What was found."""

    scenario: str
    variant: str
    dialect: str
    x: Axis
    y: Axis
    params: dict[str, str]
    """All parameters that are not swept."""
    xs: tuple[int, ...] = ()
    ys: tuple[int, ...] = ()
    labels: dict[tuple[int, int], str] = field(default_factory=dict)
    """Every point that was checked."""
    borders: list[Border] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Every label that there is, what is safe first."""
        found = dict.fromkeys(self.labels[point] for point in sorted(self.labels))
        return sorted(found, key=lambda label: (label != SAFE, label))

    def row(self, y: int) -> list[tuple[str, int, int]]:
        """What holds along a row of the grid: label, from, to, from the left to the right."""
        found: list[tuple[str, int, int]] = []
        begin = self.x.low
        for border in sorted(b for b in self.borders if b.along == "x" and b.at == y):
            found.append((border.before, begin, border.last))
            begin = border.first
        found.append((self.labels[self.x.high, y], begin, self.x.high))
        return found


def parse_axis(text: str, option: str, scenario: Scenario) -> Axis:
    """``NAME=LOW..HIGH``: whole numbers, or times with a unit where the name ends in ``_ms``, which may be left out."""
    match = _AXIS.fullmatch(text.replace(" ", ""))
    if match is None:
        raise BadInput(f"{option} {text!r} is not of the form NAME=LOW..HIGH, as in min_idle_ms=1s..60s")
    name = match[1] if match[1] in scenario.params or f"{match[1]}_ms" not in scenario.params else f"{match[1]}_ms"
    if name not in scenario.params:
        raise unknown(f"parameter of {scenario.name!r}", name, scenario.params)
    default = scenario.params[name]
    if type(default) is not int:
        raise BadInput(f"{option} {text!r}: {name} is {default!r} by default, and only whole numbers can be swept")
    low, high = (_value(part, name, option) for part in match.group(2, 3))
    if low >= high:
        raise BadInput(f"{option} {text!r}: {low} is not below {high}")
    return Axis(name, low, high)


def _value(text: str, name: str, option: str) -> int:
    match = _VALUE.fullmatch(text)
    is_time = name.endswith("_ms")
    if match is None or (match[2] and (not is_time or match[2] not in UNITS_MS)):
        wanted = "a time such as 500ms, 2s or 1min" if is_time else "a whole number"
        raise BadInput(f"{option}: {text!r} is no value for {name}; it takes {wanted}")
    value = float(match[1]) * UNITS_MS[match[2] or "ms"] if is_time else float(match[1])
    if value != int(value):
        raise BadInput(f"{option}: {text!r} is no whole number of {'milliseconds' if is_time else name}")
    return int(value)


def label_of(broken: Sequence[str]) -> str:
    """What a point is called where these properties break."""
    if not broken:
        return SAFE
    known = frozenset().union(*KINDS.values())
    found = [kind for kind, names in KINDS.items() if not names.isdisjoint(broken)]
    if "lost" in found and "starved" in found:
        found.remove("starved")
    found += [name for name in broken if name not in known]
    return " and ".join(found)


def survey(
    scenario: Scenario, variant: str, dialect: str, x: Axis, y: Axis, params: dict[str, str], steps: int = STEPS,
    tell: Callable[[int, str], None] = lambda checks, words: None,
) -> SafetyMap:  # fmt: skip
    """Checks every point of the grid, then halves the way to each border, along rows and along columns.

    ``tell`` hears how many checks were made, and at what it is.
    """
    if x.name == y.name:
        raise BadInput(f"--x and --y both sweep {x.name}")
    fixed = {name: str(value) for name, value in scenario.params.items() if name not in (x.name, y.name)} | params
    done = SafetyMap(scenario.name, variant, dialect, x, y, fixed, x.grid(steps), y.grid(steps))

    def label(at_x: int, at_y: int) -> str:
        known = done.labels.get((at_x, at_y))
        if known is not None:
            return known
        given = params | {x.name: str(at_x), y.name: str(at_y)}
        try:
            broken = census(scenario, variant, dialect=dialect, params=given)
        except RedeliveryError as error:
            raise BadInput(f"at {x.name}={at_x}, {y.name}={at_y}: {error}") from error
        found = done.labels[at_x, at_y] = label_of(broken)
        tell(len(done.labels), found)
        return found

    for at_y in done.ys:
        for at_x in done.xs:
            label(at_x, at_y)
    for at_y in done.ys:
        done.borders += _borders("x", at_y, done.xs, partial(label, at_y=at_y))
    for at_x in done.xs:
        done.borders += _borders("y", at_x, done.ys, partial(label, at_x))
    return done


def _borders(along: str, at: int, grid: Sequence[int], label: Callable[[int], str]) -> list[Border]:
    found = []
    for low, high in pairwise(grid):
        begin = low
        while label(begin) != label(high):
            last, first = begin, high
            while first - last > 1:
                middle = (last + first) // 2
                if label(middle) == label(begin):
                    last = middle
                else:
                    first = middle
            found.append(Border(along, at, last, first, label(last), label(first)))
            begin = first
    return found


def as_json(done: SafetyMap) -> dict[str, Any]:
    """The map as plain values; ``labels`` has a row for each of ``ys``."""

    def axis(of: Axis) -> dict[str, Any]:
        return {"name": of.name, "low": of.low, "high": of.high, "unit": "ms" if of.is_time else ""}

    return {
        "scenario": done.scenario, "variant": done.variant, "dialect": done.dialect, "params": done.params,
        "x": axis(done.x), "y": axis(done.y), "xs": list(done.xs), "ys": list(done.ys),
        "labels": [[done.labels[x, y] for x in done.xs] for y in done.ys],
        "borders": [border._asdict() for border in done.borders],
        "checks": len(done.labels),
    }  # fmt: skip
