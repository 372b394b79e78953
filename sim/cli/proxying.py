"""``redelivery proxy``: between any client and a real server."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path
from typing import Any

import click

from ...models.dialects import DIALECTS
from ..errors import BadInput, unknown
from ..proxy.proxy import Proxy
from ..real.address import Address, is_url, parse_url
from ..real.connection import Connection
from ..real.identity import identify
from ..real.values import parse
from ..wire.faults import read_file
from .options import json_option
from .output import console, print_json
from .running import check_place


@click.command(
    epilog="Example:  redelivery proxy --to redis://localhost:6379 --port 6380 --history shop.jsonl "
    "--property no-entry-lost"
)
@click.option("--to", "to", required=True, metavar="URL", help="The real server: redis://host:port or unix://path.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=6380, show_default=True, help="0 takes a free one.")
@click.option("--dialect", metavar="D", help="The server line to follow it with; the server's own.")
@click.option("--history", type=Path, metavar="FILE", help="Write what happened when the proxy ends, as JSON lines.")
@click.option("--faults", type=Path, metavar="FILE", help="What goes wrong: SIM.FAULT's words, one fault a line.")
@click.option("--property", "properties", multiple=True, metavar="NAME",
              help="Hold this property against what happened, too; again for more. The server's invariants always are.")
@json_option
def command(
    to: str, host: str, port: int, dialect: str | None, history: Path | None, faults: Path | None,
    properties: tuple[str, ...], as_json: bool,
) -> int:  # fmt: skip
    """Pass commands on to a real server, write down what happened, and let links fail, until Ctrl-C.

    Prints 'ready PORT' when it listens. Clients connect to that port as to the server itself. The
    model follows the server, so the history holds facts; where the server answers otherwise than
    the model, the report at the end says so. Clients may send SIM.FAULT, SIM.HISTORY and SIM.CHECK.
    """
    if not is_url(to):
        raise BadInput(f"--to {to}: a server's URL starts with redis:// or unix://")
    if dialect is not None and dialect not in DIALECTS:
        raise unknown("dialect", dialect, DIALECTS)
    if history is not None:
        check_place("history", history)
    wanted = read_file(faults)
    address = parse_url(to)
    about, ahead_ms, keys = _look_at(address)
    if dialect is None and about not in DIALECTS:
        raise BadInput(f"{address} is {about}, which the model does not know; name the nearest with --dialect: "
                       f"{', '.join(DIALECTS)}")
    proxy = Proxy(address, dialect or about, ahead_ms)
    proxy.recorder.check(properties)  # a name that there is not is told now
    for words in wanted:
        proxy.faults.add(words)
    try:
        asyncio.run(_serve(proxy, host, port, as_json))
    finally:
        if history is not None:
            proxy.recorder.history.write(history)
    return _report(proxy, properties, history, keys, as_json=as_json)


def _look_at(address: Address) -> tuple[str, int, int]:
    """The server's dialect, how far its clock is ahead of this machine's in ms, and how many keys it holds."""
    with Connection(address) as connection:
        about = identify(connection)
        before = time.time_ns()
        said: Any = parse(connection.call(b"TIME"))
        here_ms = (before + time.time_ns()) // 2_000_000
        keys: Any = parse(connection.call(b"DBSIZE"))
    there_ms = int(said[0]) * 1000 + int(said[1]) // 1000
    ahead_ms = there_ms - here_ms
    return about.dialect, ahead_ms if abs(ahead_ms) > 1 else 0, keys


async def _serve(proxy: Proxy, host: str, port: int, as_json: bool) -> None:
    loop = asyncio.get_running_loop()
    try:
        await proxy.listen(host, port)
    except OSError as error:
        raise BadInput(f"cannot listen on --port {port} on {host}: {error.strerror or error}") from error
    for number in (signal.SIGINT, signal.SIGTERM):
        if sys.platform != "win32":
            loop.add_signal_handler(number, proxy.ended.set)
    click.echo(f"ready {proxy.port}", err=as_json)
    sys.stdout.flush()
    await proxy.ended.wait()
    await proxy.close()


def _report(proxy: Proxy, properties: tuple[str, ...], history: Path | None, keys: int, *, as_json: bool) -> int:
    """Says what was seen; 1 where a property is violated, 3 where the model could not follow, else 0."""
    follower = proxy.follower
    looked_at, violations = proxy.recorder.check(properties)
    notes = []
    if keys:
        notes.append(f"the server held {keys} keys before: of these the model knows nothing")
    if follower.unfollowed:
        names = ", ".join(f"{name} ({count})" for name, count in sorted(follower.unfollowed.items()))
        notes.append(f"not followed, for the model does not know them: {names}")
    if proxy.unseen:
        notes.append(f"passed on without a look, after {', '.join(proxy.unseen)}")
    if proxy.unreachable:
        notes.append(f"the server could not be reached: {proxy.unreachable}")
    if follower.differing:
        notes.append(f"{follower.differing} answers differ from the model's: the history may be wrong after the first")
    notes += proxy.faults.never_struck()
    if as_json:
        print_json({
            "server": str(proxy.upstream), "dialect": follower.model.dialect.name, "connections": proxy.accepted,
            "commands": follower.commands, "events": len(proxy.recorder.history), "properties": looked_at,
            "violations": [violation._asdict() for violation in violations],
            "differences": [difference._asdict() for difference in follower.differences],
            "faults": [fault.line() for fault in proxy.faults.all], "notes": notes,
            "history": None if history is None else str(history),
        })  # fmt: skip
    else:
        page = console()
        events = len(proxy.recorder.history)
        page.print(f"{follower.commands} commands of {proxy.accepted} connections; {events} events")
        for fault in proxy.faults.all:
            page.print(f"fault: {fault.line()}", markup=False)
        for violation in violations:
            page.print(f"[bold red]violated[/] {violation.property}", end=" ")
            page.print(f"at {violation.at_ms} ms: {violation.message}", markup=False)
        if not violations:
            page.print(f"[green]holds[/]: {', '.join(looked_at)}")
        for difference in follower.differences[:5]:
            page.print(f"differs: {difference.command}\n  model  {difference.model}\n  server {difference.server}",
                       markup=False)
        for note in notes:
            page.print(f"note: {note}", markup=False)
    return 1 if violations else 3 if notes and (follower.differing or follower.unfollowed) else 0
