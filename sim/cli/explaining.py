"""``redelivery why``: the causal chain of one entry."""

from __future__ import annotations

import click

from . import output
from .options import json_option
from .recorded import history_of


@click.command(epilog="Example:  redelivery why crash.jsonl 1 --at 5000")
@click.argument("history")
@click.argument("entry")
@click.option("--stream", metavar="S", help="The stream, where several have an entry of that name.")
@click.option("--group", metavar="G", help="The group, where the stream has several.")
@click.option("--at", "at_ms", metavar="MS", type=int, help="The time that is asked about; the end by default.")
@json_option
def command(history: str, entry: str, stream: str | None, group: str | None, at_ms: int | None, as_json: bool) -> int:
    """Tell why ENTRY is not acknowledged, or was handled twice: what led to it, step by step.

    HISTORY is a file that 'run --history' wrote, a finding, or a tape. ENTRY is an ID, or the number that the story
    gives it. Each step names the number of its event in the history.
    """
    from ..causes.why import explain

    explained = explain(history_of(history), entry, stream=stream, group=group, at_ms=at_ms)
    if as_json:
        output.print_json(explained.as_dict())
        return 0
    from ..views.words import duration

    out = output.console()
    about = explained.as_dict()
    of_group = "" if about["group"] is None else f" in group {about['group']}"
    out.print(f"entry {about['number']}: {about['entry']} of {about['stream']}{of_group}", markup=False, style="bold")
    for link in explained.chain:
        out.print(f"  {duration(link.at_ms):>10}  {link.text}  (event {link.event})", markup=False)
    if not explained.chain:
        out.print("  nothing happened to it yet", markup=False)
    out.print()
    out.print(explained.answer, markup=False)
    return 0
