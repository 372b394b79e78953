"""A value that is a dictionary: a hash, a set or a sorted set. Its key goes when its last item does.

Streams do not need them; those who use streams do, beside them.
"""

from __future__ import annotations

from typing import Final

HASH: Final = "hash"
SET: Final = "set"
SORTED_SET: Final = "zset"


class Collection:
    """The value of a key. A hash maps fields to values, a sorted set members to scores, a set members to nothing."""

    __slots__ = ("born", "fields", "kind", "scores", "shared")

    def __init__(self, kind: str, born: int) -> None:
        self.kind = kind
        """As TYPE says it."""
        self.born = born
        """Which incarnation of the key this is."""
        self.fields: dict[bytes, bytes] = {}
        """Of a hash, in the order in which they came; of a set, each with an empty value."""
        self.scores: dict[bytes, float] = {}
        """Of a sorted set."""
        self.shared = False

    def copy(self, born: int | None = None) -> Collection:
        """An independent value with the same items; ``born`` makes it a new incarnation."""
        twin = Collection(self.kind, self.born if born is None else born)
        twin.fields = self.fields.copy()
        twin.scores = self.scores.copy()
        return twin

    def ranked(self) -> list[tuple[float, bytes]]:
        """The items of a sorted set in their order."""
        return sorted((score, member) for member, score in self.scores.items())

    def __len__(self) -> int:
        return len(self.fields) + len(self.scores)
