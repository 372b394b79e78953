"""Errors whose text is the one line that a user reads."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class RedeliveryError(Exception):
    """Base of every error that is reported in one line, without a traceback."""

    so_far: Any = None
    """What a search had come to when this ended it."""
    seen: str = ""
    """The same in words, as the text has it."""


class BadInput(RedeliveryError):
    """Something that the user gave is wrong: the text says what, where, and what to do."""


class ScenarioError(RedeliveryError):
    """A scenario broke a rule of the simulator, such as a turn whose state cannot be kept."""


class HandlerFailed(Exception):
    """What ``handle`` raises where the work on an entry failed. Programs catch it, or stop."""


def unknown(kind: str, name: str, known: Iterable[str]) -> BadInput:
    """The error for a name that there is not, with the nearest one that there is."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"there is: {', '.join(names) or 'none'}"
    return BadInput(f"unknown {kind} {name!r}; {hint}")
