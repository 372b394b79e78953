"""``redelivery verify``: a worker framework through the standard campaign."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...models.dialects import DEFAULT, DIALECTS
from ..errors import BadInput, unknown
from ..tape import Tape
from . import output
from .options import json_option
from .progress import Bar

if TYPE_CHECKING:
    from ..loop.campaign import Card, Row
    from ..loop.simulation import Outcome

HASHES = "PYTHONHASHSEED"


@click.command(epilog="Example:  redelivery verify taskiq-redis --only quiet-stream --pictures found/")
@click.argument("target", required=False)
@click.option("--only", metavar="SITUATION", help="One situation of the campaign, such as 'slow-handler'.")
@click.option("--dialect", default=DEFAULT, show_default=True, metavar="D", help="The server line to model.")
@click.option("--seed", type=int, default=0, show_default=True, help="Draws the runs by chance.")
@click.option("--runs", type=click.IntRange(0), default=None, help="Runs by chance in each situation.")
@click.option("--report", type=Path, metavar="FILE", help="Write the report card, as Markdown.")
@click.option("--pictures", type=Path, metavar="DIR", help="Draw every finding into this folder.")
@click.option("--tape", metavar="TAPE", help="Run one finding again, twice, instead of the campaign.")
@click.option("--timeline", type=Path, metavar="FILE", help="With --tape: draw the run.")
@json_option
def command(
    target: str | None, only: str | None, dialect: str, seed: int, runs: int | None, report: Path | None,
    pictures: Path | None, tape: str | None, timeline: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Verify TARGET, a worker framework: a shipped name, file.py, file.py:name or module:name of a redelivery.Target.

    Its own code runs unmodified in virtual time, and everything goes wrong that may: crashes, lost replies, slow
    handlers, a quiet stream, a server that restarts. The report card says which property breaks in which situation.
    """
    if dialect not in DIALECTS:
        raise unknown("dialect", dialect, DIALECTS)
    _pin_hashes()
    if tape is not None:
        return _again(Tape.parse(tape), target, timeline, as_json)
    if timeline is not None:
        raise BadInput("--timeline goes with --tape; for pictures of all findings give --pictures DIR")
    if target is None:
        raise BadInput("name a target, such as taskiq-redis, your_module:target or your_file.py, or give --tape")
    return _campaign(target, only, dialect, seed, runs, report, pictures, as_json)


def _campaign(
    reference: str, only: str | None, dialect: str, seed: int, runs: int | None, report: Path | None,
    pictures: Path | None, as_json: bool,
) -> int:  # fmt: skip
    from ..loop import card as pages
    from ..loop.campaign import CHANCE_RUNS, verify
    from ..loop.target import find_target

    found = replace(find_target(reference), name=reference)
    with Bar(f"verifying {reference}", None) as bar:

        def tell(row: Row) -> None:
            bar.show(0, f"{row.situation.title}: {row.runs} runs")

        card = verify(
            found, dialect=dialect, only=only, seed=seed, chance_runs=CHANCE_RUNS if runs is None else runs, tell=tell
        )
    if report is not None:
        _write(report, pages.as_page(card))
    drawn = [] if pictures is None else _draw(card, pictures)
    if as_json:
        output.print_json({**pages.as_json(card), "pictures": drawn})
    else:
        _print(card)
    return 1 if any(row.cells for row in card.rows) else 0


def _again(tape: Tape, target: str | None, timeline: Path | None, as_json: bool) -> int:
    from ..loop.campaign import rerun
    from ..loop.target import find_target
    from ..views.timeline import check_ending, draw

    if timeline is not None:
        check_ending(timeline)
    reference = target or tape.scenario
    _, outcome = rerun(replace(find_target(reference), name=reference), tape.variant, tape.choices, tape.dialect)
    if timeline is not None:
        draw(outcome.history, timeline)
    if as_json:
        output.print_json({
            "target": reference, "situation": tape.variant, "dialect": tape.dialect, "tape": str(outcome.tape),
            "verdict": outcome.verdict, "digest": outcome.digest(), "events": len(outcome.history),
            "properties": outcome.properties, "faults": [str(fault) for fault in outcome.struck],
            "violations": [violation._asdict() for violation in outcome.violations],
        })  # fmt: skip
    else:
        _print_outcome(outcome)
    return 1 if outcome.violations else 0


def _print_outcome(outcome: Outcome) -> None:
    page = output.console()
    for fault in outcome.struck:
        page.print(f"struck: {fault}", markup=False)
    for violation in outcome.violations:
        page.print(f"violated at {violation.at_ms} ms: {violation.property}: {violation.message}", markup=False)
    page.print(f"{len(outcome.history)} events, digest {outcome.digest()}: the same in both runs", markup=False)


def _print(card: Card) -> None:
    from ..loop.card import again, findings

    page = output.console()
    names = card.properties
    width = max(len(row.situation.key) for row in card.rows)
    for at, name in enumerate(names):
        page.print(" " * (width + 2) + "| " * at + "+ " + name, markup=False)
    for row in card.rows:
        marks = " ".join("✗" if name in row.cells else "·" for name in names)
        page.print(f"{row.situation.key:{width}}  {marks}   {row.situation.title}: {row.runs} runs", markup=False)
    page.print("")
    for row, cell in findings(card):
        page.print(f"{row.situation.key}, {cell.broken}: {cell.message}", markup=False)
        page.print(f"    {again(cell)}", markup=False)
    if card.unsupported:
        page.print(f"not in {card.dialect}, and answered with an error: {', '.join(card.unsupported)}", markup=False)
    page.print(f"{card.target.name} on {card.dialect}: {card.runs} runs", markup=False)


def _draw(card: Card, folder: Path) -> list[str]:
    from ..loop.card import findings
    from ..views.timeline import draw

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"cannot make the folder {folder}: {error.strerror}") from error
    drawn = []
    for row, cell in findings(card):
        path = folder / f"{row.situation.key}-{cell.broken}.svg"
        draw(cell.outcome.history, path)
        drawn.append(str(path))
    return drawn


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise BadInput(f"cannot write the report to {path}: {error.strerror}") from error


def _pin_hashes() -> None:
    """Sets of texts must have one order in every process that runs a tape: Python starts again with hashes pinned."""
    is_command = Path(sys.argv[0]).name in ("redelivery", "redelivery.exe", "__main__.py")
    if is_command and sys.flags.hash_randomization and HASHES not in os.environ:
        arguments = [sys.executable, "-m", "redelivery", *sys.argv[1:]]
        sys.stdout.flush()
        os.execve(sys.executable, arguments, {**os.environ, HASHES: "0"})
