"""``redelivery show``: what a scenario is about, the story that shows it, and its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..catalogue import find, shipped
from ..errors import BadInput
from ..run import simulate
from ..scenario import BROKEN, Scenario
from . import output
from .options import json_option, pairs
from .progress import Bar
from .running import check_place

if TYPE_CHECKING:
    from ..run import Run

FORMS = ("svg", "png", "pdf", "txt")
COLUMNS = 4


@click.command(epilog="Example:  redelivery show crash-before-ack --pictures pictures/")
@click.argument("scenario", required=False)
@click.option("--variant", metavar="V", help="The variant whose story is told; 'broken' where there is one.")
@click.option("--dialect", metavar="D", help="The server line to model; the variant's.")
@click.option("--param", "params", metavar="K=V", multiple=True, help="Sets a parameter of the scenario.")
@click.option("--seed", type=int, help="Tell the run that this draws, instead of the smallest counterexample.")
@click.option("--pictures", metavar="FOLDER", type=Path, help="Draw the timeline of every variant to this folder.")
@click.option("--form", type=click.Choice(FORMS), default="svg", show_default=True, help="What --pictures draws.")
@click.option(
    "--sheet", metavar="FILE", type=Path,
    help="Draw the timelines of all variants that break, of SCENARIO or of the whole catalogue, on one .png.",
)  # fmt: skip
@click.option("--columns", type=click.IntRange(1, 12), default=COLUMNS, show_default=True, help="Columns of --sheet.")
@click.option("--theme", type=click.Choice(["light", "dark"]), default="light", help="On white paper, or on black.")
@json_option
def command(
    scenario: str | None, variant: str | None, dialect: str | None, params: tuple[str, ...], seed: int | None,
    pictures: Path | None, form: str, sheet: Path | None, columns: int, theme: str, as_json: bool,
) -> int:  # fmt: skip
    """Tell what SCENARIO is about: intent, evidence, variants, advice, and a story with its pictures.

    The story is that of the smallest counterexample of a variant that breaks, or of the default run of one that
    holds; --seed tells another run.
    """
    if sheet is not None:
        _check_sheet(sheet)
    if scenario is None:
        if sheet is None:
            raise BadInput("show takes a SCENARIO, or --sheet FILE for the pictures of all of them")
        return _sheet_alone([each.name for each in shipped()], sheet, columns, theme, as_json)
    found = find(scenario)
    name = variant or (BROKEN if BROKEN in found.variants else found.default_variant)
    given = pairs(params)
    if pictures is not None:
        _check_folder(pictures)
    if seed is None:
        from ..check.exemplar import exemplar

        run = exemplar(found, name, dialect=dialect, params=given, reference=scenario)
    else:
        run = simulate(found, name, dialect=dialect, seed=seed, params=given, reference=scenario)
    drawn = [] if pictures is None else _draw_all(found, scenario, run, given, pictures, form, theme)
    if sheet is not None:
        _draw_sheet([scenario], sheet, columns, theme)
        drawn.append(str(sheet))
    value = _as_json(found, run, drawn)
    if as_json:
        output.print_json(value)
    else:
        _print(found, value, seed)
    return 0


def _check_sheet(sheet: Path) -> None:
    if sheet.suffix.lower() != ".png":
        raise BadInput(f"cannot draw the sheet to {str(sheet)!r}: its ending must be .png")
    check_place("sheet", sheet)


def _check_folder(folder: Path) -> None:
    """A folder that is not there yet is made; whatever else is in its place is refused."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"cannot write pictures to {folder}: {error.strerror}") from error


def _draw_all(
    found: Scenario, reference: str, told: Run, given: dict[str, str], folder: Path, form: str, theme: str
) -> list[str]:
    """The timeline of each variant: of the run that is told, and of the others what shows them."""
    from ..check.exemplar import exemplar
    from ..views.timeline import draw

    paths = []
    with Bar("drawing", len(found.variants)) as bar:
        for number, name in enumerate(found.variants):
            bar.show(number, name)
            same = name == told.variant_name
            run = told if same else exemplar(found, name, params=given, reference=reference)
            path = folder / f"{found.name}-{name}.{form}"
            draw(run.history, path, theme)
            paths.append(str(path))
    return paths


def _sheet_alone(references: Sequence[str], sheet: Path, columns: int, theme: str, as_json: bool) -> int:
    names = _draw_sheet(references, sheet, columns, theme)
    if as_json:
        output.print_json({"sheet": str(sheet), "variants": names})
    else:
        output.console().print(f"{len(names)} variants that break, drawn to {sheet}", markup=False)
    return 0


def _draw_sheet(references: Sequence[str], sheet: Path, columns: int, theme: str) -> list[str]:
    """Draws what breaks on one picture; the scenarios and variants in the order in which they stand there."""
    from ..check.exemplar import exemplar
    from ..views.contact import contact_sheet
    from ..views.draw import render
    from ..views.palette import theme_named

    todo = [
        (reference, name)
        for reference in references
        for name, variant in find(reference).variants.items()
        if variant.violates is not None
    ]
    if not todo:
        raise BadInput(f"no variant of {', '.join(references)} is declared to break: there is nothing to draw")
    tiles, colours = [], theme_named(theme)
    with Bar("drawing", len(todo)) as bar:
        for number, (reference, name) in enumerate(todo):
            bar.show(number, f"{reference} {name}")
            tiles.append(render(exemplar(find(reference), name, reference=reference).history, "png", colours))
    sheet.write_bytes(contact_sheet(tiles, min(columns, len(tiles)), colours.paper))
    return [f"{reference} {name}" for reference, name in todo]


def _as_json(found: Scenario, run: Run, pictures: list[str]) -> dict[str, Any]:
    from ..views.story import tell

    return {
        "name": found.name, "summary": found.summary, "evidence": found.evidence, "advice": found.advice,
        "variants": [
            {
                "name": name, "summary": each.summary, "declared": each.declared, "states": each.states,
                "dialects": list(each.dialects), "safeguards": {key: w.breaks for key, w in each.safeguards.items()},
            }
            for name, each in found.variants.items()
        ],
        "variant": run.variant_name, "declared": run.variant.declared, "dialect": run.dialect, "verdict": run.verdict,
        "violations": [violation._asdict() for violation in run.violations],
        "story": tell(run.history), "tape": str(run.tape), "pictures": pictures,
    }  # fmt: skip


def _print(found: Scenario, value: dict[str, Any], seed: int | None) -> None:
    out = output.console()
    out.print(f"[bold]{found.name}[/]")
    for text in (found.summary, found.evidence and f"Seen: {found.evidence}.", found.advice):
        if text:
            out.print(text, markup=False)
    for each in value["variants"]:
        out.print(f"  {each['name']}: {each['summary']}; declared: {each['declared']}", markup=False)
        for safeguard, breaks in each["safeguards"].items():
            out.print(f"      without {safeguard.replace('-', ' ')}: {breaks} breaks", markup=False)
    shown = "smallest counterexample" if value["violations"] else "default run"
    what = shown if seed is None else f"seed {seed}"
    out.print(f"\n[bold]The story of {value['variant']}, {what}[/]")
    for line in value["story"]:
        out.print(line, markup=False)
    for path in value["pictures"]:
        out.print(f"picture    {path}", markup=False)
