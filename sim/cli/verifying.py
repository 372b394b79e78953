"""``redelivery verify``: a worker framework through the standard campaign."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...models.dialects import DEFAULT, DIALECTS
from ..errors import BadInput, unknown
from ..tape import Tape
from . import output
from .options import json_option
from .progress import Bar

if TYPE_CHECKING:
    from ..history import History
    from ..loop.campaign import Card, Row
    from ..loop.simulation import Outcome

HASHES = "PYTHONHASHSEED"


@click.command(epilog="Example:  redelivery verify taskiq-redis --only quiet-stream --pictures found/")
@click.argument("target", required=False)
@click.option("--only", metavar="SITUATION", multiple=True, help="Such as 'slow-handler'; may be given again.")
@click.option("--dialect", metavar="D", help=f"The server line to model; {DEFAULT}, or that of --against.")
@click.option("--against", metavar="SERVER", help="Replay every finding on a real server and compare every reply.")
@click.option("--flush", is_flag=True, help="Let --against empty a database that is not empty.")
@click.option("--seed", type=int, default=0, show_default=True, help="Draws the runs by chance.")
@click.option("--runs", type=click.IntRange(0), default=None, help="Runs by chance in each situation.")
@click.option("--report", type=Path, metavar="FILE", help="Write the report card, as Markdown.")
@click.option("--pictures", type=Path, metavar="DIR", help="Draw every finding into this folder.")
@click.option("--tape", metavar="TAPE", help="Run one finding again, twice, instead of the campaign.")
@click.option("--timeline", type=Path, metavar="FILE", help="With --tape: draw the run.")
@json_option
def command(
    target: str | None, only: tuple[str, ...], dialect: str | None, against: str | None, flush: bool, seed: int,
    runs: int | None, report: Path | None, pictures: Path | None, tape: str | None, timeline: Path | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Verify TARGET, a worker framework: a shipped name, file.py, file.py:name or module:name of a redelivery.Target.

    Its own code runs unmodified in virtual time, and everything goes wrong that may: crashes, lost replies, slow
    handlers, a quiet stream, a server that restarts. The report card says which property breaks in which situation.
    What its programs print and log is left out; with --tape it goes to standard error.
    """
    if dialect is not None and dialect not in DIALECTS:
        raise unknown("dialect", dialect, DIALECTS)
    _pin_hashes()
    if tape is not None:
        return _again(Tape.parse(tape), target, timeline, as_json, _confirming(against, dialect, flush))
    if timeline is not None:
        raise BadInput("--timeline goes with --tape; for pictures of all findings give --pictures DIR")
    if target is None:
        raise BadInput("name a target, such as taskiq-redis, your_module:target or your_file.py, or give --tape")
    confirm = _confirming(against, dialect, flush)
    return _campaign(target, only, confirm.dialect if confirm else dialect or DEFAULT, seed, runs, report, pictures,
                     as_json, confirm)  # fmt: skip


def _campaign(
    reference: str, only: tuple[str, ...], dialect: str, seed: int, runs: int | None, report: Path | None,
    pictures: Path | None, as_json: bool, confirm: Confirm | None,
) -> int:  # fmt: skip
    from ..loop import card as pages
    from ..loop.campaign import CHANCE_RUNS, verify

    with Bar(f"verifying {reference}", None) as bar:

        def tell(row: Row) -> None:
            bar.show(0, f"{row.situation.title}: {row.runs} runs")

        by_chance = CHANCE_RUNS if runs is None else runs
        card = verify(reference, dialect=dialect, only=only, seed=seed, chance_runs=by_chance, tell=tell)
        confirmed = {} if confirm is None else {
            again: confirm(history, lambda done: bar.show(0, f"{done} findings replayed"))
            for again, history in {str(c.outcome.tape): c.outcome.history for _, c in pages.findings(card)}.items()
        }  # fmt: skip
    words = {tape: told["words"] for tape, told in confirmed.items()}
    if report is not None:
        _write(report, pages.as_page(card, words))
    drawn = [] if pictures is None else _draw(card, pictures)
    if as_json:
        value = {**pages.as_json(card), "pictures": drawn}
        output.print_json({**value, "against": confirmed} if confirm is not None else value)
    else:
        output.console().print(pages.as_text(card, words), markup=False)
    return 1 if any(row.cells for row in card.rows) else 0


class Confirm:
    """Replays histories on a real server."""

    def __init__(self, server: str, dialect: str | None, flush: bool) -> None:
        from ..against import judge

        self._judge = judge(server, dialect, flush=flush)
        self._flush = flush
        self._done = 0
        self.dialect = self._judge.dialect

    def __call__(self, history: History, tell: Callable[[int], None] = lambda done: None) -> dict[str, Any]:
        """What the server answered to the commands of a run."""
        from ..real.errors import RealServerError

        self._done += 1
        tell(self._done)
        try:
            seen = self._judge.compare(history, flush=self._flush)
        except RealServerError as error:
            return {"confirmed": None, "words": f"not replayed: {error}"}
        name = f"a real {self.dialect} ({seen.version})"
        value = {"server": seen.server, "version": seen.version, "replies": seen.replies, "note": seen.note}
        if not seen.differences:
            return {"confirmed": True, **value, "words": f"confirmed on {name}: {seen.replies} replies, all the same"}
        first = seen.differences[0]
        words = f"differs on {name}: {first.command} is answered {first.server}, by the model {first.model}"
        return {"confirmed": False, **value, "words": words}


def _confirming(server: str | None, dialect: str | None, flush: bool) -> Confirm | None:
    return None if server is None else Confirm(server, dialect, flush)


def _again(tape: Tape, target: str | None, timeline: Path | None, as_json: bool, confirm: Confirm | None) -> int:
    from ..loop.campaign import rerun
    from ..views.timeline import check_ending, draw

    if timeline is not None:
        check_ending(timeline)
    reference = target or tape.scenario
    outcome = rerun(reference, tape.variant, tape.choices, tape.dialect)
    if timeline is not None:
        draw(outcome.history, timeline)
    if as_json:
        output.print_json({
            "target": reference, "situation": tape.variant, "dialect": tape.dialect, "tape": str(outcome.tape),
            "verdict": outcome.verdict, "digest": outcome.digest(), "events": len(outcome.history),
            "properties": outcome.properties, "faults": [str(fault) for fault in outcome.struck],
            "violations": [violation._asdict() for violation in outcome.violations],
            **({} if confirm is None else {"against": confirm(outcome.history)}),
        })  # fmt: skip
    else:
        _print_outcome(outcome)
        if confirm is not None:
            output.console().print(confirm(outcome.history)["words"], markup=False)
    return 1 if outcome.violations else 0


def _print_outcome(outcome: Outcome) -> None:
    page = output.console()
    for fault in outcome.struck:
        page.print(f"struck: {fault}", markup=False)
    for violation in outcome.violations:
        page.print(f"violated at {violation.at_ms} ms: {violation.property}: {violation.message}", markup=False)
    page.print(f"{len(outcome.history)} events, digest {outcome.digest()}: the same in both runs", markup=False)


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
        by_module = Path(sys.argv[0]).name == "__main__.py"
        apart = () if by_module else ("-P",)  # a file such as queue.py that lies here hides nothing of Python's
        arguments = [sys.executable, *apart, "-m", "redelivery", *sys.argv[1:]]
        sys.stdout.flush()
        os.execve(sys.executable, arguments, {**os.environ, HASHES: "0"})
