"""``redelivery export``: a run for another tool."""

from __future__ import annotations

from pathlib import Path

import click

from . import output
from .options import json_option
from .recorded import history_of


@click.command(epilog="Example:  redelivery export crash.jsonl -o crash.json    (then open it in Perfetto's viewer)")
@click.argument("history")
@click.option("-o", "--output", "target", type=Path, required=True, help="The file: .json, .csv, .parquet or .mmd.")
@click.option(
    "--form",
    type=click.Choice(["trace", "spans", "csv", "parquet", "mermaid"]),
    help="trace: events for Perfetto; spans: OpenTelemetry, as OTLP's JSON; csv, parquet: one row an event; mermaid: a "
    "diagram.",
)
@json_option
def command(history: str, target: Path, form: str | None, as_json: bool) -> int:
    """Write HISTORY for another tool: a trace, spans, a table or a diagram.

    HISTORY is a file that 'run --history' wrote, a finding, or a tape. Without --form the ending decides: .json is a
    trace, .csv and .parquet (which needs pyarrow: the extra 'parquet') a table, .mmd a diagram.
    """
    from ..exports.files import form_of, write

    chosen = form_of(target, form)
    size = write(history_of(history), target, chosen)
    if as_json:
        output.print_json({"history": history, "output": str(target), "form": chosen, "bytes": size})
    else:
        click.echo(f"wrote {target}")
    return 0
