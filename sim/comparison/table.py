"""The table: what each way is good for, told by what was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from .situations import SITUATIONS, Measured, measure
from .stores import Store
from .transports import TRANSPORTS

__all__ = ["FEATURES", "Table", "as_json", "differences", "fill"]

Table = dict[str, dict[str, Measured]]
"""Situation, then way, then what was measured."""


def fill(store: Store, progress: Callable[[], None] = lambda: None) -> Table:
    """Put every way through every situation on one store; `progress` is told after each."""
    table: Table = {}
    for situation in SITUATIONS:
        row = table[situation.name] = {}
        for way in TRANSPORTS:
            row[way.name] = measure(store, way(), situation)
            progress()
    return table


def _kept(table: Table, way: str) -> str:
    found = table["absent"][way]
    return f"{found.sent - found.lost} of {found.sent} kept"


def _groups(table: Table, way: str) -> str:
    found = table["two services"][way]
    return f"{_shares(found)} of {found.sent}"


def _history(table: Table, way: str) -> str:
    found = table["late reader"][way]
    return f"{found.again} of {found.sent} again"


def _acknowledgment(table: Table, way: str) -> str:
    before, after = table["crash before handling"][way], table["crash after handling"][way]
    return f"{before.lost} lost, {after.duplicated} twice"


def _consumers(table: Table, way: str) -> str:
    found = table["two workers"][way]
    return f"{_shares(found)} of {found.sent}"


FEATURES: dict[str, tuple[str, Callable[[Table, str], str]]] = {
    "persistence": ("what is sent while nobody is there", _kept),
    "consumer groups": ("two services, each to handle everything", _groups),
    "history": ("handled already, and wanted once more", _history),
    "acknowledgment": ("a worker dies before, and after handling", _acknowledgment),
    "multiple consumers": ("two workers of one service", _consumers),
}
"""Feature to the question behind it, and the answer in numbers."""


def _shares(found: Measured) -> str:
    return " + ".join(map(str, found.shares))


def as_json(table: Table) -> dict[str, Any]:
    """The features in words, and all numbers."""
    ways = [way.name for way in TRANSPORTS]
    return {
        "features": {name: {way: say(table, way) for way in ways} for name, (_, say) in FEATURES.items()},
        "situations": {name: {way: asdict(found) for way, found in row.items()} for name, row in table.items()},
    }


def differences(one: Table, other: Table) -> list[tuple[str, str]]:
    """The situations and ways in which two stores measured something else."""
    return [(name, way) for name, row in one.items() for way, found in row.items() if other[name][way] != found]
