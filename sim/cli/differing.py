"""``redelivery diff``: the model against real servers."""

from __future__ import annotations

import os
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
    from rich.console import Console

    from ..real.diff.campaign import Report
    from ..real.servers import ServerBinary

COMMANDS = 100_000


@click.command(epilog="Example:  redelivery diff --server embedded --server redis-7.0 --commands 200000 --seed 1")
@click.option(
    "--server", "servers", metavar="S", multiple=True,
    help="A server: 'embedded', an installed one, a redis-server's path, or redis://host:port (in real time); again "
         "for more. [default: all at hand]",
)  # fmt: skip
@click.option(
    "--commands", type=click.IntRange(min=1), default=COMMANDS, show_default=True, help="How many, for each server."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws the commands.")
@click.option(
    "--exhaustive", "depth", metavar="DEPTH", type=click.IntRange(min=0),
    help="Every command and option class, in every state within DEPTH commands, instead of random ones.",
)  # fmt: skip
@click.option("--workers", type=click.IntRange(min=1), help="Processes. [default: one a processor]")
@click.option("--checkpoint", metavar="FILE", type=Path, help="Keep how far --exhaustive has come.")
@click.option("--resume", metavar="FILE", type=Path, help="Go on from a checkpoint, and keep it up to date.")
@click.option("--flush", is_flag=True, help="Let a server that was not started here be emptied; its data are lost.")
@click.option("--record", metavar="FILE", type=Path, help="Note in FILE what was compared, where nothing differs.")
@json_option
def command(
    servers: tuple[str, ...], commands: int, seed: int, depth: int | None, workers: int | None,
    checkpoint: Path | None, resume: Path | None, flush: bool, record: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Put random commands to the model and to real servers, and compare every reply, byte by byte.

    Commands, options and arguments (valid, borderline and malformed) come from the model's own table; several
    clients block, open transactions and hang up, and the clock steps forward and backward. What differs is made
    small, and printed as redis-cli commands with both answers and as a test to paste.

    With --exhaustive, a small alphabet of commands (each option, each class of argument, steps of the clock) is put
    to both in every state that a few of them lead to; replies and resulting states are compared. What differs is
    shown by the shortest way to it.
    """
    from ..real.address import is_url
    from ..real.diff.agreement import startable
    from ..real.diff.records import read, record_of, remember
    from ..real.diff.side_by_side import Job, compare
    from ..real.guard import admit

    _check_options(depth, {"--checkpoint": checkpoint, "--resume": resume})
    if record is not None:
        read(record)  # a file that is none is told before the work, not after it
    if depth is not None:
        from .exhausting import exhaust

        started = [startable(name) for name in servers] or _all_at_hand()
        return exhaust(
            started, depth, workers=workers, checkpoint=checkpoint, resume=resume, record=record, as_json=as_json
        )
    found: list[str | ServerBinary] = [name if is_url(name) else startable(name) for name in servers]
    for server in found:
        if isinstance(server, str):
            admit(server, flush=flush)
    found = found or [*_all_at_hand()]
    jobs = [Job(server, commands, seed, flush) for server in found]
    reports = []
    with _progress(f"{len(jobs)} servers", commands * len(jobs)) as progress:
        for report in compare(jobs, workers or min(os.cpu_count() or 1, len(jobs)), progress):
            reports.append(report)
            if record is not None and not report.differences and not report.note:
                remember(record, record_of(report, seed))
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


def _all_at_hand() -> list[ServerBinary]:
    """Every server that can be started, and whose dialect the model has; one clear line where there is none."""
    from ...models.dialects import DIALECTS
    from ..real.diff.agreement import startable
    from ..real.servers import at_hand

    return [server for server in at_hand() if server.dialect in DIALECTS] or [startable("embedded")]


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
    for its in report.unconfirmed:
        out.print(f"  [yellow]unconfirmed[/]: run {its} differed once, and not when it was sent again")
    _print_coverage(out, report)
    for number, finding in enumerate(report.differences, 1):
        out.print(f"\n[bold red]difference {number}[/] (seed {finding.seed} of its run)")
        for line in finding.transcript:
            out.print(f"  {line}", markup=False)
        if finding.where:
            out.print(f"  they part at {finding.where}", markup=False)
        out.print("\n  as a test:\n", markup=False)
        out.print(finding.test, markup=False)


def _print_coverage(out: Console, report: Report) -> None:
    """A line for each command: how often it was answered and refused, and what it came to, rarest last."""
    from ..real.diff.records import met

    rows = sum(len(outcomes) for options in report.coverage.values() for outcomes in options.values())
    missing = f"{len(report.unmet)} of those that have to be were not"
    out.print(f"  coverage: {rows:,} rows of command × option × outcome met, {missing}")
    for command, options in report.coverage.items():
        outcomes = options["any"]
        answers = outcomes.get("answers", 0)
        errors = {text: count for text, count in outcomes.items() if text.startswith("error: ")}
        done = sorted(set(outcomes) - set(errors) - {"answers"}, key=lambda text: -outcomes[text])
        told = ", ".join(f"{text} {outcomes[text]:,}" for text in done)
        words = ", ".join(f"{word} {met(options[word]):,}" for word in options if word != "any")
        refused = f"{sum(errors.values()):,} in {len(errors)} ways"
        out.print(f"    {command:<22} {answers:>7,} answered ({told}); refused {refused}", markup=False)
        if words:
            out.print(f"    {'':<22}         with {words}", markup=False)
    if report.unmet and report.commands < COMMANDS:
        out.print(f"    {COMMANDS:,} commands are needed to meet them all")
        return
    for row in report.unmet:
        out.print(f"    [yellow]never met[/]  {row}", highlight=False)
