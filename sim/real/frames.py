"""Replies on the wire: finding where each one ends.

A reply is kept as the exact bytes that the server sent, because that is what is compared. To find its end,
nothing has to be understood but the sizes. So the scanner walks a frame from header to header with one
counter of values that are still owed, in one buffer, without recursion and without copying what is nested; a
frame that comes in pieces is taken up where it was left.
"""

from __future__ import annotations

from .errors import RealServerError

__all__ = ["FrameScanner", "frame_count"]

_STRINGS = frozenset(b"$=!")  # a size, then that many bytes
_AGGREGATES = frozenset(b"*~>")  # a count, then that many values
_MAP = ord("%")
_ATTRIBUTE = ord("|")
_LINES = frozenset(b"+-:_,#(")  # all there is stands on the line

_COMPACT_BYTES = 1 << 16


class FrameScanner:
    """Bytes go in by `feed`, whole replies come out by `next`."""

    __slots__ = ("_at", "_buffer", "_owed", "_start")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._start = 0  # where the current frame begins
        self._at = 0  # where its next header begins; past the end of the buffer inside a long string
        self._owed = 1  # values that the current frame still lacks

    def feed(self, data: bytes) -> None:
        """Add what was received."""
        self._buffer += data

    @property
    def held(self) -> int:
        """How many bytes have been received and not yet given out."""
        return len(self._buffer) - self._start

    def next(self) -> bytes | None:
        """One whole reply, or None when more bytes are needed.

        An attribute belongs to the reply that follows it and is given out with it. Raises `RealServerError`
        when the bytes are not a reply of RESP2 or RESP3.
        """
        buffer = self._buffer
        at = self._at
        owed = self._owed
        while owed:
            end = buffer.find(b"\r\n", at)
            if end < 0:
                self._at = at
                self._owed = owed
                return None
            kind = buffer[at]
            if kind in _LINES:
                owed -= 1
                at = end + 2
                continue
            try:
                size = int(buffer[at + 1 : end])
            except ValueError:
                raise self._broken(at, end) from None
            at_header, at = at, end + 2
            if kind in _STRINGS:
                owed -= 1
                if size >= 0:  # -1 is the nil of RESP2
                    at += size + 2
            elif kind in _AGGREGATES:
                owed += size - 1 if size >= 0 else -1
            elif kind == _MAP:
                owed += 2 * size - 1
            elif kind == _ATTRIBUTE:
                owed += 2 * size  # the value that it describes is still owed
            else:
                raise self._broken(at_header, end)
        if at > len(buffer):
            self._at = at
            self._owed = 0
            return None
        frame = bytes(memoryview(buffer)[self._start : at])
        self._give(at)
        return frame

    def match(self, expected: bytes) -> bool | None:
        """Take the next bytes if they are the expected ones: True; False if they differ, None while too few.

        `expected` is one or more whole replies. No reply is the beginning of another, so equal bytes are
        equal replies, and nothing needs to be scanned: the quick way where few differences are to be found.
        After False, nothing was taken.
        """
        buffer = self._buffer
        start = self._start
        if len(buffer) - start >= len(expected):
            if not buffer.startswith(expected, start):
                return False
            self._give(start + len(expected))
            return True
        return None if expected.startswith(bytes(memoryview(buffer)[start:])) else False

    def _give(self, end: int) -> None:
        """Everything before `end` has been given out."""
        if end == len(self._buffer):
            self._buffer.clear()
            end = 0
        elif end > _COMPACT_BYTES:
            del self._buffer[:end]
            end = 0
        self._start = self._at = end
        self._owed = 1

    def _broken(self, at: int, end: int) -> RealServerError:
        line = bytes(self._buffer[at : min(end, at + 60)])
        return RealServerError(f"the server's answer is not RESP: {line!r}")


def frame_count(replies: bytes) -> int:
    """How many whole replies the bytes hold: SUBSCRIBE to two channels is answered by two.

    Raises `ValueError` when the last one is cut short.
    """
    scanner = FrameScanner()
    scanner.feed(replies)
    count = 0
    while scanner.next() is not None:
        count += 1
    if scanner.held:
        raise ValueError(f"not whole replies: {replies[:60]!r}")
    return count
