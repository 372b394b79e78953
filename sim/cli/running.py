"""``redelivery run``: simulates one tape of a scenario."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import click

from ...models.facts import Added
from ..catalogue import find
from ..errors import BadInput
from ..plan import Params
from ..requests import has_fields
from ..run import Run, simulate
from ..unsent import unsent_in
from ..views.words import text
from . import output
from .options import outputs, pairs

if TYPE_CHECKING:
    from ..check.finding import Finding
    from ..real.replay import Outcome

ENTRIES_TOLD = 6


@click.command(
    epilog="Example:  redelivery run crash-before-ack --seed 7 --against embedded --timeline crash.svg",
)
@click.argument("scenario")
@click.option("--variant", metavar="V", help="The variant; 'repaired' where there is one.")
@click.option("--dialect", metavar="D", help="The server line to model; the variant's, or that of --against.")
@click.option("--seed", type=int, default=0, show_default=True, help="Draws the tape.")
@click.option("--param", "params", metavar="K=V", multiple=True, help="Sets a parameter of the scenario.")
@outputs
def command(
    scenario: str, variant: str | None, dialect: str | None, seed: int, params: tuple[str, ...],
    timeline: Path | None, history: Path | None, against: str | None, flush: bool, as_json: bool,
) -> int:  # fmt: skip
    """Simulate SCENARIO once: a shipped name, file.py, file.py:name or module:name.

    Prints the budget, the verdict of each property, and the tape that runs it again.
    """
    found = find(scenario)
    given = pairs(params)

    def run(chosen: str | None) -> Run:
        reference = _reference(scenario, found.name)
        done = _refuse_unknown_entries(
            simulate(found, variant, dialect=chosen, seed=seed, params=given, reference=reference)
        )
        if unsent_in(done):
            from ..check.certain import refuse_if_certain
            from ..check.schedules import Start

            refuse_if_certain(Start(found, done.variant_name, done.dialect, given, reference))
        return done

    return report(run, dialect, timeline, history, against, flush, as_json)


def _reference(given: str, name: str) -> str:
    """How the tape names the scenario: as the user did, who may have named one of their own."""
    return given


def report(
    run: RunWith, dialect: str | None, timeline: Path | None, history: Path | None, against: str | None,
    flush: bool, as_json: bool, finding: Finding | None = None,
) -> int:  # fmt: skip
    """Runs, compares with a real server if asked to, writes what was asked for, and prints it."""
    if timeline is not None:
        from ..views.timeline import check_ending

        check_ending(timeline)
    for what, target in (("timeline", timeline), ("history", history)):
        if target is not None:
            check_place(what, target)
    outcome: Outcome | None = None
    began = perf_counter()
    if against is None:
        done = run(dialect)
        wall_s = perf_counter() - began
        output.print_budget(done, err=as_json)
    else:
        from ..against import judge

        server = judge(against, dialect, flush=flush)
        began = perf_counter()
        done = run(server.dialect)
        wall_s = perf_counter() - began
        output.print_budget(done, err=as_json)
        outcome = server.compare(done.history, flush=flush)
    if history is not None:
        done.history.write(history)
    if timeline is not None:
        from ..views.timeline import draw

        draw(done.history, timeline)
    changed = "" if finding is None else finding.changed(done)
    if as_json:
        value = output.run_as_json(done, wall_s, outcome)
        if finding is not None:
            value["finding"] = {"property": finding.property, "same": not changed, "changed": changed}
        output.print_json(value)
    else:
        output.print_run(done, outcome)
        if finding is not None:
            output.console().print(f"finding    {changed or 'the very run that was found'}", markup=False)
    return 1 if changed else output.exit_code(done, outcome)


def _refuse_unknown_entries(done: Run) -> Run:
    """``BadInput`` for a scenario that lets work fail on entries that its run does not have."""
    plan = done.variant.plan(Params(done.params, {}))
    failing = [process for process in plan.processes if process.fails_on is not None]
    if not failing:
        return done
    added = [
        dict(zip(fact.fields[::2], fact.fields[1::2], strict=True))
        for event in done.history
        for fact in getattr(event, "facts", ())
        if isinstance(fact, Added)
    ]
    for process in failing:
        assert process.fails_on is not None
        if any(has_fields(fields, process.fails_on) for fields in added):
            continue
        wanted = ", ".join(f"{name}={value}" for name, value in process.fails_on.items())
        told = dict.fromkeys(" ".join(f"{text(name)}={text(fields[name])}" for name in fields) for fields in added)
        there_is = "; ".join(list(told)[:ENTRIES_TOLD]) or "none"
        raise BadInput(
            f"process {process.name!r} fails on {wanted}, and no entry of the run has that; there is: {there_is}"
        )
    return done


def check_place(what: str, target: Path) -> None:
    """Refuses a file that cannot be written for want of a folder, before anything is run for it."""
    problem = os.strerror(errno.EISDIR) if target.is_dir() else os.strerror(errno.ENOENT)
    if target.is_dir() or not target.parent.is_dir():
        raise BadInput(f"cannot write the {what} to {target}: {problem}")


if TYPE_CHECKING:
    from collections.abc import Callable

    RunWith = Callable[[str | None], Run]
