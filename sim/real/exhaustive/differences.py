"""A difference that the search found, as a few lines to type into redis-cli and the two answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..frames import frame_count
from ..script import show_command
from ..values import first_difference, parse, show
from ..virtual_clock import START_MS, set_clock_command
from .alphabet import Letter
from .batches import LOOKED, REPLY
from .probing import NOTHING, TOGETHER, Differing
from .states import CONFIG, LOOK, TEXT, TEXT_KEY

__all__ = ["Difference", "explained"]

NO_ANSWER = "(no answer: it blocks, or has hung up)"


@dataclass(frozen=True, slots=True)
class Difference:
    """One command in one state to which the model and the server do not answer alike.

    `commands` lead there from an empty server and end with the command itself, as one types them into redis-cli; there
    is no shorter sequence in the alphabet. `about` is `reply`, or `state` for what XINFO STREAM FULL says after it, or
    `way` where the server did not even come there alike. `where` is the place inside the two answers.
    """

    commands: tuple[str, ...]
    about: str
    model: str
    server: str
    where: str = ""

    @property
    def command(self) -> str:
        """The last of the commands."""
        return self.commands[-1]


def explained(path: Sequence[int], found: Differing, letters: Sequence[Letter]) -> Difference:
    """A difference in the state that a path of letters leads to."""
    lines = [
        (b"CONFIG", b"SET", b"stream-node-max-entries", b"%d" % CONFIG.stream_node_max_entries),
        (b"SET", TEXT_KEY, TEXT),
        set_clock_command(START_MS),
    ]
    now_ms = START_MS
    for index in (*path, found.letter):
        letter = letters[index]
        now_ms += letter.clock_step_ms
        lines.append(letter.argv or set_clock_command(now_ms))
    if found.about == LOOKED:
        lines.append(LOOK)
    about = {REPLY: "reply", LOOKED: "state", TOGETHER: "together"}.get(found.about, "way")
    commands = tuple(map(show_command, lines))
    if found.about == TOGETHER:
        text = "all letters of the alphabet in this state, one after the other, differ somewhere; none does by itself"
        return Difference(commands, about, text, text)
    return Difference(commands, about, _shown(found.model), _shown(found.server), _where(found.model, found.server))


def _shown(replies: bytes) -> str:
    if replies == NOTHING:
        return NO_ANSWER
    return show(parse(replies)) if frame_count(replies) == 1 else repr(replies)


def _where(model: bytes, server: bytes) -> str:
    if NOTHING in (model, server) or frame_count(model) != 1 or frame_count(server) != 1:
        return ""
    return first_difference(parse(model), parse(server))
