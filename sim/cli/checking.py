"""``redelivery check``: searches a scenario for what breaks it."""

from __future__ import annotations

from pathlib import Path

import click

from ...models.dialects import DEFAULT
from ..catalogue import find
from ..check.schedules import DEPTH, METHODS, RUNS
from ..errors import BadInput
from .options import json_option, pairs
from .running import check_place


@click.command(epilog="Example:  redelivery check crash-before-ack --variant broken --search swarm --finding f.json")
@click.argument("scenario")
@click.option("--variant", metavar="V", help="The variant; 'repaired' where there is one.")
@click.option("--dialect", metavar="D", help=f"The server line to model; {DEFAULT}, or that of --against.")
@click.option("--param", "params", metavar="K=V", multiple=True, help="Sets a parameter of the scenario.")
@click.option(
    "--search", "method", type=click.Choice(METHODS), default="random", show_default=True,
    help="How to search: uniform random walks, priorities with change points, swarms of fault sets, or Hypothesis.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Run i is drawn from seed + i.")
@click.option("--runs", type=int, default=RUNS, show_default=True, help="How many runs at most.")
@click.option("--seconds", type=click.FloatRange(min=0), help="Give up after so long; where it did is reported.")
@click.option("--pct-depth", type=int, default=DEPTH, show_default=True, help="How many steps' order a bug takes.")
@click.option("--property", "only", metavar="P", help="Search for violations of this property alone.")
@click.option(
    "--database", metavar="DIR",
    help="Where what was found is kept and tried first the next time, or 'none'; for hypothesis .hypothesis/examples.",
)
@click.option("--finding", metavar="FILE", type=Path, help="Save what was found, as one file that replay takes.")
@click.option("--timeline", metavar="FILE", type=Path, help="Draw what was found: .svg, .png, .pdf or .txt.")
@click.option("--sequence", metavar="FILE", type=Path, help="Chart what was found: .txt, or .mmd for Mermaid.")
@click.option(
    "--graph", metavar="FILE", type=Path,
    help="Write the graph of the states that were seen: .graphml, .dot or .json, or drawn: .svg, .png or .pdf.",
)
@click.option("--against", metavar="SERVER", help="Replay what was found on a real server and compare every reply.")
@click.option("--flush", is_flag=True, help="Let --against empty a database that is not empty.")
@json_option
def command(
    scenario: str, variant: str | None, dialect: str | None, params: tuple[str, ...], method: str, seed: int, runs: int,
    seconds: float | None, pct_depth: int, only: str | None, database: str | None, finding: Path | None,
    timeline: Path | None, sequence: Path | None, graph: Path | None, against: str | None, flush: bool, as_json: bool,
) -> int:  # fmt: skip
    """Search SCENARIO for a tape that breaks a property, and bring it down to a small one.

    What is found by chance is shown with as few faults, then context switches, entries and steps as could be come to.
    A search that finds nothing is incomplete (exit 3): chance proves nothing.
    """
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
    start = Start(found, name, dialect or DEFAULT, pairs(params), scenario)
    start.world(record=False)  # what is wrong with the variant, the dialect or a parameter is said before anything else
    bounds = Bounds(method, seed, runs, pct_depth, seconds, only, database)
    return run_search(start, bounds, Outputs(finding, timeline, sequence, graph, server, flush, as_json))


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
