"""What processes declare to touch, and that they are held to it."""

from __future__ import annotations

from collections.abc import Sequence

from ..models.facts import Fact
from ..models.replies import Reply
from ..models.touched import BIRTHS, EVERYTHING, touched
from .errors import ScenarioError


def hold_to(
    process: str, declared: Sequence[str], commands: Sequence[Sequence[bytes]], replies: Sequence[Reply],
    facts: Sequence[Fact],
) -> None:  # fmt: skip
    """``ScenarioError`` where commands touched a key that their process does not declare."""
    known = {key.encode() for key in declared}
    for argv, reply in zip(commands, replies, strict=True):
        footprint = touched(argv, reply, facts if len(commands) == 1 else ())
        for place in sorted(footprint.reads | footprint.writes):
            if place.kind == BIRTHS or (place.kind != EVERYTHING and place.key in known):
                continue
            what = "what is not known to keep to one key" if place.kind == EVERYTHING else repr(_text(place.key))
            raise ScenarioError(
                f"process {process!r} declares to touch {', '.join(map(repr, declared)) or 'nothing'}, and its "
                f"{_text(argv[0])} touches {what}: add it to touches=, or leave that out"
            )


def _text(word: bytes) -> str:
    return word.decode(errors="replace")
