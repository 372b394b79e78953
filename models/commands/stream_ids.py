"""IDs and ranges as arguments of commands, with the errors that wrong ones get."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

from .. import ids
from .call import INVALID_ID, CommandError


def _strict_id(text: bytes) -> int:
    entry_id = ids.parse(text, 0, strict=True)
    if entry_id is None:
        raise CommandError(INVALID_ID)
    return entry_id


def strict_ids(texts: Iterable[bytes]) -> list[int]:
    """Every ID, or the error of the first wrong one."""
    return [strict_id(text) for text in texts]


def _range_start(text: bytes, open_ranges: bool) -> int:
    if text[:1].isdigit():
        return strict_id(text)  # mostly: neither ``-`` nor ``(``, and XADD has said it, so it is remembered
    entry_id, open_end = _bound(text, 0, open_ranges)
    if not open_end:
        return entry_id
    if entry_id == ids.ID_MAX:
        raise CommandError(b"ERR invalid start ID for the interval")
    return entry_id + 1


def _range_end(text: bytes, open_ranges: bool) -> int:
    entry_id, open_end = _bound(text, ids.PART_MAX, open_ranges)
    if not open_end:
        return entry_id
    if entry_id == ids.ID_MIN:
        raise CommandError(b"ERR invalid end ID for the interval")
    return entry_id - 1


def _bound(text: bytes, default_seq: int, open_ranges: bool) -> tuple[int, bool]:
    open_end = open_ranges and len(text) > 1 and text[:1] == b"("
    entry_id = ids.parse(text[1:] if open_end else text, default_seq, strict=open_end)
    if entry_id is None:
        raise CommandError(INVALID_ID)
    return entry_id, open_end


strict_id: Final[Callable[[bytes], int]] = lru_cache(ids.MEMO_MAX)(_strict_id)
"""An ID where ``-`` and ``+`` are not allowed; without a sequence it means the first of its millisecond."""

range_start: Final[Callable[[bytes, bool], int]] = lru_cache(ids.MEMO_MAX)(_range_start)
"""The smallest ID of a range; ``(`` excludes the ID itself where the dialect has open ranges."""

range_end: Final[Callable[[bytes, bool], int]] = lru_cache(ids.MEMO_MAX)(_range_end)
"""The largest ID of a range; ``(`` excludes the ID itself where the dialect has open ranges."""
