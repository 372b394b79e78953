"""What was compared with real servers and did not differ: a small JSON file that is kept with the sources.

Only `redelivery diff --record` writes it, after a comparison. One record a dialect: the server's full version, how
many random commands (of which seed) and whole states were compared, and how often each command and option was
among them; `edges` and `depth` are those of an exhaustive comparison, 0 where there was none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ...errors import BadInput
from .campaign import Report

__all__ = ["FILE", "Record", "met", "read", "record_of", "remember", "write"]

FILE = Path(__file__).with_name("verified.json")
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Record:
    """What was compared with one server."""

    dialect: str
    version: str
    seed: int = 0
    commands: int = 0
    replies: int = 0
    states: int = 0
    rows: int = 0
    """How many rows of command × option × outcome were met."""

    depth: int = 0
    edges: int = 0
    met: dict[str, dict[str, int]] = field(default_factory=dict)
    """How often a command was compared, with any options and with each."""


def record_of(report: Report, seed: int) -> Record:
    """The record of a random comparison."""
    by_command = {
        command: {option: met(outcomes) for option, outcomes in options.items()}
        for command, options in report.coverage.items()
        if not command.startswith("(")
    }
    rows = sum(len(outcomes) for options in report.coverage.values() for outcomes in options.values())
    return Record(
        report.dialect, report.version, seed, report.commands, report.replies, report.states, rows, met=by_command
    )  # fmt: skip


def met(outcomes: Mapping[str, int]) -> int:
    """How many commands came to these outcomes: each is answered or refused."""
    return sum(count for text, count in outcomes.items() if text == "answers" or text.startswith("error: "))


def read(path: Path = FILE) -> dict[str, Record]:
    """The records of a file by dialect, none where there is no file; `BadInput` for a file that holds none."""
    if not path.exists():
        return {}
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        if held["format"] != FORMAT:
            raise BadInput(f"{path} holds records of format {held['format']}, this Redelivery writes {FORMAT}")
        return {record["dialect"]: Record(**record) for record in held["servers"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path} holds no records of comparisons: {error}") from None


def remember(path: Path, found: Record) -> None:
    """Puts a record into a file, in the place of an earlier one of its dialect.

    Of random and exhaustive comparisons with the same version each keeps what the other found out.
    """
    records = read(path)
    before = records.get(found.dialect)
    if before is not None and before.version == found.version:
        if not found.commands:
            found = replace(before, depth=found.depth, edges=found.edges)
        elif not found.depth:
            found = replace(found, depth=before.depth, edges=before.edges)
    records[found.dialect] = found
    write(path, records)


def write(path: Path, records: Mapping[str, Record]) -> None:
    """Writes the file anew, a line a command, so that its changes can be read."""
    servers = [asdict(records[dialect]) for dialect in sorted(records)]
    text = json.dumps({"format": FORMAT, "servers": servers}, indent=1, ensure_ascii=False)
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot write the record to {path}: {error.strerror}") from None
