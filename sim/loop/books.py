"""What is known of entries in a world: which program has which, and which one holds a given text."""

from __future__ import annotations

from collections.abc import Sequence

from ...models import ids
from ...models.facts import Added, Fact
from ..holding import note_held
from .program import Program


class Books:
    """Followed by facts. Frameworks hand their handlers a text, not an entry: ``entry_of`` finds it again."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self.programs = programs
        self.texts: dict[tuple[bytes, bytes], bytes] = {}
        """(stream, entry) to its fields, joined."""

    def note(self, receiver: Program | None, facts: Sequence[Fact]) -> None:
        """Keeps the books, after a command of ``receiver`` made ``facts`` true."""
        if not facts:
            return
        for fact in facts:
            if isinstance(fact, Added):
                self.texts[fact.stream, ids.show(fact.id)] = b"\n".join(fact.fields)
        held = [program.holds for program in self.programs]
        if receiver is None:
            note_held(held, -1, {}, facts)
        else:
            note_held(held, receiver.index, receiver.streams, facts)

    def entry_of(self, program: Program, text: bytes) -> tuple[bytes, bytes, bytes]:
        """The stream, group and ID of the entry that holds ``text``: of what the program has, what it got last.

        Else what it was given before, else the first that anybody added (of no group); else the text itself.
        """
        for stream, group, number in reversed(program.holds):
            entry = ids.show(number)
            if text == entry or text in self.texts.get((stream, entry), b""):
                return stream, group, entry
        for entry, (stream, group) in reversed(program.streams.items()):
            if text == entry or text in self.texts.get((stream, entry), b""):
                return stream, group, entry
        for (stream, entry), fields in self.texts.items():
            if text == entry or text in fields:
                return stream, b"", entry
        return b"", b"", text
