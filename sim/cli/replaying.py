"""``redelivery replay``: runs a tape again."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..catalogue import find
from ..errors import BadInput
from ..run import Run, simulate
from ..tape import PREFIX, Tape, parse
from .options import outputs
from .recorded import is_tape
from .running import report

if TYPE_CHECKING:
    from ..check.finding import Finding


@click.command(epilog="Example:  redelivery replay redelivery-1:crash-before-ack:broken:redis-8.6::3x1.0.1")
@click.argument("tape")
@outputs
def command(
    tape: str, timeline: Path | None, history: Path | None, against: str | None, flush: bool, as_json: bool
) -> int:
    """Run TAPE again: the line that a run printed, a file that holds one, or - for standard input.

    A finding and a history are such files. The tape holds the scenario, variant, dialect, parameters and every
    decision; the run is the same to the byte. Where the run of a finding is not the one that was found (the code or
    Redelivery has changed since), one line says so, and the exit code is 1.
    """
    parsed, finding = _read(tape)
    found = find(parsed.scenario)

    def run(dialect: str | None) -> Run:
        again = Tape(parsed.scenario, parsed.variant, dialect or parsed.dialect, parsed.params, parsed.choices)
        try:
            return simulate(found, tape=again)
        except BadInput as error:
            if finding is None:
                raise
            raise BadInput(f"the finding's run has changed: {error}") from error

    return report(run, parsed.dialect, timeline, history, against, flush, as_json, finding)


def _read(text: str) -> tuple[Tape, Finding | None]:
    if text == "-":
        return _held(sys.stdin.read(), "standard input")
    if is_tape(text):
        return parse(text), None
    path = Path(text)
    try:
        held = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise BadInput(f"cannot read {text}: {error.strerror}") from error
        held = None
    if held is None:
        raise BadInput(f"{text!r} is neither a tape (a tape starts with '{PREFIX}:') nor a file")
    return _held(held, text)


def _held(text: str, where: str) -> tuple[Tape, Finding | None]:
    """The tape that a file holds: alone, in a finding, or in the header of a history."""
    if not text.startswith("{"):
        return parse(text), None
    from ..check.finding import is_finding, load

    if is_finding(text):
        finding = load(text, where)
        return finding.tape, finding
    from ..history import parse as parse_history

    tape = parse_history(text.removesuffix("\n").split("\n"), where).header.get("tape")
    if not isinstance(tape, str):
        raise BadInput(f"{where} is a history that holds no tape")
    return parse(tape), None
