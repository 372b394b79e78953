"""A sorted map from packed IDs to values, in chunks that copies share until one of them writes.

A copy costs one pointer a chunk, a write after a copy one chunk: what changes, not what is there.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Generic, TypeVar

V = TypeVar("V")

CHUNK_MAX = 128
"""How many items a chunk holds before it splits in two."""


class _Chunk(Generic[V]):
    """A run of neighbouring keys; ``shared`` once more than one map may hold it."""

    __slots__ = ("keys", "shared", "values")

    def __init__(self, keys: list[int], values: list[V]) -> None:
        self.keys = keys
        self.values = values
        self.shared = False


class IdMap(Generic[V]):
    """IDs in ascending order, each with a value.

    The key range is cut into neighbouring stretches, a chunk each. No chunk is empty, unless it is the only one.
    """

    __slots__ = ("_borders", "_chunks", "_size")

    def __init__(self) -> None:
        self._chunks: list[_Chunk[V]] = [_Chunk([], [])]
        self._borders: list[int] = [0]
        """Where the stretch of each chunk begins: at or before its first key."""
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def copy(self) -> IdMap[V]:
        """An independent map with the same items."""
        twin: IdMap[V] = IdMap()
        for chunk in self._chunks:
            chunk.shared = True
        twin._chunks = self._chunks.copy()
        twin._borders = self._borders.copy()
        twin._size = self._size
        return twin

    def get(self, key: int) -> V | None:
        """The value of ``key``, or ``None``."""
        chunk = self._chunks[bisect_right(self._borders, key) - 1]
        i = bisect_left(chunk.keys, key)
        return chunk.values[i] if i < len(chunk.keys) and chunk.keys[i] == key else None

    def put(self, key: int, value: V) -> V | None:
        """Inserts ``key``, or replaces its value; returns the value before, or ``None``."""
        at = bisect_right(self._borders, key) - 1
        chunk = self._chunks[at]
        if chunk.shared:
            chunk = self._own(at)
        keys = chunk.keys
        i = bisect_left(keys, key)
        if i == len(keys):
            keys.append(key)
            chunk.values.append(value)
        elif keys[i] == key:
            before = chunk.values[i]
            chunk.values[i] = value
            return before
        else:
            keys.insert(i, key)
            chunk.values.insert(i, value)
        self._size += 1
        if len(keys) > CHUNK_MAX:
            self._split(at, i)
        return None

    def pop(self, key: int) -> V | None:
        """Removes ``key`` and returns its value, or ``None`` where it is not there."""
        at = bisect_right(self._borders, key) - 1
        chunk = self._chunks[at]
        i = bisect_left(chunk.keys, key)
        if i == len(chunk.keys) or chunk.keys[i] != key:
            return None
        if chunk.shared:
            chunk = self._own(at)
        del chunk.keys[i]
        self._size -= 1
        if not chunk.keys and len(self._chunks) > 1:
            del self._chunks[at]
            del self._borders[at or 1]  # the first stretch begins at 0
        return chunk.values.pop(i)

    def items(self, start: int = 0) -> Iterator[tuple[int, V]]:
        """The items with a key of at least ``start``, ascending. Do not write while iterating."""
        for chunk in self._chunks[bisect_right(self._borders, start) - 1 :]:
            i = bisect_left(chunk.keys, start)
            yield from zip(chunk.keys[i:], chunk.values[i:], strict=True)

    def keys(self) -> tuple[int, ...]:
        """All keys, ascending."""
        return tuple(key for chunk in self._chunks for key in chunk.keys)

    def first(self) -> int:
        """The smallest key; the map must not be empty."""
        return self._chunks[0].keys[0]

    def last(self) -> int:
        """The largest key; the map must not be empty."""
        return self._chunks[-1].keys[-1]

    def _own(self, at: int) -> _Chunk[V]:
        """The chunk, made this map's own where a copy shares it."""
        chunk = self._chunks[at]
        if chunk.shared:
            chunk = _Chunk(chunk.keys.copy(), chunk.values.copy())
            self._chunks[at] = chunk
        return chunk

    def _split(self, at: int, i: int) -> None:
        """Makes two chunks of one that is too large, where its item ``i`` was just inserted."""
        chunk = self._chunks[at]
        keys = chunk.keys
        half = len(keys) - 1 if i == len(keys) - 1 else len(keys) // 2  # an ascending run leaves full chunks behind
        self._chunks.insert(at + 1, _Chunk(keys[half:], chunk.values[half:]))
        self._borders.insert(at + 1, keys[half])
        del keys[half:], chunk.values[half:]
