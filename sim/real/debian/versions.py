"""Versions of Debian packages: which is the later one, and whether one is as another package needs it."""

from __future__ import annotations

import re
from functools import total_ordering

__all__ = ["Version", "satisfies", "upstream"]

_PIECES = re.compile(r"(\D*)(\d*)")


@total_ordering
class Version:
    """`[epoch:]upstream[-revision]`, ordered as Debian's policy says (deb-version(7))."""

    __slots__ = ("_key", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        epoch, colon, rest = text.partition(":")
        if not colon:
            epoch, rest = "0", text
        body, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "0")
        self._key = (int(epoch) if epoch.isdigit() else 0, _pieces(body), _pieces(revision))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key == other._key

    def __lt__(self, other: Version) -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        raise TypeError("two texts may be one version: compare versions, do not look them up")


def satisfies(version: Version, relation: str, wanted: str) -> bool:
    """Whether a version stands in this relation (`>=`, `>>`, `=`, `<=`, `<<`) to the wanted one."""
    other = Version(wanted)
    return {
        ">=": version >= other, ">>": version > other, "=": version == other,
        "<=": version <= other, "<<": version < other,
    }[relation]  # fmt: skip


def upstream(text: str) -> str:
    """The version that the program says of itself: `7.0.15` of `5:7.0.15-1~deb12u7`."""
    found = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)", text)
    return found[1] if found else text


def _pieces(text: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Text and numbers by turns. An end comes before any text, and a tilde before an end."""
    found = [((*map(_rank, word), 0), int(number or 0)) for word, number in _PIECES.findall(text)]
    return (*found, ((0,), 0))


def _rank(letter: str) -> int:
    return -1 if letter == "~" else ord(letter) if letter.isalpha() else ord(letter) + 256
