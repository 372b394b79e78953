"""``redelivery contrast``: two runs side by side, and where they part."""

from __future__ import annotations

from pathlib import Path

import click

from . import output
from .options import json_option
from .recorded import history_of


@click.command(epilog="Example:  redelivery contrast before.jsonl after.jsonl -o parting.svg")
@click.argument("first")
@click.argument("second")
@click.option("-o", "--output", "target", type=Path, help="A picture of both: .svg, .png or .pdf.")
@click.option("--theme", type=click.Choice(["light", "dark"]), default="light", help="On white paper, or on black.")
@json_option
def command(first: str, second: str, target: Path | None, theme: str, as_json: bool) -> int:
    """Tell where two runs part: before and after a fix, in two dialects, with two seeds.

    FIRST and SECOND are files that 'run --history' wrote, findings, or tapes. They are aligned on causal order, process
    by process; when a thing happened, and reads that found nothing, make no difference. Exits with 1 where they differ.
    """
    from ..views.contrast import contrast, told

    if target is not None:
        from ..views.pair import check_ending

        check_ending(target)
    one, two = history_of(first), history_of(second)
    found = contrast(one, two)
    if target is not None:
        from ..views.pair import draw_pair

        draw_pair(one, two, found, target, theme)
    if as_json:
        output.print_json({"first": first, "second": second, "output": target and str(target), **found.as_dict()})
    else:
        for line in told(found):
            click.echo(line)
        if target is not None:
            click.echo(f"\nwrote {target}")
    return 0 if found.parting is None else 1
