"""What ``redelivery check --search bfs|dfs`` does and prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from ..check.breadth import Progress
from ..check.certain import refuse_if_certain
from ..check.check import as_declared, check, machine_of, refuse_unbounded
from ..check.everything import FAILED, NOT_AS_DECLARED, OK, OTHER_COUNT, STOPPED, Row, check_all, names
from ..check.fewest import Exhaust, Loops
from ..check.finding import Finding
from ..check.graphing import state_graph
from ..check.liveness import check_liveness
from ..check.refine import refine
from ..check.report import Counterexample, Result, StateGraph
from ..check.resident import resident_bytes
from ..check.schedules import Start
from ..run import INCOMPLETE, VIOLATED, Run, simulate
from ..scenario import Scenario
from ..unsent import unsent_in
from . import output
from .finding_page import Outputs, finding_as_json, print_finding
from .graph_page import print_graph, write_graph

if TYPE_CHECKING:
    from ..real.replay import Outcome


@dataclass(frozen=True, slots=True)
class Settings:
    """How all there is is searched."""

    search: str
    depth: int | None
    reduce: tuple[str, ...]
    liveness: bool
    checkpoint: Path | None
    resume: Path | None
    workers: int = 1


def run_check(start: Start, settings: Settings, outputs: Outputs) -> int:
    """Searches all there is, writes what was asked for, prints the outcome; returns the exit code."""
    refuse_unbounded(start.world(record=False).plan)
    simulated = simulate(start.scenario, start.variant, dialect=start.dialect, params=start.params)
    if unsent_in(simulated):
        refuse_if_certain(start)
    output.print_budget(simulated, err=outputs.as_json)
    line = ProgressLine()
    if settings.liveness:
        result = check_liveness(
            start.scenario, start.variant, dialect=start.dialect, params=start.params, reduce=settings.reduce,
            report=line.tell, clock=perf_counter, reference=start.reference or None,
        )  # fmt: skip
    else:
        result = check(
            start.scenario, start.variant, dialect=start.dialect, params=start.params, search=settings.search,
            depth=settings.depth, reduce=settings.reduce, report=line.tell, clock=perf_counter,
            reference=start.reference or None, checkpoint=settings.checkpoint, resume=settings.resume,
            workers=settings.workers,
        )  # fmt: skip
    line.end()
    outcome: Outcome | None = None
    made: tuple[Finding, Run] | None = None
    if result.counterexample is not None:
        refined = refine(start, result.counterexample, _exhaust(settings), method=settings.search, loops=_loops(start))
        made = refined.finding, refined.run
        outcome = outputs.write(*made)
    numbers = None
    if outputs.graph is not None:
        numbers = write_graph(_graph(start, settings), outputs.graph, outputs.theme)
    if outputs.as_json:
        value = result_as_json(result, start.scenario) | ({} if numbers is None else {"graph": numbers})
        if made is not None:
            value["counterexample"] = finding_as_json(*made, outcome)
        output.print_json(value)
    else:
        print_result(result, start.scenario)
        if numbers is not None and outputs.graph is not None:
            print_graph(numbers, outputs.graph)
        if made is not None:
            print_finding(*made, outcome, outputs.finding)
    if outcome is not None and outcome.differences:
        return 1
    return exit_code(result, start.scenario)


def _exhaust(settings: Settings) -> Exhaust:
    """A search of all of a world with smaller budgets, for what the variant is declared to break."""

    def exhaust(start: Start) -> tuple[int, ...] | None:
        result = check(
            start.scenario, start.variant, dialect=start.dialect, params=start.params, reduce=settings.reduce,
            reference=start.reference or None,
        )  # fmt: skip
        return None if result.counterexample is None else result.counterexample.choices

    return exhaust


def _loops(start: Start) -> Loops:
    """A search of all of a world with smaller budgets for a loop."""

    def loops(within: Sequence[int]) -> Counterexample | None:
        return check_liveness(
            start.scenario, start.variant, dialect=start.dialect, params=start.params, within=within,
            reference=start.reference or None,
        ).counterexample  # fmt: skip

    return loops


def _graph(start: Start, settings: Settings) -> StateGraph:
    machine = machine_of(lambda: start.world(record=False), settings.reduce)
    return state_graph(machine, start.scenario.name, start.variant)


def run_all(dialect: str | None, reduce: tuple[str, ...], workers: int | None, as_json: bool) -> int:
    """Checks every scenario and variant; the exit code is 1 where one is not as declared."""
    todo = names(dialect=dialect)
    began_s = perf_counter()

    def tell(row: Row) -> None:
        click.echo(f"{row.scenario} {row.variant}: {row.verdict}, {row.states:,} states, {row.outcome}", err=True)

    rows = check_all(todo, dialect, reduce, workers or os.cpu_count() or 1, perf_counter, tell)
    seconds = perf_counter() - began_s
    if as_json:
        output.print_json({"results": [asdict(row) for row in rows], "seconds": round(seconds, 3)})
    else:
        _print_rows(rows, seconds)
    other = [row for row in rows if row.outcome in (NOT_AS_DECLARED, OTHER_COUNT)]
    if any(row.verdict != INCOMPLETE for row in other):
        return 1
    if any(row.outcome == FAILED for row in rows):
        return 2
    return 3 if other or any(row.outcome == STOPPED for row in rows) else 0


def _print_rows(rows: list[Row], seconds: float) -> None:
    out = output.console()
    counts = f"{'states':>10} {'transitions':>12} {'depth':>6} {'s':>7}"
    out.print(f"{'scenario':<22} {'variant':<20} {'verdict':<11} {counts}")
    for row in rows:
        style = "green" if row.outcome == OK else "bold red"
        wanted = "" if row.outcome != OTHER_COUNT else f" ({row.declared_states:,} declared)"
        out.print(
            f"{row.scenario:<22} {row.variant:<20} {row.verdict:<11} {row.states:>10,} {row.transitions:>12,} "
            f"{row.depth:>6} {row.seconds:>7.2f}  [{style}]{row.outcome}[/]{wanted} {row.message}"
        )
    out.print(f"{len(rows)} checks in {seconds:.1f} s")


class ProgressLine:
    """One line on standard error each second: how far a search is, how fast it goes, what it takes."""

    def __init__(self) -> None:
        self._began_s = self._told_s = perf_counter()
        self._told = 0
        self._shown = False

    def tell(self, progress: Progress) -> None:
        """Prints the line if a second has passed since the last."""
        now_s = perf_counter()
        if now_s - self._told_s < 1:
            return
        rate = (progress.states - self._told) / (now_s - self._told_s)
        self._told_s, self._told = now_s, progress.states
        memory = resident_bytes() + progress.memory_bytes
        text = (
            f"{progress.states:,} states, {progress.transitions:,} transitions, {progress.queue:,} queued, "
            f"depth {progress.depth}, {rate:,.0f} states/s, {memory / 1e6:,.0f} MB"
        )
        if sys.stderr.isatty():
            click.echo(f"\r\x1b[K{text}", nl=False, err=True)
            self._shown = True
        else:
            click.echo(text, err=True)

    def end(self) -> None:
        """Takes the line away."""
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)


def exit_code(result: Result, scenario: Scenario) -> int:
    """0 as declared, 1 not, 3 where the check shows nothing."""
    if as_declared(result, scenario.variant(result.variant)):
        return 0
    return 3 if result.verdict == INCOMPLETE else 1


def result_as_json(result: Result, scenario: Scenario) -> dict[str, Any]:
    """The keys that ``check`` promises."""
    return {
        "scenario": result.scenario,
        "variant": result.variant,
        "declared": scenario.variant(result.variant).declared,
        "dialect": result.dialect,
        "verdict": result.verdict,
        "as_declared": as_declared(result, scenario.variant(result.variant)),
        "property": result.property_name,
        "states": result.states,
        "transitions": result.transitions,
        "depth": result.depth,
        "seconds": round(result.seconds, 6),
        "unmet": list(result.unmet),
        "coverage": dict(result.coverage),
        "counterexample": None,
        "reductions": list(result.reductions),
        "workers": result.workers,
        "notes": list(result.notes),
        "collision_probability": result.collision_probability,
        "statistics": dict(result.statistics),
        "parts": {part: round(seconds, 6) for part, seconds in result.parts.items()},
    }


def print_result(result: Result, scenario: Scenario) -> None:
    """The verdict, what was searched, and the way to the violation."""
    out = output.console()
    variant = scenario.variant(result.variant)
    declared = "as declared" if as_declared(result, variant) else f"declared: {variant.declared}"
    style = {VIOLATED: "bold red", INCOMPLETE: "yellow"}.get(result.verdict, "green")
    out.print()
    workers = f" with {result.workers} workers" if result.workers > 1 else ""
    out.print(f"verdict    [{style}]{result.verdict}[/]  {declared}")
    out.print(
        f"           {result.states:,} states, {result.transitions:,} transitions, depth {result.depth}, "
        f"{result.seconds:.2f} s{workers}; reductions: {', '.join(result.reductions) or 'none'}",
        markup=False,
    )
    for name in result.unmet:
        out.print(f"           [yellow]never met:[/] {name}")
    for note in result.notes:
        out.print(f"           note: {note}", markup=False)
    unheard = sorted({kind for kinds in result.coverage.get("never_observed", {}).values() for kind in kinds})
    if unheard:
        out.print(f"           never observed, though properties hear of it: {', '.join(unheard)}", markup=False)
    for name in result.coverage.get("never_ran", ()):
        out.print(f"           never ran: {name}", markup=False)
    for fault in result.coverage.get("never_struck", ()):
        out.print(f"           never struck: {fault}", markup=False)
    if result.counterexample is not None:
        out.print(f"\n[bold red]{result.property_name}[/] after {len(result.steps)} steps:")
        for line in shortened(result.steps):
            out.print(line, markup=False)


STEPS_FIRST, STEPS_LAST = 24, 4


def shortened(steps: Sequence[str]) -> list[str]:
    """The steps with their numbers; the middle of many is left out, for it is a long wait mostly."""
    numbered = [f"  {number:>3}. {step}" for number, step in enumerate(steps, 1)]
    left_out = len(steps) - STEPS_FIRST - STEPS_LAST
    if left_out <= 1:
        return numbered
    gap = f"       … {left_out} steps (--json has them all) …"
    return [*numbered[:STEPS_FIRST], gap, *numbered[-STEPS_LAST:]]
