"""``redelivery replay``: runs a tape again."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import click

from ..catalogue import find
from ..errors import BadInput
from ..run import Run, simulate
from ..tape import PREFIX, Tape, parse
from .options import outputs
from .running import report


@click.command(epilog="Example:  redelivery replay redelivery-1:crash-before-ack:broken:redis-8.6::3x1.0.1")
@click.argument("tape")
@outputs
def command(
    tape: str, timeline: Path | None, history: Path | None, against: str | None, flush: bool, as_json: bool
) -> int:
    """Run TAPE again: the line that a run printed, a file that holds one (a history does), or - for standard input.

    The tape holds the scenario, variant, dialect, parameters and every decision; the run is the same to the byte.
    """
    parsed = _read(tape)
    found = find(parsed.scenario)

    def run(dialect: str) -> Run:
        return simulate(found, tape=Tape(parsed.scenario, parsed.variant, dialect, parsed.params, parsed.choices))

    return report(run, parsed.dialect, timeline, history, against, flush, as_json)


def _read(text: str) -> Tape:
    if text == "-":
        return _held(sys.stdin.read(), "standard input")
    if text.startswith(PREFIX.partition("-")[0] + "-") and ":" in text:
        return parse(text)
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


def _held(text: str, where: str) -> Tape:
    """The tape that a file holds: alone, or in the header of a history."""
    if not text.startswith("{"):
        return parse(text)
    from ..history import parse as parse_history

    tape = parse_history(text.removesuffix("\n").split("\n"), where).header.get("tape")
    if not isinstance(tape, str):
        raise BadInput(f"{where} is a history that holds no tape")
    return parse(tape)
