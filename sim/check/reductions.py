"""The reductions by name; each can be left out, and the verdict must not change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..errors import unknown

REDUCTIONS: dict[str, str] = {
    "zones": "states are compared as seen from their present: clocks and IDs shifted, idle times only as far as a "
    "threshold can tell them apart",
    "symmetry": "processes that can take each other's places, with their consumers' names, are brought to the order "
    "that their contents ask for",
    "local": "what a process does by itself, unseen by the server, by properties and by faults, is taken together with "
    "the step before",
    "values": "payload values that a plan declares to be interchangeable are dealt out in the order that the contents "
    "of a state ask for",
    "ample": "processes that declare to share no key with any other go first, where no property hears of what they do",
    "sleep": "of two steps that may come in either order, by what they touch and what properties make of them, one "
    "order is taken; by a search level by level that one worker makes in one go",
}
"""Each with what it does, in the order in which they build on each other."""

ALL: tuple[str, ...] = tuple(REDUCTIONS)
DEFAULT: tuple[str, ...] = ("zones", "symmetry")
"""Those that are on unless something else is asked for: scenarios declare their counts under these."""
NONE = "none"
ALL_WORD = "all"
DEFAULT_WORD = "default"


def chosen(names: Iterable[str]) -> tuple[str, ...]:
    """The reductions that are on, in order; what builds on one that is off is off, too."""
    wanted = set(names)
    for name in sorted(wanted - set(REDUCTIONS)):
        raise unknown("reduction", name, REDUCTIONS)
    return tuple(name for name in ALL if name in wanted and "zones" in wanted)


def able(names: tuple[str, ...], search: str, workers: int, *, kept: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The reductions that such a search can have, and what is to be said of the others."""
    if "sleep" not in names or (search == "bfs" and workers == 1 and not kept):
        return names, ()
    why = "a checkpoint does not keep what sleeps" if kept else "it needs a search level by level by one worker"
    return tuple(name for name in names if name != "sleep"), (f"sleep is off: {why}",)


def parse(reduce: str | None, without: Sequence[str]) -> tuple[str, ...]:
    """What ``--reduce`` and ``--without`` ask for."""
    if reduce == NONE:
        return ()
    words = {None: DEFAULT, DEFAULT_WORD: DEFAULT, ALL_WORD: ALL}
    names = words[reduce] if reduce in words else tuple(filter(None, str(reduce).split(",")))
    chosen(names)
    for name in without:
        if name not in REDUCTIONS:
            raise unknown("reduction", name, REDUCTIONS)
    return chosen(name for name in names if name not in without)
