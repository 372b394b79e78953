"""What is known of entries in a world: which program has which, and which one holds a given text."""

from __future__ import annotations

from collections.abc import Sequence

from ...models import ids
from ...models.facts import Added, Claimed, Delivered, Fact, Reread
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
            for fact in facts:
                if isinstance(fact, (Delivered, Claimed, Reread)):
                    receiver.done.discard((fact.stream, fact.group, ids.show(fact.id)))

    def entry_of(self, program: Program, text: bytes) -> tuple[bytes, bytes, bytes]:
        """The stream, group and ID of the entry that holds ``text``, of what the program has.

        Where several do (a producer sent it again), the first that it has not worked on yet; where it works on all of
        them already, the last. Else what it was given before, else the first that anybody added (of no group); else the
        text itself.
        """
        held = [
            (stream, group, ids.show(number))
            for stream, group, number in program.holds
            if text == ids.show(number) or text in self.texts.get((stream, ids.show(number)), b"")
        ]
        if held:
            idle = [about for about in held if about not in program.working]
            fresh = [about for about in idle if about not in program.done]
            return (fresh or idle or held[-1:])[0]
        for entry, places in reversed(program.streams.items()):
            stream, group, _ = places[-1]
            if text == entry or text in self.texts.get((stream, entry), b""):
                return stream, group, entry
        for (stream, entry), fields in self.texts.items():
            if text == entry or text in fields:
                return stream, b"", entry
        return b"", b"", text
