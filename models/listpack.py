"""Sizes of listpacks, to the byte.

A stream keeps its entries in nodes, each one listpack, and starts a new node when the last one would
grow past ``stream-node-max-bytes``. Node borders decide what ``~`` trims and what XINFO counts, so the
model measures what the server would store. Sources: lpEncodeGetType, lpEncodeBacklen, streamAppendItem.
"""

from __future__ import annotations

EMPTY_BYTES = 7
"""A listpack's header of six bytes and its end marker."""


INT_BYTES_MAX = 10
"""No integer takes more, nor do the header and back-length of a string."""


def size_of_int(value: int) -> int:
    """Bytes that an integer element takes, with its back-length."""
    if 0 <= value <= 127:
        return 2
    if -4096 <= value <= 4095:
        return 3
    if -32768 <= value <= 32767:
        return 4
    if -8388608 <= value <= 8388607:
        return 5
    if -2147483648 <= value <= 2147483647:
        return 6
    return 10


def size_of_bytes(text: bytes) -> int:
    """Bytes that a string element takes; a canonical 64-bit integer is stored as one."""
    length = len(text)
    if length <= 20 and _is_int64(text):
        return size_of_int(int(text))
    body = length + (1 if length < 64 else 2 if length < 4096 else 5)
    return body + _back_length(body)


def _back_length(body: int) -> int:
    if body <= 127:
        return 1
    if body < 16383:
        return 2
    if body < 2097151:
        return 3
    return 4 if body < 268435455 else 5


def _is_int64(text: bytes) -> bool:
    digits = text[1:] if text[:1] == b"-" else text
    if not digits.isdigit() or (digits[:1] == b"0" and text != b"0"):
        return False
    return -(2**63) <= int(text) <= 2**63 - 1
