"""Where a property's own code raises: the shortest tape that comes to it, found as if it were a violation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ..errors import RedeliveryError
from ..run import simulate
from ..scenario import Scenario
from ..tape import Tape
from ..watch import Monitor, Property, PropertyRaised
from .report import Result

P = TypeVar("P", str | Property, Property)


def shortest(
    raised: PropertyRaised, scenario: Scenario, variant: str, again: Callable[[Scenario], Result]
) -> PropertyRaised:
    """The error as a simulation comes to it, with its tape; as it is where none is found.

    ``again`` searches the scenario that it is given, which differs from ``scenario`` in one property: what that one
    raised breaks it.
    """
    try:
        found = again(_as_violated(scenario, variant, raised.property_name)).counterexample
        if found is None:
            return raised
        tape = Tape(found.scenario, variant, found.dialect, found.params, found.choices)
        simulate(scenario, tape=tape)
    except PropertyRaised as simulated:
        return simulated.on(tape, raised.seen)
    except RedeliveryError:
        pass
    return raised


def _as_violated(scenario: Scenario, variant: str, name: str) -> Scenario:
    """The scenario with one property broken where it raises; its variant is declared to break that one."""

    def guarded(properties: Sequence[P]) -> list[P]:
        return [_guarded(p) if isinstance(p, Property) and p.name == name else p for p in properties]

    before = scenario.variant(variant)
    after = replace(
        before, violates=name, safeguards={}, properties=guarded(before.properties), sometimes=guarded(before.sometimes)
    )
    return replace(
        scenario, variants={variant: after}, properties=guarded(scenario.properties),
        sometimes=guarded(scenario.sometimes),
    )  # fmt: skip


def _guarded(p: Property) -> Property:
    def made() -> Monitor:
        monitor = p.monitor()
        monitor.__class__ = _kind(type(monitor))
        return monitor

    return replace(p, monitor=made)


_KINDS: dict[type[Monitor], type[Monitor]] = {}


def _kind(kind: type[Monitor]) -> type[Monitor]:
    """A kind of monitor whose methods say what they raised."""
    if kind not in _KINDS:
        names = [*kind.handlers.values(), *(["at_end"] if kind.at_end is not Monitor.at_end else [])]
        _KINDS[kind] = type(kind.__name__, (kind,), {name: _saying(getattr(kind, name)) for name in names})
    return _KINDS[kind]


def _saying(method: Callable[..., str | None]) -> Callable[..., str | None]:
    def said(*arguments: Any) -> str | None:
        try:
            return method(*arguments)
        except Exception as error:
            return f"raised {type(error).__name__}"

    return said
