"""For tests: a finding, pasted in one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..catalogue import find
from ..run import Run, build, simulate
from ..tape import PREFIX, Tape, parse
from ..watch import Violation
from .course import follow
from .finding import read, until
from .policies import Lenient


def assert_holds(tape: str | Path | Tape, property: str | None = None, *, against: str | None = None) -> Run:
    """Fails, with the story, where the run of a tape breaks a property (any, or the one that is named).

    ``tape`` is the line that a run or a check printed, or the file of a finding. Code that has been mended takes
    another course: decisions that the tape does not fit any more take their plain course, so that the test goes on
    to try what once broke it. ``against`` names a real server that must give the same replies.
    """
    __tracebackhide__ = True
    run = _run(_read(tape), exact=False)
    broken = [each for each in run.violations if property in (None, each.property)]
    if broken:
        raise AssertionError(_message(run, broken[0]))
    _compare(run, against)
    return run


def assert_violates(tape: str | Path | Tape, property: str, *, against: str | None = None) -> Run:
    """Fails where the run of a tape does not break ``property``, or does not fit the tape: pins what is known.

    Arguments as for ``assert_holds``.
    """
    __tracebackhide__ = True
    run = _run(_read(tape), exact=True)
    if property not in {each.property for each in run.violations}:
        others = ", ".join(each.property for each in run.violations) or "nothing"
        raise AssertionError(f"the tape does not break {property}; it breaks {others}: {run.tape}")
    _compare(run, against)
    return run


def _read(tape: str | Path | Tape) -> Tape:
    if isinstance(tape, Tape):
        return tape
    if isinstance(tape, str) and tape.lstrip().startswith(PREFIX.partition("-")[0] + "-"):
        return parse(tape)
    return read(Path(tape)).tape


def _run(tape: Tape, *, exact: bool) -> Run:
    scenario = find(tape.scenario)
    if not exact:
        world, _ = build(scenario, tape.variant, tape.dialect, tape.params, record=False)
        fitted = follow(world, Lenient(tape.choices), ())
        tape = replace(tape, choices=fitted.answers)
    return simulate(scenario, tape=tape)


def _message(run: Run, violation: Violation) -> str:
    from ..views.story import tell

    story = "\n".join(tell(until(run.history, violation)))
    return f"{violation.property} is violated at {violation.at_ms} ms: {violation.message}\n\n{story}"


def _compare(run: Run, against: str | None) -> None:
    if against is None:
        return
    from ..against import compare

    outcome = compare(run.history, against)
    if outcome.differences:
        first = outcome.differences[0]
        raise AssertionError(
            f"{outcome.server} {outcome.version} differs from the model in {len(outcome.differences)} of "
            f"{outcome.replies} replies; the first is reply {first.index} to {first.command}: the model answers "
            f"{first.model}, the server {first.server}"
        )
