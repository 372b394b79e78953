"""What a run has met: how often each command, with each option, came to each outcome.

An outcome is an error, by its text without what it quotes; `answers`, for every other reply, and its kind; and what
the command did, by its facts. A few branches that leave no fact (a claim of an entry that is too young) are
looked up in the state before the command. A row is (command, option, outcome); the option `any` stands for
whatever options there were. Which rows have to be met is declared in `coverage_rows.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from ....models.commands.call import Command
from ....models.commands.table import commands_of
from ....models.dialect import Dialect
from ....models.facts import Fact
from ....models.replies import Blocked, Failure, Nil, Reply, Simple
from ....models.server import Server
from .command_lines import subcommands_of
from .fact_outcomes import outcome_of
from .probes import PROBES

__all__ = ["ANSWERS", "ANY", "WRONG_ARITY", "Coverage", "Row", "error_class", "grammar_of", "nested"]

Row: TypeAlias = tuple[str, str, str]

ANY = "any"
ANSWERS = "answers"
UNKNOWN = "(no command)"
WRONG_ARITY = "error: ERR wrong number of arguments for '…' command"
QUEUED = frozenset({ANSWERS, "QUEUED"})
OPEN_SEQUENCE = b"MS-*"
"""How the file of rows writes an ID of this form."""

_QUOTED = re.compile(r"'[^']*'|`[^`]*`")
_LISTED = "with args beginning with: "


class Coverage:
    """Counts rows. It observes a recorder (`recorder.Observer`); `extra` are more words that count as options."""

    def __init__(self, dialect: Dialect, extra: Mapping[str, Iterable[str]] | None = None) -> None:
        self._met: Counter[tuple[str, tuple[str, ...], frozenset[str]]] = Counter()
        """Command lines by name, options and all outcomes: one count each, since this is done for every command."""
        self._grammar = grammar_of(dialect)
        self._words = {
            name: _spellings([*(option.word for option in row.options), *(extra or {}).get(name, ())])
            for name, row in self._grammar.items()
        }
        self._names: dict[bytes, str] = {}
        self._errors: dict[bytes, str] = {}
        self._probed: Sequence[str] = ()

    @property
    def counts(self) -> Counter[Row]:
        """How often each row was met."""
        found: Counter[Row] = Counter()
        for (name, options, outcomes), count in self._met.items():
            for option in {ANY, *options}:
                for outcome in outcomes:
                    found[name, option, outcome] += count
        return found

    def before(self, server: Server, session: int, argv: Sequence[bytes], now_ms: int) -> None:
        """Looks up what will leave no fact."""
        probe = PROBES.get(self._name(argv))
        self._probed = () if probe is None else probe(server, argv, now_ms)

    def after(self, argv: Sequence[bytes], reply: Reply, facts: Sequence[Fact]) -> None:
        """Counts what came of a command."""
        if isinstance(reply, Failure):
            outcomes = frozenset((self._error(reply.text),))
        elif isinstance(reply, Simple) and reply.text == b"QUEUED":
            outcomes = QUEUED
        else:
            outcomes = frozenset((ANSWERS, kind_of(reply), *map(outcome_of, facts), *self._probed))
        self._count(argv, outcomes)

    def served(self, argv: Sequence[bytes], reply: Reply, facts: Sequence[Fact]) -> None:
        """Counts how a blocked command ended."""
        if isinstance(reply, Failure):
            how = self._error(reply.text)
        else:
            how = "times out" if isinstance(reply, Nil) else "served"
        self._count(argv, frozenset((f"woken, {how}", *(f"woken, {outcome_of(fact)}" for fact in facts))))

    def _count(self, argv: Sequence[bytes], outcomes: frozenset[str]) -> None:
        name = self._name(argv)
        known = self._words.get(name)
        options: list[str] = []
        if known:
            for text in argv:
                word = known.get(text) or (known.get(OPEN_SEQUENCE) if text[-2:] == b"-*" else None)
                if word is not None:
                    options.append(word)
        self._met[name, tuple(options), outcomes] += 1

    def _name(self, argv: Sequence[bytes]) -> str:
        name = self._names.get(argv[0])
        if name is None:
            name = argv[0].decode("latin-1").upper()
            name = name if name in self._grammar else UNKNOWN
            if len(self._names) < 1000:
                self._names[argv[0]] = name
        if len(argv) > 1 and self._grammar.get(name, _NONE).subcommands:
            both = f"{name} {argv[1].decode('latin-1').upper()}"
            return both if both in self._grammar else name
        return name

    def _error(self, text: bytes) -> str:
        found = self._errors.get(text)
        if found is None:
            found = error_class(text)
            if len(self._errors) < 10_000:
                self._errors[text] = found
        return found


def _spellings(words: Iterable[str]) -> dict[bytes, str]:
    """Words by how they are written: in upper or in lower case."""
    return {spelling: word for word in words for spelling in (word.encode(), word.lower().encode())}


def error_class(text: bytes) -> str:
    """An error without what it quotes of the command line, and without advice."""
    plain = _QUOTED.sub("'…'", text.decode("latin-1"))
    return "error: " + plain.partition(_LISTED)[0].partition(". ")[0].partition(": you want")[0].strip()


def kind_of(reply: Reply) -> str:
    """The kind of a reply that is no error, in a word or two."""
    if isinstance(reply, bytes):
        return "a text"
    if isinstance(reply, int):
        return "zero" if reply == 0 else "a number"
    if isinstance(reply, tuple):
        return "items" if reply else "nothing"
    if isinstance(reply, Nil):
        return "nil"
    if isinstance(reply, Simple):
        return reply.text.decode("latin-1")
    return "blocks" if isinstance(reply, Blocked) else "a map"


_NONE = Command("", 0, lambda call: 0, frozenset())


def grammar_of(dialect: Dialect) -> dict[str, Command]:
    """Every command of a dialect by name, and every subcommand as `XGROUP CREATE`."""
    found: dict[str, Command] = {}
    for command in commands_of(dialect).values():
        subcommands = subcommands_of(command, dialect)
        found[command.name] = replace(command, subcommands=subcommands)
        for sub in subcommands:
            found[f"{command.name} {sub.name}"] = sub
    return found


def nested(counts: Mapping[Row, int]) -> dict[str, dict[str, dict[str, int]]]:
    """Counts as command, option, outcome: for JSON."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for (command, option, outcome), count in sorted(counts.items()):
        found.setdefault(command, {}).setdefault(option, {})[outcome] = count
    return found
