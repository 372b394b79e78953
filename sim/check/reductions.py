"""The reductions by name; each can be left out, and the verdict must not change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..errors import BadInput, unknown

REDUCTIONS: dict[str, str] = {
    "zones": "states are compared as seen from their present: clocks and IDs shifted, idle times only as far as a "
    "threshold can tell them apart",
    "symmetry": "processes that can take each other's places, with their consumers' names, are brought to the order "
    "that their contents ask for",
}
"""Each with what it does, in the order in which they build on each other."""

ALL: tuple[str, ...] = tuple(REDUCTIONS)
NONE = "none"
ALL_WORD = "all"


def chosen(names: Iterable[str]) -> tuple[str, ...]:
    """The reductions that are on, in order; what builds on one that is off is off, too."""
    wanted = set(names)
    for name in sorted(wanted - set(REDUCTIONS)):
        raise unknown("reduction", name, REDUCTIONS)
    return ALL if wanted == set(ALL) else tuple(name for name in ALL if name in wanted and "zones" in wanted)


def parse(reduce: str | None, without: Sequence[str]) -> tuple[str, ...]:
    """What ``--reduce`` and ``--without`` ask for."""
    if reduce is not None and without:
        raise BadInput("give either --reduce or --without")
    if reduce == NONE:
        return ()
    names = ALL if reduce in (None, ALL_WORD) else tuple(filter(None, str(reduce).split(",")))
    chosen(names)
    for name in without:
        if name not in REDUCTIONS:
            raise unknown("reduction", name, REDUCTIONS)
    return chosen(name for name in names if name not in without)
