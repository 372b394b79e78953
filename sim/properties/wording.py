"""How properties name things in their messages."""

from __future__ import annotations

from ...models import ids

GroupKey = tuple[int, bytes]
"""A group by the incarnation of its stream and its name."""


def show(entry_id: int) -> str:
    """An ID as people write it."""
    return ids.show(entry_id).decode()


def name(text: bytes) -> str:
    """A name as people write it."""
    return text.decode(errors="backslashreplace")
