"""Putting other IDs and names into a nested value: replies, logs, states, events, the books of a monitor."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

from ...models.ids import PART_MAX
from ...models.replies import Failure, Map, Members, Simple

Atom = Callable[[Any], Any]
"""Gives what stands for an ``int`` (not a ``bool``), a ``bytes`` or a ``str``."""

_ID = re.compile(rb"(\(?)([0-9]{1,20})-([0-9]{1,20})")


def rebuild(value: Any, atom: Atom) -> Any:
    """The same value with every number and text replaced by what ``atom`` says."""
    kind = type(value)
    if kind is bytes or kind is int or kind is str:
        return atom(value)
    if kind is tuple:
        return tuple([rebuild(item, atom) for item in value])
    if value is None or kind is bool:
        return value
    if isinstance(value, tuple):
        return kind(*[rebuild(item, atom) for item in value])
    if kind is list:
        return [rebuild(item, atom) for item in value]
    if kind is dict:
        return {rebuild(key, atom): rebuild(item, atom) for key, item in value.items()}
    if kind is set or kind is frozenset:
        return kind([rebuild(item, atom) for item in value])
    if kind is Map:
        return Map(tuple([(rebuild(k, atom), rebuild(v, atom)) for k, v in value.pairs]), paired=value.paired)
    if kind is Members:
        return Members(tuple([rebuild(item, atom) for item in value.items]))
    if kind is Simple or kind is Failure:
        return kind(atom(value.text))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [item.name for item in dataclasses.fields(value) if item.init]
        return dataclasses.replace(value, **{name: rebuild(getattr(value, name), atom) for name in fields})
    return value


def atoms(value: Any) -> set[Any]:
    """Every text in a value, as bytes."""
    found: set[bytes] = set()

    def note(item: Any) -> Any:
        if type(item) is bytes:
            found.add(item)
        elif type(item) is str:
            found.add(item.encode(errors="surrogateescape"))
        return item

    rebuild(value, note)
    return found


def in_ids(milliseconds: Callable[[int], int]) -> Atom:
    """Replaces the milliseconds of every ID, packed or as text."""

    def atom(value: Any) -> Any:
        if type(value) is int:
            if value <= PART_MAX:
                return value
            return milliseconds(value >> 64) << 64 | value & PART_MAX
        if type(value) is str:
            text = value.encode(errors="surrogateescape")
            other = _id_text(text, milliseconds)
            return value if other is text else other.decode()
        return _id_text(value, milliseconds)

    return atom


def _id_text(text: bytes, milliseconds: Callable[[int], int]) -> bytes:
    if len(text) < 3 or len(text) > 42 or b"-" not in text:
        return text
    match = _ID.fullmatch(text)
    if match is None:
        return text
    before = int(match[2])
    after = milliseconds(before)
    return text if after == before else b"%b%d-%b" % (match[1], after, match[3])


def in_names(names: Mapping[bytes, bytes]) -> Atom:
    """Replaces texts that are exactly one of ``names``."""
    words = {key.decode(errors="surrogateescape"): value.decode() for key, value in names.items()}

    def atom(value: Any) -> Any:
        if type(value) is bytes:
            return names.get(value, value)
        if type(value) is str:
            return words.get(value, value)
        return value

    return atom
