"""Numbers for values: equal values get the same number, in the order in which they first come."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

V = TypeVar("V", bound=Hashable)


def tagged(value: Any) -> Any:
    """A value with its types, as a key: to Python named tuples of two kinds are equal, and ``True`` is 1."""
    kind = type(value)
    if value is None or kind is int or kind is bytes or kind is str:
        return value
    if kind is bool:
        return (bool, value)
    if kind is tuple:
        return tuple([tagged(item) for item in value])
    if isinstance(value, tuple):
        return (kind, *[tagged(item) for item in value])
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return (kind, *[tagged(getattr(value, item.name)) for item in dataclasses.fields(value)])
    return value


class Interned(Generic[V]):
    """A table of values; ``table[number]`` is the value. ``key`` tells values apart that Python takes for equal."""

    __slots__ = ("_key", "_numbers", "limit", "table", "what")

    def __init__(self, what: str, limit: int, key: Callable[[V], Hashable] | None = None) -> None:
        self._key = key
        self.what = what
        self.limit = limit
        self.table: list[V] = []
        self._numbers: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return len(self.table)

    def number(self, value: V) -> int:
        """The number of a value."""
        key = value if self._key is None else self._key(value)
        known = self._numbers.get(key)
        if known is None:
            known = len(self.table)
            if known >= self.limit:
                raise OverflowError(f"more than {self.limit:,} different states of {self.what}")
            self._numbers[key] = known
            self.table.append(value)
        return known
