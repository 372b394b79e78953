"""``redelivery servers``: the real servers at hand; ``redelivery servers install``: more of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from . import output
from .options import json_option

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from ..real.servers import ServerBinary


@click.group(invoke_without_command=True, epilog="Example:  redelivery servers install redis-7.0 valkey-9.1")
@json_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> int:
    """List the real servers at hand, the embedded one first; `install` brings more."""
    if context.invoked_subcommand is not None:
        context.obj = as_json
        return 0
    from ..real.servers import at_hand

    found = list(at_hand())
    if as_json:
        output.print_json({"servers": list(map(_row, found))})
        return 0
    out = output.console()
    width = max((len(server.name) for server in found), default=0)
    for server in found:
        what = f"{server.line} {server.version}"
        out.print(f"{server.name:<{width}}  {what:<15}  {server.path}", markup=False)
    if not found:
        out.print("no real server is at hand: `redelivery servers install` brings some", markup=False)
    return 0


@command.command(name="install", epilog="Example:  redelivery servers install redis-7.0 valkey-9.1")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--mirror", metavar="URL", help="Take packages from this mirror of Debian, not from that of apt.")
@json_option
@click.pass_obj
def install(before: bool | None, names: tuple[str, ...], mirror: str | None, as_json: bool) -> int:
    """Install real servers NAME... from Debian's packages into your own folder: no root, nothing outside of it.

    Without NAME, all of them: redis-6.0, redis-7.0, redis-8.0, redis-8.6, valkey-8.1, valkey-9.1. They need 25 MB each.
    What is installed already is left alone; what was interrupted goes on.
    """
    from ..real.debian.installing import install as bring
    from ..real.debian.offers import chosen
    from ..real.debian.sources import Mirror, keyrings

    offers = chosen(names)
    where = None if mirror is None else Mirror(mirror.rstrip("/"), keyrings())
    with _listening() as listener:
        done, failed = bring(offers, listener, mirror=where)
    if as_json or before:
        output.print_json(
            {"servers": list(map(_row, done)), "failed": [{"name": f.name, "reason": f.reason} for f in failed]}
        )
    else:
        out = output.console()
        for server in done:
            out.print(f"{server.name}: {server.line} {server.version} at {server.path}", markup=False)
    for failure in failed:
        click.echo(f"redelivery servers install: {failure.name}: {failure.reason}", err=True)
    return 2 if failed else 0


def _row(server: ServerBinary) -> dict[str, Any]:
    return {"name": server.name, "version": server.version, "path": str(server.path), "dialect": server.dialect}


@contextmanager
def _listening() -> Iterator[_Bars]:
    """A bar for what is being fetched, on a terminal; lines elsewhere. All of it on standard error."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description:<22}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = output.console(err=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        yield _Bars(progress)


class _Bars:
    """Shows how an installation comes along."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def begin(self, what: str, total: int) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(what, total=total or None)

    def at(self, count: int) -> None:
        if self._task is not None:
            self._progress.update(self._task, completed=count)

    def say(self, line: str) -> None:
        self._progress.console.print(line, markup=False)
