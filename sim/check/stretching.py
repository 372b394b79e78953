"""The same IDs in the same order, with other milliseconds: whoever does something else then looks inside them."""

from __future__ import annotations

from .abstraction import NOW_MS
from .renaming import Atom, in_ids

STRETCH = 1009
"""By how much the distances between IDs grow; a prime, so that nothing fits by chance."""


def stretched(epoch_ms: int) -> Atom:
    """Gives what stands for a number or a text where all IDs that were made from the clock lie farther apart."""
    now_ms = epoch_ms + NOW_MS

    def milliseconds(ms: int) -> int:
        return epoch_ms + (ms - epoch_ms) * STRETCH + 7 if epoch_ms < ms <= now_ms else ms

    return in_ids(milliseconds)
