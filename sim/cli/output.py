"""What verbs print: one JSON object, or a page for people; and which exit code a run earns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ..remarks import remarks
from ..run import HOLDS, INCOMPLETE, VIOLATED, Run
from ..unsent import unsent_in

if TYPE_CHECKING:
    from rich.console import Console

    from ..real.replay import Outcome

_STYLES = {HOLDS: "green", "met": "green", VIOLATED: "bold red", INCOMPLETE: "yellow", "not met": "yellow"}
DIFFERENCES_SHOWN = 5


def print_json(value: dict[str, Any]) -> None:
    """One object on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def console(*, err: bool = False) -> Console:
    """Where pages for people go; plain text where that is no terminal."""
    from rich.console import Console

    return Console(stderr=err, highlight=False, soft_wrap=True)


def exit_code(run: Run, outcome: Outcome | None) -> int:
    """0 as declared and no difference, 1 otherwise, 3 where the run shows nothing."""
    if outcome is not None and outcome.differences:
        return 1
    if run.as_declared:
        return 0
    return 3 if run.verdict == INCOMPLETE else 1


def run_as_json(run: Run, wall_s: float, outcome: Outcome | None) -> dict[str, Any]:
    """The keys that ``run`` and ``replay`` promise."""
    value: dict[str, Any] = {
        "scenario": run.scenario.name,
        "variant": run.variant_name,
        "declared": run.variant.declared,
        "dialect": run.dialect,
        "seed": run.seed,
        "tape": str(run.tape),
        "params": run.params,
        "budget": run.budget,
        "verdict": run.verdict,
        "as_declared": run.as_declared,
        "properties": run.properties,
        "violations": [violation._asdict() for violation in run.violations],
        "unmet": run.unmet,
        "notes": [*unsent_in(run), *remarks(run)],
        "commands": run.commands,
        "events": len(run.history),
        "sim_ms": run.sim_ms,
        "wall_s": round(wall_s, 6),
    }
    if outcome is not None:
        value |= {
            "server": outcome.server,
            "version": outcome.version,
            "server_dialect": outcome.dialect,
            "replies": outcome.replies,
            "time_compared": outcome.time_compared,
            "note": outcome.note,
            "differences": [
                {"index": d.index, "command": d.command, "model": d.model, "server": d.server}
                for d in outcome.differences
            ],
        }
    return value


def print_budget(run: Run, *, err: bool) -> None:
    """What bounded the world."""
    budget = run.budget
    out = console(err=err)
    out.print(f"[bold]{run.scenario.name}[/] · {run.variant_name} · {run.dialect}", style=None)
    out.print(run.scenario.summary, markup=False)
    out.print(f"  {run.variant_name}: {run.variant.summary}", markup=False)
    turns = ", ".join(f"{name} {n} turns" for name, n in budget["turns"].items())
    people = ", ".join(budget["processes"])
    out.print(f"budget     {people}" + (f" ({turns})" if turns else ""), markup=False)
    out.print(f"           faults: {'; '.join(budget['faults']) or 'none'}", markup=False)
    latency = "/".join(str(ms) for ms in budget["latency_ms"])
    out.print(
        f"           faults until {budget['faults_ms']} ms, then {budget['within_ms']} ms to come right; "
        f"latency {latency} ms",
        markup=False,
    )


def print_run(run: Run, outcome: Outcome | None) -> None:
    """The outcome, the verdict of each property, and how to see it again."""
    out = console()
    as_declared = "as declared" if run.as_declared else f"declared: {run.variant.declared}"
    style = "green" if run.as_declared else "bold red"
    out.print()
    out.print(f"[bold]verdict[/]    [{_STYLES[run.verdict]}]{run.verdict}[/]  [{style}]{as_declared}[/]")
    out.print(f"           {run.commands} commands, {len(run.history)} events, {run.sim_ms} ms of simulated time")
    out.print()
    width = max(len(name) for name in run.properties)
    for name, verdict in run.properties.items():
        out.print(f"  {name:<{width}}  [{_STYLES[verdict]}]{verdict}[/]")
    for violation in run.violations:
        out.print()
        out.print(f"[bold red]{violation.property}[/] at {violation.at_ms} ms (event {violation.step}):")
        out.print(f"  {violation.message}", markup=False)
    print_notes(out, [*unsent_in(run), *remarks(run)])
    if outcome is not None:
        print_outcome(out, outcome)
    out.print()
    out.print(f"tape       {run.tape}", markup=False)
    out.print(f"again      redelivery replay {run.tape}", markup=False)


def print_notes(out: Console, notes: list[str]) -> None:
    """What a reader should know besides."""
    for note in notes:
        out.print(f"\nnote: {note}", markup=False)


def print_outcome(out: Console, outcome: Outcome) -> None:
    """What the real server said to it."""
    out.print()
    if not outcome.differences:
        out.print(f"[green]{outcome.server} {outcome.version} gave the same {outcome.replies} replies[/]")
    else:
        shown = outcome.differences[:DIFFERENCES_SHOWN]
        out.print(
            f"[bold red]{outcome.server} {outcome.version}: {len(outcome.differences)} of {outcome.replies} "
            f"replies differ[/]"
        )
        for difference in shown:
            out.print(f"  {difference.index}: {difference.command}", markup=False)
            out.print(f"     model   {difference.model}", markup=False)
            out.print(f"     server  {difference.server}", markup=False)
        if len(shown) < len(outcome.differences):
            out.print(f"  … and {len(outcome.differences) - len(shown)} more")
    if not outcome.time_compared:
        out.print("  in real time: IDs were paired, and fields that hold a time were not compared", markup=False)
    if outcome.note:
        out.print(f"  {outcome.note}", markup=False)
