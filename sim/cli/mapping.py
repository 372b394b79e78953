"""``redelivery map``: where a variant is safe, as two of its parameters change."""

from __future__ import annotations

from pathlib import Path

import click

from ..catalogue import find
from ..check.mapping import STEPS, STEPS_MAX, SafetyMap, parse_axis, survey
from ..check.mapping import as_json as values_of
from ..errors import BadInput
from ..run import build
from ..views.words import duration
from . import output
from .options import json_option, pairs
from .progress import Bar
from .running import check_place

ENDINGS = (".png", ".svg", ".pdf")


@click.command(
    epilog="Example:  redelivery map slow-handler-claimed --variant broken --x min_idle=1s..60s --y handler=1s..60s "
    "-o map.png"
)
@click.argument("scenario")
@click.option("--x", "across", metavar="NAME=LOW..HIGH", required=True, help="The parameter from left to right.")
@click.option("--y", "upwards", metavar="NAME=LOW..HIGH", required=True, help="The parameter from below to above.")
@click.option("--variant", metavar="V", help="The variant; 'repaired' where there is one.")
@click.option("--dialect", metavar="D", help="The server line to model; the variant's.")
@click.option("--param", "params", metavar="K=V", multiple=True, help="Sets another parameter of the scenario.")
@click.option(
    "--steps", type=click.IntRange(2, STEPS_MAX), default=STEPS, show_default=True, help="Points of the grid, each way."
)
@click.option("-o", "--output", "target", metavar="FILE", type=Path, help="Draw the map: .png, .svg or .pdf.")
@json_option
def command(
    scenario: str, across: str, upwards: str, variant: str | None, dialect: str | None, params: tuple[str, ...],
    steps: int, target: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Map where SCENARIO is safe while two parameters change: safe, duplicate, starved or lost.

    Every point of a grid is checked, with every interleaving and every fault; between two that differ the border is
    found exactly, by bisection along rows and columns. Times take a unit: 500ms, 2s, 1min, 1h.
    """
    found = find(scenario)
    name = variant or found.default_variant
    x, y = parse_axis(across, "--x", found), parse_axis(upwards, "--y", found)
    given = pairs(params)
    for swept in (x.name, y.name):
        if swept in given:
            raise BadInput(f"--param {swept}={given[swept]}: {swept} is swept already")
    modelled = dialect or found.variant(name).dialect
    if target is not None:
        if target.suffix.lower() not in ENDINGS:
            raise BadInput(f"cannot draw a map to {str(target)!r}: its ending must be one of {', '.join(ENDINGS)}")
        check_place("map", target)
    build(found, name, modelled, given, record=False)  # what is wrong with these is said before anything is checked
    with Bar("checks", None) as bar:
        done = survey(found, name, modelled, x, y, given, steps, bar.show)
        seconds = bar.seconds
    if target is not None:
        from ..views.map_picture import render

        target.write_bytes(render(done, target.suffix.lower()[1:]))
    if as_json:
        picture = None if target is None else str(target)
        output.print_json(values_of(done) | {"picture": picture, "seconds": round(seconds, 3)})
    else:
        _print(done, target, seconds)
    return 0


def _print(done: SafetyMap, target: Path | None, seconds: float) -> None:
    out = output.console()
    out.print(f"[bold]{done.scenario}[/], {done.variant}, {done.dialect}")

    def shown(name: str, value: int) -> str:
        return duration(value) if name.endswith("_ms") else str(value)

    for y in reversed(done.ys):
        parts = [
            f"{name} {shown(done.x.name, begin)} to {shown(done.x.name, end)}" for name, begin, end in done.row(y)
        ]
        out.print(f"  {done.y.name} {shown(done.y.name, y):>10}:  {done.x.name} {', '.join(parts)}", markup=False)
    for border in (b for b in done.borders if b.along == "y"):
        where = f"{done.x.name} {shown(done.x.name, border.at)}"
        last, first = shown(done.y.name, border.last), shown(done.y.name, border.first)
        out.print(
            f"  at {where}: {border.before} up to {done.y.name} {last}, {border.after} from {first}", markup=False
        )
    drawn = "" if target is None else f"; drawn to {target}"
    out.print(f"{len(done.labels)} checks in {seconds:.1f} s{drawn}", markup=False)
