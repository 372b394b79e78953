"""Requests as bytes become command lines: RESP arrays and inline commands, in pieces of any size.

Sources: processInputBuffer, processMultibulkBuffer, processInlineBuffer, sdssplitargs.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from ...models.commands.call import integer

LINE_MAX: Final = 64 * 1024
"""How long a line may get before its end is there (PROTO_INLINE_MAX_SIZE)."""

BULK_MAX: Final = 512 << 20
"""How long an argument may be (proto-max-bulk-len)."""

QUERY_MAX: Final = 1 << 30
"""How many bytes one request may hold up before its connection is dropped (client-query-buffer-limit)."""

ARGUMENT_COST: Final = 64
"""What an argument takes beside its bytes: else a line of a billion empty ones would fill the memory."""

_COUNTS: Final = {b"*%d" % count: count for count in range(1, 257)}
_HEADERS: Final = [b"$%d" % size for size in range(4096)]
"""The lines that most requests consist of: looking one up is quicker than reading it."""
_header: Final = _HEADERS.__getitem__

_STAR: Final = ord("*")
_ESCAPES: Final = {ord("n"): 10, ord("r"): 13, ord("t"): 9, ord("b"): 8, ord("a"): 7}
_BLANKS: Final = b" \n\r\t\v\f\0"


MANY: Final = 32
"""With more lines than that, whole columns of requests are looked at."""


class TooMuch(Exception):
    """A connection holds up more than it may: it is dropped without an answer."""


class RequestParser:
    """Cuts what a client sends into command lines. It belongs to one connection."""

    __slots__ = ("_argv", "_buffer", "_cost", "_left", "_need", "_size", "argc_max", "error", "query_max", "requests")

    def __init__(self, argc_max: int = 2**31 - 1, query_max: int = QUERY_MAX) -> None:
        self.argc_max = argc_max
        self.query_max = query_max
        self.requests: deque[list[bytes]] = deque()
        """Whole command lines, first come first served."""
        self.error: bytes | None = None
        """What is wrong with what followed them; nothing is read from then on."""
        self._buffer = bytearray()
        self._argv: list[bytes] = []
        self._cost = 0
        self._left = 0
        """How many arguments of the line that has begun are still to come."""
        self._size = -1
        """The length of the argument that has begun, -1 where none has."""
        self._need = 0
        """With how many bytes in the buffer it is worth while to look again."""

    @property
    def held(self) -> int:
        """Bytes that are here and make no whole request."""
        return len(self._buffer)

    @property
    def has_more(self) -> bool:
        """Whether its client has sent anything that was not answered yet."""
        return bool(self.requests or self._buffer) or self.error is not None

    def hold(self, data: bytes) -> None:
        """Keeps bytes for later: their sender is blocked. ``TooMuch`` past the limit."""
        if self.error is None:
            self._buffer += data
            if len(self._buffer) + self._cost > self.query_max:
                raise TooMuch

    def feed(self, data: bytes) -> None:
        """Takes what came; ``requests`` and ``error`` tell what it was. ``TooMuch`` past the limit."""
        if self.error is not None:
            return
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._need:
                self._check_cost()
                return
            data = bytes(self._buffer)
            self._buffer.clear()
        self._need = 0
        if not self._left:
            data = self._short(data)
        at, end = 0, len(data)
        while at < end and self.error is None:
            if self._left:
                went = self._arguments(data, at)
            elif data[at] == _STAR:
                went = self._count(data, at)
            else:
                went = self._inline(data, at)
            if went < 0:
                break
            at = went
        if at < end and self.error is None:
            self._buffer += data[at:]
            self._check_cost()

    def _short(self, data: bytes) -> bytes:
        """Takes those whole requests of short words that ``data`` begins with; gives back what is left.

        A word whose length is as its header says ends where the next line break stands, so it holds none.
        """
        parts = data.split(b"\r\n")
        last = len(parts) - 1
        at = self._alike(parts, last) if last > MANY else 0
        try:
            while at < last:
                after = at + 2 * _COUNTS[parts[at]] + 1
                if after > last:
                    break
                words = parts[at + 2 : after : 2]
                if parts[at + 1 : after : 2] != list(map(_header, map(len, words))):
                    break
                self.requests.append(words)
                at = after
        except LookupError:
            pass  # a line of another kind, or a word that is not short
        if at == 0:
            return data
        return parts[last] if at == last else b"\r\n".join(parts[at:])

    def _alike(self, parts: list[bytes], last: int) -> int:
        """Takes the short requests of a pipeline all at once, where each has as many words; of how many parts."""
        step = 2 * _COUNTS.get(parts[0], last) + 1
        end = last - last % step
        if end <= step or parts[:end:step].count(parts[0]) * step < end:
            return 0
        columns = [parts[at:end:step] for at in range(2, step, 2)]
        try:
            for at, words in enumerate(columns):
                if parts[2 * at + 1 : end : step] != list(map(_header, map(len, words))):
                    return 0
        except IndexError:
            return 0
        self.requests.extend(map(list, zip(*columns, strict=True)))
        return end

    def _check_cost(self) -> None:
        if len(self._buffer) + self._cost > self.query_max:
            raise TooMuch

    def _count(self, data: bytes, at: int) -> int:
        """The first line of a request; where the next thing begins, -1 where it is not whole."""
        line_end = data.find(b"\r", at)
        if line_end < 0 or line_end + 2 > len(data):
            if line_end < 0 and len(data) - at > LINE_MAX:
                self.error = b"too big mbulk count string"
            return -1
        count = integer(data[at + 1 : line_end])
        if count is None or count > self.argc_max:
            self.error = b"invalid multibulk length"
            return -1
        if count > 0:
            self._left = count
            self._argv = []
            self._cost = 0
        return line_end + 2

    def _arguments(self, data: bytes, at: int) -> int:
        """Arguments of a request, as many as are here; where the next thing begins, -1 where nothing was."""
        argv, left, size, end, began = self._argv, self._left, self._size, len(data), at
        while left:
            if size < 0:
                line_end = data.find(b"\r", at)
                if line_end < 0 or line_end + 2 > end:
                    if line_end < 0 and end - at > LINE_MAX:
                        self.error = b"too big bulk count string"
                    break
                if data[at] != 36:
                    self.error = b"expected '$', got '%c'" % data[at]
                    break
                text = data[at + 1 : line_end]
                size = int(text) if len(text) < 4 and text.isdigit() and text[0] != 48 else self._length(text)
                if size < 0:
                    break
                at = line_end + 2
            if at + size + 2 > end:
                self._need = size + 2
                break
            argv.append(data[at : at + size])
            at += size + 2
            size = -1
            left -= 1
        self._left, self._size = left, size
        if not left:
            self.requests.append(argv)
            self._argv = []
            self._cost = 0
            return at
        self._cost = sum(map(len, argv)) + ARGUMENT_COST * len(argv) if len(argv) < 64 else self._more(argv, at - began)
        if self._cost > self.query_max:
            raise TooMuch
        if at > began and at < end:
            self._buffer += data[at:]
            return end
        return at if at > began else -1

    def _more(self, argv: list[bytes], came: int) -> int:
        """What a long line costs so far, without another look at all its arguments."""
        return max(self._cost + came, ARGUMENT_COST * len(argv))

    def _length(self, text: bytes) -> int:
        size = integer(text)
        if size is None or not 0 <= size <= BULK_MAX:
            self.error = b"invalid bulk length"
            return -1
        return size

    def _inline(self, data: bytes, at: int) -> int:
        """A line as people type it; where the next thing begins, -1 where its end is not there.

        Nothing is looked for behind a NUL: whoever sends one waits for ever, or until it has sent too much.
        """
        line_end = data.find(b"\n", at)
        if line_end < 0 or data.find(b"\0", at, line_end) >= 0:
            if len(data) - at > LINE_MAX:
                self.error = b"too big inline request"
            return -1
        argv = split(data[at : line_end - 1 if data[line_end - 1 : line_end] == b"\r" else line_end])
        if argv is None:
            self.error = b"unbalanced quotes in request"
            return -1
        if argv:
            self.requests.append(argv)
        return line_end + 1


def split(line: bytes) -> list[bytes] | None:
    """The words of a line, quotes and escapes undone; ``None`` where a quote is left open (sdssplitargs)."""
    line = line.partition(b"\0")[0]
    words: list[bytes] = []
    at, end = 0, len(line)
    while True:
        while at < end and line[at] in _BLANKS:
            at += 1
        if at >= end:
            return words
        word = bytearray()
        while at < end and line[at] not in _BLANKS:
            if line[at] not in b"\"'":
                word.append(line[at])
                at += 1
                continue
            closed = _quoted(line, at + 1, line[at], word)
            if closed < 0 or (closed < end and line[closed] not in _BLANKS):
                return None
            at = closed
        words.append(bytes(word))


def _quoted(line: bytes, at: int, quote: int, word: bytearray) -> int:
    """Reads what stands in quotes; the place after the closing one, -1 where there is none."""
    end = len(line)
    while at < end:
        byte = line[at]
        if byte == quote:
            return at + 1
        if byte == ord("\\") and at + 1 < end:
            if quote == ord("'"):
                if line[at + 1] == quote:
                    at, byte = at + 1, quote
            elif line[at + 1] == ord("x") and _is_hex(line[at + 2 : at + 4]):
                byte, at = int(line[at + 2 : at + 4], 16), at + 3
            else:
                at, byte = at + 1, _ESCAPES.get(line[at + 1], line[at + 1])
        word.append(byte)
        at += 1
    return -1


def _is_hex(text: bytes) -> bool:
    return len(text) == 2 and not text.strip(b"0123456789abcdefABCDEF")
