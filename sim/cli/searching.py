"""What ``redelivery check --search random|pct|swarm|hypothesis`` does and prints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..check.certain import refuse_if_certain
from ..check.hunt import Hunt, hunt
from ..check.memory import FOLDER, Memory
from ..check.recorder import Recorder
from ..check.schedules import Search, Start
from ..run import VIOLATED, simulate
from ..unsent import unsent_in
from ..views.words import counted
from . import output
from .finding_page import Outputs, finding_as_json, print_finding
from .graph_page import print_graph, write_graph
from .progress import Bar

if TYPE_CHECKING:
    from ..real.replay import Outcome


@dataclass(frozen=True, slots=True)
class Bounds:
    """How a search goes, and when it gives up."""

    method: str
    seed: int
    runs: int
    depth: int
    seconds: float | None
    only: str | None
    database: str | None
    """A folder; ``none`` for no memory; by default Hypothesis's own, for its own search alone."""

    def memory(self) -> Memory | None:
        """Where what was found is remembered."""
        if self.database == "none" or (self.database is None and self.method != "hypothesis"):
            return None
        return Memory(FOLDER if self.database is None else Path(self.database))


def run_search(start: Start, bounds: Bounds, outputs: Outputs) -> int:
    """Searches, writes what was asked for, prints the outcome; returns the exit code."""
    start.wanted(bounds.only)
    plain = simulate(start.scenario, start.variant, dialect=start.dialect, params=start.params)
    if unsent_in(plain):
        refuse_if_certain(start)
    output.print_budget(plain, err=outputs.as_json)
    seconds = 0.0
    recorder = None if outputs.graph is None else Recorder(start.scenario.name, start.variant)
    with Bar(bounds.method, bounds.runs) as bar:

        def stop(report: Search) -> bool:
            nonlocal seconds
            seconds = bar.seconds
            bar.show(report.runs, f"{report.runs:,} runs, {report.steps:,} steps, {report.states:,} states")
            return bounds.seconds is not None and seconds >= bounds.seconds

        def tell(replays: int) -> None:
            bar.show(bounds.runs, f"found; lowering it: {replays:,} replays")

        done = hunt(
            start, bounds.method, seed=bounds.seed, runs=bounds.runs, depth=bounds.depth, only=bounds.only,
            memory=bounds.memory(), stop=stop, tell=tell, visitor=recorder,
        )  # fmt: skip
    outcome = None if done.finding is None or done.run is None else outputs.write(done.finding, done.run)
    numbers = None
    if recorder is not None and outputs.graph is not None:
        numbers = write_graph(recorder.graph(), outputs.graph, outputs.theme)
    if outputs.as_json:
        output.print_json(_as_json(start, done, seconds, outcome) | ({} if numbers is None else {"graph": numbers}))
    else:
        _print(start, done, seconds)
        if numbers is not None:
            print_graph(numbers, outputs.graph)
        if done.finding is not None and done.run is not None:
            print_finding(done.finding, done.run, outcome, outputs.finding)
    if outcome is not None and outcome.differences:
        return 1
    if done.run is None:
        return 3
    return 0 if done.run.as_declared else 1


def _as_json(start: Start, done: Hunt, seconds: float, outcome: Outcome | None) -> dict[str, Any]:
    report, variant = done.search, start.scenario.variant(start.variant)
    value: dict[str, Any] = {
        "scenario": start.scenario.name,
        "variant": start.variant,
        "declared": variant.declared,
        "dialect": start.dialect,
        "params": dict(start.params),
        "verdict": report.verdict,
        "as_declared": done.run is not None and done.run.as_declared,
        "property": done.finding.property if done.finding else None,
        **report.as_dict(),
        "unmet": report.unmet,
        "notes": report.notes,
        "seconds": round(seconds, 3),
        "counterexample": None,
    }
    if done.finding is not None and done.run is not None:
        value["counterexample"] = finding_as_json(done.finding, done.run, outcome)
    return value


def _print(start: Start, done: Hunt, seconds: float) -> None:
    report, out = done.search, output.console()
    declared = start.scenario.variant(start.variant).declared
    out.print()
    if report.verdict == VIOLATED:
        as_declared = "as declared" if done.run is not None and done.run.as_declared else f"declared: {declared}"
        out.print(f"[bold]verdict[/]    [bold red]violated[/]  {as_declared}")
    else:
        out.print("[bold]verdict[/]    [yellow]incomplete[/]  nothing was found, which proves nothing")
        out.print(f"           declared: {declared}", markup=False)
    rate = f"; {report.steps / seconds:,.0f} steps/s" if seconds else ""
    out.print(
        f"search     {report.method}, seed {report.seed}: {counted(report.runs, 'run')}, {report.steps:,} steps, "
        f"{report.states:,} states with a choice, {report.behaviours} behaviours{rate}",
        markup=False,
    )
    if report.stopped == "seconds":
        out.print(f"           stopped by --seconds after {report.runs:,} of {report.runs_max:,} runs", markup=False)
    if report.curve:
        points = ", ".join(f"{p.runs:,}: {p.states:,}/{p.behaviours}" for p in report.curve)
        out.print(f"           states/behaviours after so many runs  {points}", markup=False)
    if report.unmet:
        out.print(f"           no run met: {', '.join(report.unmet)}", markup=False)
    for note in report.notes:
        out.print(f"           note: {note}", markup=False)
    if report.found is not None:
        by = "before, and kept" if report.method == "memory" else f"by run {report.found.run}"
        seed = "" if report.found.seed is None else f", seed {report.found.seed}"
        out.print(f"found      {by}{seed}: {done.first}", markup=False)
        for faults, runs in done.fewer.items():
            out.print(f"           with {counted(faults, 'fault')} {runs} runs found nothing", markup=False)
    if done.minimal is not None:
        how = "locally minimal" if done.minimal.local else "not minimal yet: the bound on the work was reached"
        out.print(f"lowered    to {done.minimal.cost} ({done.minimal.replays} replays, {how})", markup=False)
