"""``redelivery serve``: the model as a Redis server."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from pathlib import Path

import click

from ...models.dialects import DEFAULT, DIALECTS
from ..errors import BadInput, unknown
from ..wire.clock import RealClock, VirtualClock
from ..wire.faults import read_file
from ..wire.server import SocketServer
from .options import json_option
from .output import print_json
from .running import check_place


@click.command(
    epilog="Example:  redelivery serve --port 6380 --clock virtual --autojump --faults lost-acks.txt"
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=6379, show_default=True, help="0 takes a free one.")
@click.option("--unixsocket", type=Path, metavar="PATH", help="Listen on a Unix socket, too.")
@click.option("--dialect", default=DEFAULT, show_default=True, metavar="D", help="The server line to model.")
@click.option("--clock", type=click.Choice(["real", "virtual"]), default="real", show_default=True,
              help="virtual: time moves when SIM.CLOCK says so.")
@click.option("--autojump", is_flag=True,
              help="With --clock virtual: when every client is blocked, time jumps to where that ends.")
@click.option("--history", type=Path, metavar="FILE", help="Write what happened when the server ends, as JSON lines.")
@click.option("--faults", type=Path, metavar="FILE", help="What goes wrong: SIM.FAULT's words, one fault a line.")
@json_option
def command(
    host: str, port: int, unixsocket: Path | None, dialect: str, clock: str, autojump: bool,
    history: Path | None, faults: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Serve the model to any Redis client, over TCP or a Unix socket, until Ctrl-C.

    Prints 'ready PORT' when it listens, or with --json an object that tells the port. A test
    holds it by SIM.CLOCK, SIM.FAULT, SIM.HISTORY, SIM.CHECK and SIM.RESET.
    """
    if dialect not in DIALECTS:
        raise unknown("dialect", dialect, DIALECTS)
    if autojump and clock == "real":
        raise BadInput("--autojump needs --clock virtual: the machine's clock does not jump")
    if history is not None:
        check_place("history", history)
    server = SocketServer(
        dialect, VirtualClock() if clock == "virtual" else RealClock(), autojump=autojump, record=history is not None
    )
    for words in read_file(faults, server.faults.read):
        server.faults.add(words)
    _open_many_files()
    gc.freeze()
    gc.set_threshold(100_000)  # what the model makes holds no cycles, and looking for them takes its time
    try:
        asyncio.run(_serve(server, host, port, unixsocket, as_json))
    finally:
        if history is not None and server.recorder is not None:
            server.recorder.history.write(history)
    for note in server.faults.never_struck():
        click.echo(f"note: {note}", err=True)
    return 0


async def _serve(server: SocketServer, host: str, port: int, path: Path | None, as_json: bool) -> None:
    loop = asyncio.get_running_loop()
    try:
        await server.listen(host, port, path)
    except OSError as error:
        await server.close()
        where = f"--port {port} on {host}" if error.filename is None and not server.port else f"--unixsocket {path}"
        raise BadInput(f"cannot listen on {where}: {_reason(error)}") from error
    for number in (signal.SIGINT, signal.SIGTERM):
        if sys.platform != "win32":
            loop.add_signal_handler(number, server.ended.set)
    if as_json:
        ready = {"port": server.port, "unixsocket": None if path is None else str(path), "dialect": server.dialect.name}
        print_json(ready)
    else:
        click.echo(f"ready {server.port}")
    sys.stdout.flush()
    await server.ended.wait()
    await server.close()
    if path is not None:
        path.unlink(missing_ok=True)


def _open_many_files() -> None:
    """Each connection is an open file: as many as the machine lets us have (adjustOpenFilesLimit)."""
    try:
        import resource
    except ImportError:
        return  # Windows has no such limit
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).rpartition(": ")[2]
