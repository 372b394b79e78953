"""``redelivery diff --exhaustive DEPTH``: every command in every reachable state, on the model and on real servers."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInput
from . import output

if TYPE_CHECKING:
    from ..real.exhaustive.search import Exploration, Progress
    from ..real.servers import ServerBinary

SHOWN_MAX = 3


def exhaust(
    servers: Sequence[ServerBinary], depth: int, *, workers: int | None, checkpoint: Path | None,
    resume: Path | None, record: Path | None = None, as_json: bool,
) -> int:  # fmt: skip
    """Explores each server in turn, and prints what was found. The exit code: 1 where anything differs."""
    from ..real.diff.records import Record, remember
    from ..real.exhaustive.search import explore

    if (checkpoint or resume) and len(servers) > 1:
        raise BadInput("a checkpoint is about one server: name it with --server")
    found = []
    for binary in servers:
        with _progress(f"{binary.name} {binary.version}") as progress:
            done = explore(
                binary, depth, workers=workers or os.cpu_count() or 1, checkpoint=checkpoint, resume=resume,
                progress=progress,
            )  # fmt: skip
        found.append(done)
        if record is not None and not done.differing:
            remember(record, Record(done.dialect, done.version, depth=depth, edges=done.edges))
        if not as_json:
            _print(done)
    if as_json:
        output.print_json({"depth": depth, "servers": [_as_json(done) for done in found]})
    return 1 if any(done.differing for done in found) else 0


@contextmanager
def _progress(title: str) -> Iterator[Callable[[Progress], None] | None]:
    """A bar on a terminal, on standard error: the states done of those known so far."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(),
               TextColumn("{task.completed:,.0f} of {task.total:,.0f} states known, {task.fields[edges]:,} edges"),
               TimeElapsedColumn())  # fmt: skip
    with Bars(*columns, console=output.console(err=True), transient=True) as bars:
        task = bars.add_task(title, total=1, edges=0)

        def show(at: Progress) -> None:
            what = f"{title}, depth {at.depth}" + (f", {at.differing} differences" if at.differing else "")
            bars.update(task, description=what, completed=at.expanded, total=at.known, edges=at.edges)

        yield show


def _as_json(done: Exploration) -> dict[str, Any]:
    return {
        "name": done.name,
        "version": done.version,
        "dialect": done.dialect,
        "note": done.note,
        "commands": done.edges,
        "letters": done.letters,
        "states": done.states,
        "states_by_depth": list(done.states_by_depth),
        "edges": done.edges,
        "seconds": round(done.wall_s, 3),
        "coverage": done.coverage,
        "differing": done.differing,
        "differences": [asdict(one) | {"command": one.command} for one in done.differences],
    }


def _print(done: Exploration) -> None:
    out = output.console()
    rate = done.edges / done.wall_s if done.wall_s else 0.0
    style = "red" if done.differing else "green"
    said = f"{done.differing:,} differences" if done.differing else "no difference"
    rows = sum(len(outcomes) for options in done.coverage.values() for outcomes in options.values())
    out.print(
        f"[bold]{done.name}[/] {done.version}: [{style}]{said}[/] in {done.edges:,} edges: {done.letters} commands in "
        f"each of {done.states:,} states, within {done.depth} commands of the empty server"
    )
    out.print(
        f"  coverage: {rows:,} rows of command × option × outcome met; {done.wall_s:,.1f} s, {rate:,.0f} edges/s"
    )
    if done.note:
        out.print(f"  {done.note}", markup=False)
    for number, one in enumerate(done.differences[:SHOWN_MAX], 1):
        out.print(f"\n[bold red]difference {number}[/], in the {one.about}")
        for line in one.commands:
            out.print(f"  redis-cli> {line}", markup=False)
        out.print(f"  model   {one.model}", markup=False)
        out.print(f"  server  {one.server}", markup=False)
        if one.where:
            out.print(f"  they part at {one.where}", markup=False)
    if done.differing > SHOWN_MAX:
        more = done.differing - min(SHOWN_MAX, len(done.differences))
        out.print(f"\n  … and {more:,} more; --json has the first {len(done.differences)}")
