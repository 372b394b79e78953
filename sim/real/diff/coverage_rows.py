"""Which rows a comparison has to meet: those that follow from the command table, and those of `coverage_rows.txt`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

from ....models.commands.table import TABLE
from ....models.dialect import Dialect
from .command_lines import bounds_arguments
from .coverage import ANSWERS, ANY, WRONG_ARITY, Row, grammar_of

__all__ = ["Declared", "declared_rows", "literal_words", "required_rows", "told", "unmet_rows"]

FILE = Path(__file__).with_name("coverage_rows.txt")
REFUSED_OTHERWISE = frozenset({"EXEC"})
"""A wrong number of arguments ends a transaction, with a text of its own."""

REFUSED_OPTIONS = frozenset({("XREAD", "GROUP"), ("XREAD", "NOACK")})
"""They are known in order to be refused."""

FIELDS = {field.name for field in fields(Dialect)}


@dataclass(frozen=True, slots=True)
class Declared:
    """One line of the file: a row, and the behaviours that a dialect must have for it to be met."""

    row: Row
    conditions: tuple[tuple[str, str], ...] = ()
    """Fields of the dialect with what they must be: `=` and a text, `yes` or `no`."""

    def holds_in(self, dialect: Dialect) -> bool:
        """Whether the dialect has all the behaviours."""
        return all(_is(getattr(dialect, name), value) for name, value in self.conditions)


@lru_cache(1)
def declared_rows() -> tuple[Declared, ...]:
    """The rows of the file. Raises `ValueError` for a line that is none."""
    found = []
    for number, line in enumerate(FILE.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            try:
                found.append(_declared(line))
            except ValueError as error:
                raise ValueError(f"{FILE.name}, line {number}: {error}") from None
    return tuple(found)


def _declared(line: str) -> Declared:
    parts = [part.strip() for part in line.split("|")]
    if len(parts) not in (3, 4):
        raise ValueError(f"a row has a command, an option and an outcome, and perhaps a condition: {line!r}")
    conditions = tuple(_condition(text.strip()) for text in parts[3].split(",")) if len(parts) == 4 else ()
    return Declared((parts[0], parts[1], parts[2]), conditions)


def _condition(text: str) -> tuple[str, str]:
    name, equals, value = text.removeprefix("not ").partition("=")
    if name not in FIELDS:
        raise ValueError(f"{name!r} is no field of a dialect")
    return name, f"={value}" if equals else "no" if text.startswith("not ") else "yes"


def _is(held: object, wanted: str) -> bool:
    return held == wanted[1:] if wanted.startswith("=") else bool(held) == (wanted == "yes")


def literal_words() -> Mapping[str, frozenset[str]]:
    """By command, the words of the file that count as options though the table does not call them so (`~`)."""
    found: dict[str, set[str]] = {}
    for declared in declared_rows():
        command, option, _ = declared.row
        if option != ANY:
            found.setdefault(command, set()).add(option)
    return {command: frozenset(words) for command, words in found.items()}


def required_rows(dialect: Dialect) -> list[Row]:
    """Every row that a comparison in this dialect has to meet.

    Every command answers, with each of its options, and refuses a wrong number of arguments; and what the file
    declares, where the dialect has the command, the option and the behaviour.
    """
    grammar = grammar_of(dialect)
    rows: list[Row] = []
    for name, command in grammar.items():
        if not command.subcommands:
            options = [option.word for option in command.options if (name, option.word) not in REFUSED_OPTIONS]
            rows += [(name, option, ANSWERS) for option in (ANY, *options)]
        by_hand = " " in name and not dialect.subcommands_are_commands
        bounded = bounds_arguments(command, 1 + name.count(" "))
        if bounded and name not in REFUSED_OTHERWISE and not by_hand:
            rows.append((name, ANY, WRONG_ARITY))
    for declared in declared_rows():
        name, option, _ = declared.row
        row = grammar.get(name)
        if (row is None and not name.startswith("(")) or not declared.holds_in(dialect):
            continue
        if row is None or option not in _all_words() or option in {o.word for o in row.options}:
            rows.append(declared.row)
    return sorted(set(rows))


@lru_cache(1)
def _all_words() -> frozenset[str]:
    """The options of all commands in any dialect."""
    rows = [*TABLE, *(sub for command in TABLE for sub in command.subcommands)]
    return frozenset(option.word for row in rows for option in row.options)


def unmet_rows(dialect: Dialect, counts: Mapping[Row, int]) -> list[Row]:
    """The rows that were never met."""
    return [row for row in required_rows(dialect) if not counts.get(row)]


def told(rows: Iterable[Row]) -> list[str]:
    """Rows as text."""
    return [" | ".join(row) for row in rows]
