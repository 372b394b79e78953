"""Lists, kept in a table by facts: how long they are, and what is in them, in the order in which it came."""

from __future__ import annotations

from ....models import facts as f
from .. import words
from .rows import LIST, Row, Table

ELEMENTS_SHOWN = 12


class Lists:
    """Hears facts in order."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._held: dict[tuple[bytes, int], list[bytes]] = {}
        self._rows: dict[tuple[bytes, int], int] = {}

    def hear(self, fact: f.Fact) -> None:
        """Tells one fact."""
        match fact:
            case f.ListPushed():
                self._change(fact.key, fact.born, (), fact.elements)
            case f.ListPopped():
                self._change(fact.key, fact.born, fact.elements, ())
            case f.ListMoved():
                self._change(fact.key, fact.born, (fact.element,), ())
                self._change(fact.to, fact.to_born, (), (fact.element,))
            case f.ListEdited():
                self._change(fact.key, fact.born, fact.removed, fact.added)
            case f.ListRemoved():
                self._change(fact.key, fact.born, tuple(self._held.get((fact.key, fact.born), ())), ())
            case f.KeyMoved() | f.KeyCopied():
                elements = tuple(self._held.get((fact.key, fact.born), ()))
                if elements:
                    self._change(fact.to, fact.to_born, (), elements)
                if isinstance(fact, f.KeyMoved):
                    self._change(fact.key, fact.born, elements, ())
            case _:
                pass

    def _change(self, key: bytes, born: int, gone: tuple[bytes, ...], come: tuple[bytes, ...]) -> None:
        held = self._held.setdefault((key, born), [])
        for element in gone:
            if element in held:
                held.remove(element)
        held.extend(come)
        if (key, born) not in self._rows:
            if not held:
                return
            self._rows[key, born] = self._table.add(Row(LIST, -1, words.text(key)))
        shown = " ".join(words.text(element) for element in held[:ELEMENTS_SHOWN])
        more = " …" if len(held) > ELEMENTS_SHOWN else ""
        self._table.set(self._rows[key, born], (len(held), shown + more) if held else None)
