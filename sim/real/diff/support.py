"""The page that says which commands are there in which dialect, and how each was verified.

`python -m redelivery.sim.real.diff.support > SUPPORT.md` writes it, from the command table and the records of
comparisons with real servers (`records.py`). A test sees to it that the page is what this gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ....models.commands.call import Command
from ....models.dialects import DIALECTS
from .coverage import ANY, grammar_of
from .records import Record, read

__all__ = ["page"]

ABSENT = "–"
UNVERIFIED = "·"

HEAD = f"""\
# What is supported, and how it was verified

This page is generated from the command table and from what was really compared with real servers
(`redelivery diff --record`): `python -m redelivery.sim.real.diff.support > SUPPORT.md`.

A number says how often the command, or the command with that option, was among the random commands whose replies the
real server gave to the byte: valid, borderline and malformed ones together. {ABSENT} means that the dialect does not
have it, {UNVERIFIED} that the model has it and no comparison with a real server of that dialect is recorded.

WAIT, and WAITAOF from 7.2 on, ask who follows the server: they are compared apart, alone and with a replica that says
what it has when a test wants it to (`tests/differential/test_waiting.py`).
"""


def page(records: Mapping[str, Record] | None = None) -> str:
    """The page as Markdown."""
    records = read() if records is None else records
    lines = [HEAD, "## The servers", "", *_servers(records), "", "## The commands", "", *_commands(records)]
    return "\n".join(lines) + "\n"


def _servers(records: Mapping[str, Record]) -> Iterator[str]:
    yield _row("dialect", "real server", "commands", "replies", "states", "rows met", "exhaustive")
    yield _row(*["---"] * 7)
    for name in DIALECTS:
        record = records.get(name)
        if record is None:
            yield _row(f"`{name}`", "none yet", *[UNVERIFIED] * 5)
            continue
        edges = f"depth {record.depth}, {record.edges:,} edges" if record.depth else UNVERIFIED
        numbers = (record.commands, record.replies, record.states, record.rows)
        yield _row(f"`{name}`", record.version, *(f"{number:,}" for number in numbers), edges)
    yield ""
    yield (
        "Rows are those of command × option × outcome, each error text and each branch of the semantics apart; "
        "which have to be met stands in `sim/real/diff/coverage_rows.txt`."
    )


def _commands(records: Mapping[str, Record]) -> Iterator[str]:
    grammars = {name: grammar_of(dialect) for name, dialect in DIALECTS.items()}
    yield _row("command", *(f"`{name}`" for name in DIALECTS))
    yield _row(*["---"] * (1 + len(DIALECTS)))
    for name in _names(grammars.values()):
        if not any(name in grammar and not grammar[name].subcommands for grammar in grammars.values()):
            continue
        yield _row(f"**{name}**", *(_cell(grammars[d], records.get(d), name, ANY) for d in DIALECTS))
        for option in _options(grammars.values(), name):
            yield _row(option, *(_cell(grammars[d], records.get(d), name, option) for d in DIALECTS))


def _names(grammars: Iterable[Mapping[str, Command]]) -> list[str]:
    """All commands of all dialects."""
    return sorted({name for grammar in grammars for name in grammar})


def _options(grammars: Iterable[Mapping[str, Command]], name: str) -> list[str]:
    found: dict[str, None] = {}
    for grammar in grammars:
        if name in grammar:
            found |= dict.fromkeys(option.word for option in grammar[name].options)
    return list(found)


def _cell(grammar: Mapping[str, Command], record: Record | None, name: str, option: str) -> str:
    row = grammar.get(name)
    if row is None or (option != ANY and option not in {o.word for o in row.options}):
        return ABSENT
    met = 0 if record is None else record.met.get(name, {}).get(option, 0)
    return f"{met:,}" if met else UNVERIFIED


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    print(page(), end="")
