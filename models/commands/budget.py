"""MAXCOUNT and MAXSIZE of XREAD and XREADGROUP: how much one reply may hold, over all its streams (8.10).

Known from documents alone, which say: entries count over all streams, in the order of the command; sizes include
what the protocol adds; the size is a soft limit, so that one entry that is too large is still given if it is the
first; once a limit is reached, the streams that follow are skipped. How the server counts to the byte they do not
say: here an entry counts as its encoded reply.
"""

from __future__ import annotations

from ..replies import Reply, encode
from .call import CommandError, integer


class Budget:
    """What is left of a reply's limits while it is made."""

    __slots__ = ("_bytes_left", "_entries_left", "_given", "_resp", "is_spent")

    def __init__(self, entries_max: int | None, bytes_max: int | None, resp: int) -> None:
        self._entries_left = entries_max
        self._bytes_left = bytes_max
        self._resp = resp
        self._given = False
        self.is_spent = False
        """Whether nothing more fits in."""

    def takes(self, entry: Reply) -> bool:
        """Whether one more entry fits in; it then counts as given."""
        if self.is_spent:
            return False
        if self._bytes_left is not None:
            self._bytes_left -= len(encode(entry, self._resp))
            if self._bytes_left < 0 and self._given:
                self.is_spent = True
                return False
            self.is_spent = self._bytes_left <= 0
        if self._entries_left is not None:
            self._entries_left -= 1
            self.is_spent = self.is_spent or self._entries_left == 0
        self._given = True
        return True


def limit_of(word: bytes, text: bytes) -> int:
    """The argument of MAXCOUNT or MAXSIZE."""
    value = integer(text)
    if value is None or value < 1:
        raise CommandError(b"ERR %b must be a positive integer" % word)
    return value
