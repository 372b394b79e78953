"""A run that was recorded somewhere: a history's file, a finding's file, or a tape that is run again."""

from __future__ import annotations

from pathlib import Path

from ..catalogue import find
from ..errors import BadInput
from ..history import History, read
from ..run import simulate
from ..tape import PREFIX, Tape, parse


def is_tape(text: str) -> bool:
    """Whether an argument is a tape rather than a file's name."""
    return text.startswith(PREFIX.partition("-")[0] + "-") and ":" in text


def history_of(text: str) -> History:
    """The history that an argument means; a file that stops in the middle of a line is taken up to there."""
    if is_tape(text):
        return _run(parse(text))
    path = Path(text)
    try:
        held = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BadInput(
            f"cannot read the history {text}: {error.strerror}; a tape would start with '{PREFIX}:'"
        ) from error
    if held.startswith("{"):
        from ..check.finding import is_finding, load

        return _run(load(held, text).tape) if is_finding(held) else read(path, partial=True)
    return _run(parse(held)) if held.startswith(PREFIX.partition("-")[0] + "-") else read(path, partial=True)


def _run(tape: Tape) -> History:
    return simulate(find(tape.scenario), tape=tape).history
