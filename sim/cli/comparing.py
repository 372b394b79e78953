"""``redelivery compare``: streams, lists and Pub/Sub through the same failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ...models.dialects import DEFAULT, DIALECTS
from ..errors import unknown
from . import output
from .options import json_option

if TYPE_CHECKING:
    from rich.console import Console

    from ..comparison.stores import RealStore
    from ..comparison.table import Table


@click.command(epilog="Example:  redelivery compare --against redis-7.0")
@click.option(
    "--against", metavar="SERVER",
    help="Measure on a real server, too: 'embedded', an installed one, a redis-server, or redis://host:port.",
)  # fmt: skip
@click.option("--flush", is_flag=True, help="Let --against empty a database that is not empty.")
@click.option("--dialect", metavar="D", help=f"The server line to model; {DEFAULT}, or that of --against.")
@json_option
def command(against: str | None, flush: bool, dialect: str | None, as_json: bool) -> int:
    """Compare streams, lists and Pub/Sub: the same producer, and workers that crash, are absent or slow.

    Every figure is measured, on the model and (with --against) on a real server: what was delivered, lost, and
    handled twice.
    """
    from ..comparison.stores import ModelStore, real_store
    from ..comparison.table import as_json as shown
    from ..comparison.table import differences, fill

    if dialect is not None and dialect not in DIALECTS:
        raise unknown("dialect", dialect, DIALECTS)
    if against is None:
        with _progress(1) as progress:
            table = fill(ModelStore(dialect or DEFAULT), progress)
        server, there, note, differ = None, None, "", []
        modelled = dialect or DEFAULT
    else:
        with real_store(against, dialect=dialect, flush=flush) as (server, note), _progress(2) as progress:
            modelled = server.dialect
            there = fill(server, progress)
            table = fill(ModelStore(modelled), progress)
        differ = differences(table, there)
    if as_json:
        value: dict[str, Any] = {"dialect": modelled, "table": shown(table)}
        if server is not None and there is not None:
            value["server"] = {"name": server.name, "version": server.version, "note": note, "table": shown(there)}
            value["differences"] = [{"situation": situation, "way": way} for situation, way in differ]
        output.print_json(value)
    else:
        _print(table, there, server, modelled, note, differ)
    return 1 if differ else 0


@contextmanager
def _progress(stores: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal, on standard error."""
    from rich.progress import Progress

    from ..comparison.situations import SITUATIONS
    from ..comparison.transports import TRANSPORTS

    console = output.console(err=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("comparing", total=stores * len(SITUATIONS) * len(TRANSPORTS))
        yield lambda: bar.advance(task)


def _print(
    table: Table, there: Table | None, server: RealStore | None, dialect: str, note: str,
    differ: list[tuple[str, str]],
) -> None:  # fmt: skip
    from ..comparison.situations import ENTRIES, SITUATIONS
    from ..comparison.table import FEATURES
    from ..comparison.transports import TRANSPORTS

    out = output.console()
    ways = [way.name for way in TRANSPORTS]
    out.print(f"[bold]{ENTRIES} entries a situation, on the model ({dialect})[/]\n")
    rows = [(name, [say(table, way) for way in ways], question) for name, (question, say) in FEATURES.items()]
    _lines(out, ways, rows)
    rows = []
    for each in SITUATIONS:
        found = (table[each.name][way] for way in ways)
        cells = [f"{cell.delivered} / {cell.lost} / {cell.duplicated}" for cell in found]
        rows.append((each.name, cells, each.summary))
    out.print("\ndelivered / lost / handled twice\n")
    _lines(out, ways, rows)
    out.print()
    if server is None or there is None:
        return
    who = f"{server.name} {server.version}"
    if not differ:
        out.print(f"[green]{who} gave the same numbers in all {len(SITUATIONS) * len(ways)}[/]")
    for situation, way in differ:
        out.print(f"[bold red]{situation}, {way}[/]")
        out.print(f"  model   {table[situation][way]}", markup=False)
        out.print(f"  {who}  {there[situation][way]}", markup=False)
    if note:
        out.print(f"  {note}", markup=False)


def _lines(out: Console, ways: list[str], rows: list[tuple[str, list[str], str]]) -> None:
    """A table whose lines may be longer than the terminal: figures are never cut."""
    table = [("", ways, ""), *rows]
    columns = zip(*([name, *cells] for name, cells, _ in table), strict=True)
    widths = [max(map(len, column)) for column in columns]
    for name, cells, summary in table:
        words = [text.ljust(width) for text, width in zip([name, *cells], widths, strict=True)]
        out.print("  ".join([*words, summary]).rstrip(), markup=False, style=None if name else "bold")
