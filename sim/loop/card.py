"""A report card in text, HTML, Markdown and JSON: situations by properties, and the run that breaks each."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from ..run import HOLDS, VIOLATED
from ..views.words import counted
from .campaign import Card, Cell, Row

HOW_TO_READ = (
    "How to read it: *places* are the moments at which the fault of a situation could strike in a run without it; it "
    "was tried at so many of them, each in a run of its own, spread over all kinds of moments and over the whole run.",
    "A group delivers at least once. So ✗ under handled-at-most-once, and under single-handler where a worker keeps a "
    "job for longer than its lease, is no defect by itself: it tells when a job has to bear being done again.",
    "What the situation itself takes away (trimmed, flushed, lost with the server, the job that fails every time) is "
    "held against nobody; nor is it that a producer sends a job again because it was told of an error. Where a job is "
    "in a stream twice, nobody can tell which of the two a worker handles: what is said of single entries is not "
    "judged in such runs.",
)
"""What a page says above its table."""


def again(cell: Cell) -> str:
    """The line that runs a finding again."""
    return f"redelivery verify --tape {cell.outcome.tape}"


def findings(card: Card) -> list[tuple[Row, Cell]]:
    """Every finding once: a property that the plain run breaks already is no news in the other situations."""
    found: list[tuple[Row, Cell]] = []
    plain: set[str] = set()
    for row in card.rows:
        for name in card.properties:
            cell = row.cells.get(name)
            if cell is None or (name in plain and not cell.outcome.struck):
                continue
            found.append((row, cell))
            if row.situation.key == "plain":
                plain.add(name)
    return found


def as_json(card: Card) -> dict[str, Any]:
    """The card with stable keys."""
    return {
        "target": card.target.name,
        "summary": card.target.summary,
        "dialect": card.dialect,
        "verdict": VIOLATED if any(row.cells for row in card.rows) else HOLDS,
        "runs": card.runs,
        "versions": card.target.versions(),
        "rows": [
            {
                "situation": row.situation.key,
                "title": row.situation.title,
                "runs": row.runs,
                "struck": row.struck,
                "places": {"tried": row.places, "of": row.places_of},
                "properties": {name: VIOLATED if name in row.cells else HOLDS for name in card.properties},
                "findings": [_finding(row.cells[name]) for name in card.properties if name in row.cells],
            }
            for row in card.rows
        ],
        "unsupported": list(card.unsupported),
        "complaints": list(card.complaints),
    }


def _finding(cell: Cell) -> dict[str, Any]:
    return {
        "property": cell.broken,
        "message": cell.message,
        "faults": [str(fault) for fault in cell.outcome.struck],
        "found_by": cell.found_by,
        "tape": str(cell.outcome.tape),
        "digest": cell.outcome.digest(),
    }


def told_runs(row: Row) -> str:
    """How many runs there were, and at how many of its opportunities the fault was tried in them."""
    runs = counted(row.runs, "run")
    return f"{runs}, {row.places} of {counted(row.places_of, 'place')}" if row.places_of else runs


def as_text(card: Card, confirmed: Mapping[str, str] | None = None) -> str:
    """The card for a terminal: a table of marks, and the findings with the lines that run them again."""
    names = card.properties
    width = max(len(row.situation.key) for row in card.rows)
    lines = [" " * (width + 2) + "| " * at + "+ " + name for at, name in enumerate(names)]
    for row in card.rows:
        marks = " ".join("✗" if name in row.cells else "·" for name in names)
        lines.append(f"{row.situation.key:{width}}  {marks}   {row.situation.title}: {told_runs(row)}")
    lines.append("")
    for row, cell in findings(card):
        lines += [f"{row.situation.key}, {cell.broken}: {cell.message}", f"    {again(cell)}"]
        if confirmed and (words := confirmed.get(str(cell.outcome.tape))):
            lines.append(f"    {words}")
    if card.unsupported:
        lines.append(f"not in {card.dialect}, and answered with an error: {', '.join(card.unsupported)}")
    return "\n".join([*lines, f"{card.target.name} on {card.dialect}: {card.runs} runs"])


def as_html(card: Card) -> str:
    """The card in a notebook: a table whose marks tell, to a pointer that rests on them, how a property breaks."""
    head = "".join(f"<th>{escape(name)}</th>" for name in ("situation", "runs", "places", *card.properties))
    lines = [f"<table><caption>{escape(f'{card.target.name} on {card.dialect}')}</caption><tr>{head}</tr>"]
    for row in card.rows:
        marks = [f"<td>{escape(row.situation.title)}</td><td>{row.runs}</td><td>{_places(row)}</td>"]
        for name in card.properties:
            cell = row.cells.get(name)
            marks.append("<td>·</td>" if cell is None else f'<td title="{escape(cell.message)}"><b>✗</b></td>')
        lines.append(f"<tr>{''.join(marks)}</tr>")
    return "".join([*lines, "</table>"])


def _places(row: Row) -> str:
    return f"{row.places} of {row.places_of}" if row.places_of else ""


def as_page(card: Card, confirmed: Mapping[str, str] | None = None) -> str:
    """The card as Markdown: a table, and the findings with the lines that run them again.

    ``confirmed`` says of tapes what a real server said to them.
    """
    lines = [
        f"# {card.target.name}",
        "",
        f"{card.target.summary[:1].upper()}{card.target.summary[1:]}.",
        f"{card.runs} runs of unmodified code ({', '.join(card.target.versions())}) against the model of "
        f"{card.dialect}; ✗ is a property that some run broke, · one that every run kept.",
        "",
        *HOW_TO_READ,
        "",
        "| situation | runs | places | " + " | ".join(card.properties) + " |",
        "| --- | ---: | ---: |" + " :-: |" * len(card.properties),
    ]
    for row in card.rows:
        marks = " | ".join("✗" if name in row.cells else "·" for name in card.properties)
        lines.append(f"| {row.situation.title} | {row.runs} | {_places(row)} | {marks} |")
    lines += ["", "## Findings", ""]
    for row, cell in findings(card):
        lines += [
            f"- **{row.situation.title}: {cell.broken}.** {cell.message[:1].upper()}{cell.message[1:]}.",
            f"  `{again(cell)}`",
        ]
        if confirmed and (words := confirmed.get(str(cell.outcome.tape))):
            lines.append(f"  {words[:1].upper()}{words[1:]}.")
    if card.unsupported:
        lines += ["", f"Not in the dialect, and answered with an error: {', '.join(card.unsupported)}."]
    return "\n".join(lines) + "\n"
