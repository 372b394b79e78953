"""``redelivery sequence``: a run as a sequence chart."""

from __future__ import annotations

from pathlib import Path

import click

from . import output
from .options import json_option
from .recorded import history_of


@click.command(epilog="Example:  redelivery sequence crash.jsonl -o crash.mmd")
@click.argument("history")
@click.option("-o", "--output", "target", type=Path, help="The file: .txt, or .mmd for Mermaid.")
@json_option
def command(history: str, target: Path | None, as_json: bool) -> int:
    """Chart who asked the server for what, and what got lost: one lane for each process and one for the server.

    HISTORY is a file that 'run --history' wrote, a finding, or a tape.
    """
    from ..views.sequence import chart, draw, mermaid

    run = history_of(history)
    if target is not None:
        draw(run, target)
    if as_json:
        output.print_json({"history": history, "chart": chart(run), "mermaid": "\n".join(mermaid(run))})
    elif target is not None:
        click.echo(f"wrote {target}")
    else:
        for line in chart(run):
            click.echo(line)
    return 0
