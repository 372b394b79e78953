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
    """IDs in ascending order, each with a value."""

    __slots__ = ("_chunks", "_firsts", "_size")

    def __init__(self) -> None:
        self._chunks: list[_Chunk[V]] = []
        self._firsts: list[int] = []
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def copy(self) -> IdMap[V]:
        """An independent map with the same items."""
        twin: IdMap[V] = IdMap()
        for chunk in self._chunks:
            chunk.shared = True
        twin._chunks = self._chunks.copy()
        twin._firsts = self._firsts.copy()
        twin._size = self._size
        return twin

    def get(self, key: int) -> V | None:
        """The value of ``key``, or ``None``."""
        at = bisect_right(self._firsts, key) - 1
        if at < 0:
            return None
        chunk = self._chunks[at]
        i = bisect_left(chunk.keys, key)
        return chunk.values[i] if i < len(chunk.keys) and chunk.keys[i] == key else None

    def put(self, key: int, value: V) -> None:
        """Inserts ``key``, or replaces its value."""
        if not self._chunks:
            self._chunks.append(_Chunk([key], [value]))
            self._firsts.append(key)
            self._size = 1
            return
        tail = self._chunks[-1]
        if key > tail.keys[-1] and not tail.shared and len(tail.keys) < CHUNK_MAX:  # mostly
            tail.keys.append(key)
            tail.values.append(value)
            self._size += 1
            return
        at = max(bisect_right(self._firsts, key) - 1, 0)
        chunk = self._own(at)
        keys = chunk.keys
        i = len(keys) if key > keys[-1] else bisect_left(keys, key)
        if i < len(keys) and keys[i] == key:
            chunk.values[i] = value
            return
        keys.insert(i, key)
        chunk.values.insert(i, value)
        self._firsts[at] = keys[0]
        self._size += 1
        if len(keys) > CHUNK_MAX:
            half = len(keys) if i == len(keys) - 1 else len(keys) // 2
            half = min(half, len(keys) - 1)  # an ascending run leaves full chunks behind
            right = _Chunk(keys[half:], chunk.values[half:])
            del keys[half:], chunk.values[half:]
            self._chunks.insert(at + 1, right)
            self._firsts.insert(at + 1, right.keys[0])

    def pop(self, key: int) -> V | None:
        """Removes ``key`` and returns its value, or ``None`` where it is not there."""
        at = bisect_right(self._firsts, key) - 1
        if at < 0:
            return None
        keys = self._chunks[at].keys
        i = bisect_left(keys, key)
        if i == len(keys) or keys[i] != key:
            return None
        chunk = self._own(at)
        value = chunk.values.pop(i)
        del chunk.keys[i]
        self._size -= 1
        if chunk.keys:
            self._firsts[at] = chunk.keys[0]
        else:
            del self._chunks[at], self._firsts[at]
        return value

    def items(self, start: int = 0) -> Iterator[tuple[int, V]]:
        """The items with a key of at least ``start``, ascending. Do not write while iterating."""
        at = max(bisect_right(self._firsts, start) - 1, 0)
        for chunk in self._chunks[at:]:
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
        chunk = self._chunks[at]
        if chunk.shared:
            chunk = _Chunk(chunk.keys.copy(), chunk.values.copy())
            self._chunks[at] = chunk
        return chunk
