"""``redelivery diff``: the model against real servers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from . import output
from .options import json_option

if TYPE_CHECKING:
    from ..real.diff.campaign import Report

COMMANDS = 100_000


@click.command(epilog="Example:  redelivery diff --server embedded --server redis-7.0 --commands 200000 --seed 1")
@click.option(
    "--server", "servers", metavar="S", multiple=True,
    help="A server: 'embedded', an installed one, a redis-server's path; again for more. [default: all at hand]",
)  # fmt: skip
@click.option(
    "--commands", type=click.IntRange(min=1), default=COMMANDS, show_default=True, help="How many, for each server."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws the commands.")
@click.option(
    "--exhaustive", "depth", metavar="DEPTH", type=click.IntRange(min=0),
    help="Every command and option class, in every state within DEPTH commands, instead of random ones.",
)  # fmt: skip
@click.option("--workers", type=click.IntRange(min=1), help="Processes for --exhaustive. [default: one a processor]")
@click.option("--checkpoint", metavar="FILE", type=Path, help="Keep how far --exhaustive has come.")
@click.option("--resume", metavar="FILE", type=Path, help="Go on from a checkpoint, and keep it up to date.")
@json_option
def command(
    servers: tuple[str, ...], commands: int, seed: int, depth: int | None, workers: int | None,
    checkpoint: Path | None, resume: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Put random commands to the model and to real servers, and compare every reply, byte by byte.

    Commands, options and arguments (valid, borderline and malformed) come from the model's own table; several
    clients block, open transactions and hang up, and the clock steps forward and backward. What differs is made
    small, and printed as redis-cli commands with both answers and as a test to paste.

    With --exhaustive, a small alphabet of commands (each option, each class of argument, steps of the clock) is put
    to both in every state that a few of them lead to; replies and resulting states are compared. What differs is
    shown by the shortest way to it.
    """
    from ..real.diff.agreement import startable
    from ..real.diff.campaign import campaign
    from ..real.servers import at_hand

    found = [startable(name) for name in servers] if servers else [s for s in at_hand() if _is_known(s.dialect)]
    if not found:
        startable("embedded")  # which says what is missing
    _check_options(depth, {"--workers": workers, "--checkpoint": checkpoint, "--resume": resume})
    if depth is not None:
        from .exhausting import exhaust

        return exhaust(found, depth, workers=workers, checkpoint=checkpoint, resume=resume, as_json=as_json)
    reports = []
    for binary in found:
        with _progress(f"{binary.name} {binary.version}", commands) as progress:
            report = campaign(binary, commands, seed, progress)
        reports.append(report)
        if not as_json:
            _print(report, seed)
    if as_json:
        output.print_json({"seed": seed, "servers": [_as_json(report) for report in reports]})
    return 1 if any(report.differences for report in reports) else 0


def _check_options(depth: int | None, for_exhaustive: dict[str, object]) -> None:
    """Refuses options of the one kind of comparison where the other is asked for."""
    context = click.get_current_context()
    if depth is None:
        wrong = [name for name, value in for_exhaustive.items() if value is not None]
        belongs = "--exhaustive"
    else:
        given = {name: context.get_parameter_source(name) for name in ("commands", "seed")}
        wrong = [f"--{name}" for name, source in given.items() if source is ParameterSource.COMMANDLINE]
        belongs = "a random comparison, without --exhaustive"
    if wrong:
        raise click.UsageError(f"{wrong[0]} is for {belongs}", context)


def _is_known(dialect: str) -> bool:
    from ...models.dialects import DIALECTS

    return dialect in DIALECTS


@contextmanager
def _progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar with the rate on a terminal, on standard error; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
               TextColumn("{task.speed:,.0f} commands/s"), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=output.console(err=True), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done)


def _as_json(report: Report) -> dict[str, Any]:
    value = asdict(report)
    value["seconds"] = round(report.seconds, 3)
    return value


def _print(report: Report, seed: int) -> None:
    out = output.console()
    rate = report.commands / report.seconds if report.seconds else 0.0
    style = "red" if report.differences else "green"
    said = f"{len(report.differences)} differences" if report.differences else "no difference"
    out.print(
        f"[bold]{report.name}[/] {report.version}: [{style}]{said}[/] in {report.commands:,} commands "
        f"({report.replies:,} replies, {report.states:,} states) of seed {seed}, {rate:,.0f} commands/s"
    )
    if report.note:
        out.print(f"  {report.note}", markup=False)
    for number, finding in enumerate(report.differences, 1):
        out.print(f"\n[bold red]difference {number}[/] (seed {finding.seed} of its run)")
        for line in finding.transcript:
            out.print(f"  {line}", markup=False)
        if finding.where:
            out.print(f"  they part at {finding.where}", markup=False)
        out.print("\n  as a test:\n", markup=False)
        out.print(finding.test, markup=False)
