"""The built-in properties, by name. Two classes: server invariants, and application properties.

Server invariants hold of every correct server, whatever a tape does; application properties are what
a tape may break.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import unknown
from ..watch import Property
from . import beside, claims, delivery, ordering, progress, receiving, replay, retention, server, survival

BUILT_IN: dict[str, Property] = {
    p.name: p
    for p in (
        *server.PROPERTIES,
        *delivery.PROPERTIES,
        *ordering.PROPERTIES,
        *claims.PROPERTIES,
        *progress.PROPERTIES,
        *receiving.PROPERTIES,
        *retention.PROPERTIES,
        *replay.PROPERTIES,
        *beside.PROPERTIES,
        *survival.PROPERTIES,
    )
}
"""Every built-in property by name."""

SERVER_INVARIANTS: tuple[Property, ...] = server.PROPERTIES
"""What every run checks, because no correct server ever breaks it."""


def named(names: Iterable[str | Property]) -> list[Property]:
    """Properties by name; a scenario's own are given as they are."""
    found = []
    for name in names:
        if isinstance(name, Property):
            found.append(name)
        elif name in BUILT_IN:
            found.append(BUILT_IN[name])
        else:
            raise unknown("property", name, BUILT_IN)
    return found
