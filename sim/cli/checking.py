"""``redelivery check``: tries all that can happen in a scenario, or searches by chance for what breaks it."""

from __future__ import annotations

from pathlib import Path

import click

from ..catalogue import find
from ..check.check import SEARCHES
from ..check.reductions import ALL_WORD, DEFAULT_WORD, NONE, REDUCTIONS, parse
from ..check.schedules import DEPTH, METHODS, RUNS
from ..errors import BadInput
from .options import json_option, pairs
from .running import check_place


@click.command(epilog="Example:  redelivery check crash-before-ack --variant broken --search swarm --finding f.json")
@click.argument("scenario", required=False)
@click.option("--all", "everything", is_flag=True, help="Every scenario and variant against what it declares.")
@click.option("--ablate", is_flag=True, help="Leave out each safeguard in turn, and tell which property breaks.")
@click.option(
    "--workers", metavar="N", type=click.IntRange(min=1),
    help="For bfs: how many processes share the search (1); with --all, --ablate: how many checks at once (all cores).",
)
@click.option("--variant", metavar="V", help="The variant; 'repaired' where there is one.")
@click.option("--dialect", metavar="D", help="The server line to model; the variant's, or that of --against.")
@click.option("--param", "params", metavar="K=V", multiple=True, help="Sets a parameter of the scenario.")
@click.option(
    "--search", "method", type=click.Choice([*SEARCHES, *METHODS]),
    help="All there is, level by level (the default) or one way after the other; or by chance (the default where a "
    "bound of such a search is given): uniform random walks, priorities with change points, swarms of fault sets, or "
    "Hypothesis.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Run i is drawn from seed + i.")
@click.option("--runs", type=int, default=RUNS, show_default=True, help="How many runs at most.")
@click.option("--seconds", type=click.FloatRange(min=0), help="Give up after so long; where it did is reported.")
@click.option("--pct-depth", type=int, default=DEPTH, show_default=True, help="How many steps' order a bug takes.")
@click.option("--depth", type=click.IntRange(min=0), help="For bfs and dfs: take no more steps than this.")
@click.option(
    "--reduce", metavar="NAMES",
    help=f"Only these reductions: {', '.join(REDUCTIONS)}; or {DEFAULT_WORD}, {ALL_WORD}, {NONE}.",
)
@click.option("--without", metavar="NAME", multiple=True, help="Those that are on, but not this one.")
@click.option("--checkpoint", metavar="FILE", type=Path, help="For bfs: save how far it is, every half a minute.")
@click.option("--resume", metavar="FILE", type=Path, help="For bfs: go on from such a file.")
@click.option("--liveness", is_flag=True, help="Search for a loop on which what must come true never does.")
@click.option("--property", "only", metavar="P", help="Search for violations of this property alone.")
@click.option(
    "--database", metavar="DIR",
    help="Where what was found is kept and tried first the next time, or 'none'; for hypothesis .hypothesis/examples.",
)
@click.option("--finding", metavar="FILE", type=Path, help="Save what was found, as one file that replay takes.")
@click.option("--timeline", metavar="FILE", type=Path, help="Draw what was found: .svg, .png, .pdf, .txt or .html.")
@click.option("--sequence", metavar="FILE", type=Path, help="Chart what was found: .txt, or .mmd for Mermaid.")
@click.option(
    "--graph", metavar="FILE", type=Path,
    help="Write the graph of the states that were seen: .graphml, .dot or .json, drawn: .svg, .png or .pdf, or as a "
    "page to walk through: .html.",
)
@click.option("--theme", type=click.Choice(["light", "dark"]), default="light", help="On white paper, or on black.")
@click.option("--against", metavar="SERVER", help="Replay what was found on a real server and compare every reply.")
@click.option("--flush", is_flag=True, help="Let --against empty a database that is not empty.")
@json_option
def command(
    scenario: str | None, everything: bool, ablate: bool, workers: int | None, variant: str | None, dialect: str | None,
    params: tuple[str, ...], method: str | None, seed: int, runs: int, seconds: float | None, pct_depth: int,
    depth: int | None, reduce: str | None, without: tuple[str, ...], liveness: bool, only: str | None,
    checkpoint: Path | None, resume: Path | None, database: str | None, finding: Path | None, timeline: Path | None,
    sequence: Path | None, graph: Path | None, theme: str, against: str | None, flush: bool, as_json: bool,
) -> int:  # fmt: skip
    """Try every interleaving and every fault of SCENARIO: a shipped name, file.py, file.py:name or module:name.

    bfs and dfs end with a proof within the scenario's bounds and its declared timing, or with a tape that breaks a
    property; bfs with a shortest one. What is found by chance is shown with as few faults, then context switches,
    entries and steps as could be come to; a search by chance that finds nothing is incomplete (exit 3): it proves
    nothing.
    """
    if everything or scenario is None:
        if scenario is not None or not everything:
            raise BadInput("check takes a SCENARIO, or --all for every one")
        if ablate:
            from .ablating import run_ablations

            return run_ablations((), None, dialect, parse(reduce, without), workers, {}, as_json)
        from .proving import run_all

        return run_all(dialect, parse(reduce, without), workers, as_json)
    if ablate:
        from .ablating import run_ablations

        given = pairs(params)
        return run_ablations((scenario,), variant, dialect, parse(reduce, without), workers, given, as_json)
    from ..check.schedules import Start
    from .finding_page import Outputs
    from .searching import Bounds, run_search

    found = find(scenario)
    name = variant or found.default_variant
    for what, target in (("finding", finding), ("timeline", timeline), ("sequence", sequence), ("graph", graph)):
        if target is not None:
            check_place(what, target)
    _check_endings(timeline, sequence, graph)
    server = None
    if against is not None:
        from ..against import judge

        server = judge(against, dialect)
        dialect = server.dialect
    start = Start(found, name, dialect or "", pairs(params), scenario)
    start.world(record=False)  # what is wrong with the variant, the dialect or a parameter is said before anything else
    outputs = Outputs(finding, timeline, sequence, graph, server, flush, as_json, theme)
    if method is None:
        method = RANDOM if _bounds_are_given() else BFS
    if method in SEARCHES:
        from .proving import Settings, run_check

        if (checkpoint or resume) and (method != BFS or liveness):
            raise BadInput("--checkpoint and --resume are for a breadth-first search")
        if checkpoint is not None:
            check_place("checkpoint", checkpoint)
        settings = Settings(method, depth, parse(reduce, without), liveness, checkpoint, resume, workers or 1)
        return run_check(start, settings, outputs)
    bounds = Bounds(method, seed, runs, pct_depth, seconds, only, database)
    return run_search(start, bounds, outputs)


BFS, RANDOM = "bfs", "random"
BY_CHANCE = ("seed", "runs", "seconds", "pct_depth", "only", "database")
"""Options of a search by chance alone."""


def _bounds_are_given() -> bool:
    given = click.get_current_context().get_parameter_source
    return any(given(name) is click.core.ParameterSource.COMMANDLINE for name in BY_CHANCE)


def _check_endings(timeline: Path | None, sequence: Path | None, graph: Path | None) -> None:
    if graph is not None:
        from ..views.graph_files import check_ending as check_graph_ending

        check_graph_ending(graph)
    if timeline is not None:
        from ..views.timeline import check_ending

        check_ending(timeline)
    if sequence is not None:
        from ..views.sequence import ENDINGS

        if sequence.suffix.lower() not in ENDINGS:
            raise BadInput(
                f"cannot write a sequence to {str(sequence)!r}: its ending must be one of {', '.join(ENDINGS)}"
            )
