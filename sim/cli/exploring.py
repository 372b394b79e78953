"""``redelivery explore``: a page on a live world."""

from __future__ import annotations

import signal
import sys
from threading import Thread
from types import FrameType
from typing import TYPE_CHECKING

import click

from ..catalogue import find
from ..errors import BadInput
from .options import json_option, pairs
from .output import print_json

if TYPE_CHECKING:
    from ..explore.pages import Pages


@click.command(epilog="Example:  redelivery explore crash-before-ack --variant broken")
@click.argument("scenario")
@click.option("--variant", metavar="V", help="The variant; 'repaired' where there is one.")
@click.option("--dialect", metavar="D", help="The server line to model; the variant's.")
@click.option("--param", "params", metavar="K=V", multiple=True, help="Sets a parameter of the scenario.")
@click.option("--tape", metavar="TAPE", help="Begin where this tape leads to, with its variant and all.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Where to listen; 0, the default: a free one.")
@json_option
def command(
    scenario: str, variant: str | None, dialect: str | None, params: tuple[str, ...], tape: str | None, port: int,
    as_json: bool,
) -> int:  # fmt: skip
    """Decide yourself what happens next in SCENARIO, on a page for the browser of this machine, until Ctrl-C.

    The page shows what can happen, what the checker knows of it, and the run so far; its address is the tape. Prints
    'ready PORT' when it listens, or with --json an object that tells the port and the address.
    """
    from ..check.schedules import Start
    from ..explore.explorer import Explorer
    from ..explore.pages import LOOPBACK, Pages
    from ..tape import parse

    given = pairs(params)
    if tape is not None:
        begun = parse(tape)
        variant, dialect, given = begun.variant, begun.dialect, dict(begun.params)
    found = find(scenario)
    explorer = Explorer(Start(found, variant or found.default_variant, dialect or "", given, scenario))
    fragment = "" if tape is None else f"#tape={tape}"
    explorer.look(tape or "")  # what is wrong with any of it is said before anybody looks
    try:
        pages = Pages(explorer, port)
    except OSError as error:
        raise BadInput(f"cannot listen on --port {port} of {LOOPBACK}: {error.strerror}") from error
    explorer.look_ahead()
    address = f"http://{LOOPBACK}:{pages.port}/{fragment}"
    if as_json:
        print_json({"port": pages.port, "url": address, "scenario": found.name, "variant": explorer.start.variant})
    else:
        click.echo(f"ready {pages.port}")
        click.echo(f"open {address}", err=True)
    sys.stdout.flush()
    _serve(pages)
    explorer.close()
    return 0


def _serve(pages: Pages) -> None:
    """Until Ctrl-C, or until somebody ends this process politely."""

    def end(number: int, frame: FrameType | None) -> None:
        Thread(target=pages.shutdown, daemon=True).start()  # it waits for the loop that this signal interrupts

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        pages.serve_forever(poll_interval=0.2)
    finally:
        pages.server_close()
        for number, handler in before.items():
            signal.signal(number, handler)
