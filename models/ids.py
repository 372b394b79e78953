"""Stream IDs: two unsigned 64-bit numbers, kept as one integer ``ms << 64 | seq``.

The packing keeps the order of Redis (by milliseconds, then by sequence), so IDs compare, sort and
hash as plain integers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

PART_MAX = 2**64 - 1
ID_MIN = 0
ID_MAX = 2**128 - 1
TEXT_MAX_BYTES = 127
ID_BYTES = 16

MEMO_MAX = 4096
"""How many of the latest IDs are remembered with their texts: an ID is said and heard many times in its life.

A memo of a pure function is no state: whatever it holds, the answers are the same.
"""

_SPACE = b" \t\n\v\f\r"


def make(ms: int, seq: int) -> int:
    """The ID of two unsigned 64-bit parts."""
    return ms << 64 | seq


def ms_of(entry_id: int) -> int:
    """The millisecond part."""
    return entry_id >> 64


def seq_of(entry_id: int) -> int:
    """The sequence part."""
    return entry_id & PART_MAX


def signed64(value: int) -> int:
    """A number as a signed 64-bit integer holds it: past the largest it goes on from the smallest."""
    if -(2**63) <= value < 2**63:
        return value
    value &= PART_MAX
    return value - 2**64 if value >= 2**63 else value


def _show(entry_id: int) -> bytes:
    return b"%d-%d" % (entry_id >> 64, entry_id & PART_MAX)


show: Final[Callable[[int], bytes]] = lru_cache(MEMO_MAX)(_show)
"""The decimal text ``ms-seq`` that Redis prints."""


def next_generated(last: int, now_ms: int) -> int:
    """The ID that ``XADD key *`` takes: the clock, or one past the last ID where the clock is behind.

    Source: streamNextID. A full sequence carries into the next millisecond. The caller has refused
    ``last == ID_MAX`` before.
    """
    assert last < ID_MAX
    if now_ms > last >> 64:
        return now_ms << 64
    return last + 1


def parse(text: bytes, default_seq: int, *, strict: bool) -> int | None:
    """Reads an ID as ``streamGenericParseIDOrReply`` does; ``None`` where Redis says it is invalid.

    ``default_seq`` completes an ID without a sequence. ``-`` and ``+`` mean the smallest and the
    largest ID where ``strict`` is false.
    """
    ms_text, dash, seq_text = text.partition(b"-")
    if len(text) < 20 and ms_text.isdigit() and seq_text.isdigit():  # mostly
        return int(ms_text) << 64 | int(seq_text)
    if len(text) > TEXT_MAX_BYTES:
        return None
    nul = text.find(b"\0")
    if nul >= 0:
        text = text[:nul]
    if not strict:
        if text == b"-":
            return ID_MIN
        if text == b"+":
            return ID_MAX
    ms_text, dash, seq_text = text.partition(b"-")
    ms = _unsigned(ms_text)
    if ms is None:
        return None
    if not dash:
        return ms << 64 | default_seq
    seq = _unsigned(seq_text)
    return None if seq is None else ms << 64 | seq


def parse_open_sequence(text: bytes) -> int | None:
    """The milliseconds of ``ms-*``, or ``None`` where the text has another form."""
    if len(text) > TEXT_MAX_BYTES:
        return None
    ms_text, dash, seq_text = text.partition(b"\0")[0].partition(b"-")
    return _unsigned(ms_text) if dash and seq_text == b"*" else None


def _unsigned(text: bytes) -> int | None:
    """Reads one part as ``string2ull`` does.

    A plain signed integer must not be negative; anything else goes through C's ``strtoull``, which
    takes leading blanks, a sign and leading zeros, and wraps a negative number.
    """
    if text.isdigit():
        value = int(text)
        return value if value <= PART_MAX else None
    if text[:1] == b"-":  # "-5" is a plain signed integer and negative; "-05" is not plain and wraps
        digits = text[1:]
        if not digits.isdigit():
            return None
        value = int(digits)
        plain = digits[:1] != b"0" and value <= 2**63
        return None if plain or value > PART_MAX else -value & PART_MAX
    body = text.lstrip(_SPACE)
    negative = body[:1] == b"-"
    if body[:1] in (b"-", b"+"):
        body = body[1:]
    if not body.isdigit():
        return None
    value = int(body)
    if value > PART_MAX:
        return None
    return -value & PART_MAX if negative else value
