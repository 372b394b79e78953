"""Patterns as the server matches them. Source: stringmatchlen.

Not quite what a shell does: ``*`` alone does not match an empty text, ranges compare signed bytes and may stand the
wrong way round, and what is left open at the end of a pattern is taken as it is.
"""

from __future__ import annotations

STAR, ANY, OPEN, CLOSE, NOT, ESCAPE, DASH = b"*?[]^\\-"


def matches(pattern: bytes, text: bytes) -> bool:
    """Whether the whole text is one that the pattern means."""
    return _matches(pattern, 0, text, 0)


def _matches(pattern: bytes, at: int, text: bytes, done: int) -> bool:
    while at < len(pattern) and done < len(text):
        token = pattern[at]
        if token == STAR:
            while pattern[at + 1 : at + 2] == b"*":
                at += 1
            if at + 1 == len(pattern):
                return True
            return any(_matches(pattern, at + 1, text, start) for start in range(done, len(text)))
        if token == OPEN:
            at, hit = _in_class(pattern, at + 1, text[done])
            if not hit:
                return False
        elif token != ANY:
            if token == ESCAPE and at + 1 < len(pattern):
                at += 1
            if pattern[at] != text[done]:
                return False
        at += 1
        done += 1
        if done == len(text):
            while at < len(pattern) and pattern[at] == STAR:
                at += 1
            break
    return at == len(pattern) and done == len(text)


def _in_class(pattern: bytes, at: int, byte: int) -> tuple[int, bool]:
    """Where the class that begins at ``at`` ends, and whether the byte is in it."""
    size = len(pattern)
    inverted = at < size and pattern[at] == NOT
    if inverted:
        at += 1
    hit = False
    while True:
        if at >= size:
            return size - 1, hit != inverted
        if pattern[at] == ESCAPE and at + 1 < size:
            at += 1
            hit |= pattern[at] == byte
        elif pattern[at] == CLOSE:
            return at, hit != inverted
        elif at + 2 < size and pattern[at + 1] == DASH:
            ends = sorted((_signed(pattern[at]), _signed(pattern[at + 2])))
            hit |= ends[0] <= _signed(byte) <= ends[1]
            at += 2
        else:
            hit |= pattern[at] == byte
        at += 1


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte
