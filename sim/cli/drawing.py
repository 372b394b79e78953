"""``redelivery timeline``: draws a history."""

from __future__ import annotations

from pathlib import Path

import click

from . import output
from .options import json_option
from .recorded import history_of


@click.command(epilog="Example:  redelivery timeline crash.jsonl -o crash.svg")
@click.argument("history")
@click.option("-o", "--output", "target", type=Path, required=True, help="The file: .svg, .png, .pdf, .txt or .html.")
@click.option(
    "--theme", type=click.Choice(["light", "dark"]), default="light",
    help="On white paper, or on black; a page follows its reader's system.",
)
@json_option
def command(history: str, target: Path, theme: str, as_json: bool) -> int:
    """Draw HISTORY: a file that 'run --history' wrote, a finding, or a tape."""
    from ..check.check import unhindered
    from ..views.timeline import check_ending, draw
    from .running import check_place

    check_ending(target)
    check_place("timeline", target)
    with unhindered():
        draw(history_of(history), target, theme)
    if as_json:
        output.print_json({"history": history, "output": str(target), "bytes": target.stat().st_size})
    else:
        click.echo(f"wrote {target}")
    return 0
