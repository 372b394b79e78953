"""``redelivery import``: a history from the log of a real server."""

from __future__ import annotations

from pathlib import Path

import click

from ...models.dialects import DEFAULT, DIALECTS
from ..errors import BadInput, unknown
from ..logs.given_ids import GivenIds
from ..logs.monitor_lines import lines_of
from ..logs.postmortem import Postmortem
from ..logs.snapshot import read_snapshot
from .options import json_option
from .output import console, print_json
from .running import check_place


@click.command(
    epilog="Example:  redelivery import monitor.log --before orders=before.json --after orders=after.json -o shop.jsonl"
)
@click.argument("log", type=Path)
@click.option("-o", "--output", "target", type=Path, metavar="FILE", help="Write the history, as JSON lines.")
@click.option("--before", multiple=True, metavar="KEY=FILE", help="What a stream was before the log; again for more.")
@click.option("--after", multiple=True, metavar="KEY=FILE", help="What a stream was after it, to check the history by.")
@click.option("--dialect", default=DEFAULT, show_default=True, metavar="D", help="The server line that wrote the log.")
@click.option("--property", "properties", multiple=True, metavar="NAME",
              help="Hold this property against what happened, too; again for more. The server's invariants always are.")
@json_option
def command(
    log: Path, target: Path | None, before: tuple[str, ...], after: tuple[str, ...], dialect: str,
    properties: tuple[str, ...], as_json: bool,
) -> int:  # fmt: skip
    """Build a history from LOG, which 'redis-cli MONITOR' wrote, for 'timeline' and 'why'.

    The model runs the log again. FILE of --before and --after is what 'redis-cli --json XINFO
    STREAM key FULL COUNT 0' printed. Commands that scripts sent are in the log; what a client was
    answered is not, so --after tells whether the history is the server's.
    """
    if dialect not in DIALECTS:
        raise unknown("dialect", dialect, DIALECTS)
    if target is not None:
        check_place("history", target)
    try:
        text = log.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read the log {log}: {error.strerror}") from error
    lines = list(lines_of(text, str(log)))
    if not lines:
        raise BadInput(f"{log} holds no line of MONITOR")
    first, last = [read_snapshot(one) for one in before], [read_snapshot(one) for one in after]
    played = Postmortem(dialect, first, lines[0].at_ms, GivenIds(lines, [*first, *last]))
    played.recorder.check(properties)  # a name that there is not is told now
    played.play(lines)
    differences = played.differences(last, lines[-1].at_ms)
    looked_at, violations = played.recorder.check(properties)
    history = played.recorder.history
    if target is not None:
        history.write(target)
    notes = [f"not followed, for the model does not know it: {name} ({n})" for name, n in played.unfollowed.items()]
    if played.refused:
        notes.append(f"{played.refused} commands are answered with an error")
    if not before:
        notes.append("nothing is known of what was there before the log: --before KEY=FILE tells it")
    if as_json:
        print_json({
            "log": str(log), "dialect": dialect, "commands": played.commands, "events": len(history),
            "properties": looked_at, "violations": [violation._asdict() for violation in violations],
            "differences": differences, "notes": notes, "history": None if target is None else str(target),
        })  # fmt: skip
    else:
        page = console()
        page.print(f"{played.commands} commands, {len(history)} events, "
                   f"{lines[-1].at_ms - lines[0].at_ms:,} ms" + (f"; wrote {target}" if target else ""))
        for violation in violations:
            page.print(f"[bold red]violated[/] {violation.property}", end=" ")
            page.print(f"at {violation.at_ms} ms: {violation.message}", markup=False)
        if not violations:
            page.print(f"[green]holds[/]: {', '.join(looked_at)}")
        for text_of in (*(f"differs: {one}" for one in differences), *(f"note: {one}" for one in notes)):
            page.print(text_of, markup=False)
    return 1 if violations else 3 if differences or played.unfollowed else 0
