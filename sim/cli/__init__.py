"""The command line: ``redelivery VERB``. Each verb is loaded when it is asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from ..errors import RedeliveryError
from .verbs import LazyGroup

VERBS = {
    "list": ("listing", "the scenarios that there are"),
    "run": ("running", "simulate one tape of a scenario"),
    "check": ("checking", "try every interleaving and every fault, or search by chance"),
    "replay": ("replaying", "run a tape again"),
    "show": ("showing", "tell what a scenario is about"),
    "map": ("mapping", "tell where a scenario is safe as two of its parameters change"),
    "why": ("explaining", "tell why an entry is not acknowledged, or was handled twice"),
    "timeline": ("drawing", "draw a history"),
    "contrast": ("contrasting", "tell where two runs part, in words and in a picture"),
    "export": ("exporting", "write a run for other tools: Perfetto, OpenTelemetry, a table, a diagram"),
    "sequence": ("sequencing", "chart a run: who asked the server for what"),
    "diff": ("differing", "compare the model with real servers, reply by reply"),
    "compare": ("comparing", "streams, lists and Pub/Sub through the same failures"),
    "explore": ("exploring", "decide yourself what happens next, on a page"),
    "serve": ("serving", "the model as a Redis server, for any client"),
    "proxy": ("proxying", "between any client and a real server"),
    "import": ("importing", "build a history from the MONITOR log of a real server"),
    "verify": ("verifying", "a worker framework, unmodified, through everything that may go wrong"),
    "servers": ("real_servers", "the real servers at hand; install more"),
}


@click.group(
    cls=LazyGroup,
    verbs=VERBS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example:  redelivery run crash-before-ack --variant broken --timeline crash.svg",
)
@click.version_option(package_name="redelivery")
def cli() -> None:
    """Simulate Redis Streams consumer groups, and confirm what you find on a real Redis.

    Exit codes: 0 as declared; 1 not as declared, or a difference to a real server; 2 bad usage or bad input; 3
    incomplete.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits with its code."""
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # a console script does not look there; last, it hides nothing
    try:
        code = cli.main(
            args=None if arguments is None else list(arguments), prog_name="redelivery", standalone_mode=False
        )
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.Abort:
        click.echo("redelivery: stopped", err=True)
        code = 130
    except click.ClickException as error:
        command = getattr(error, "ctx", None)
        path = command.command_path if command is not None else "redelivery"
        click.echo(f"{path}: {error.format_message()}", err=True)
        code = 2
    except RedeliveryError as error:
        click.echo(f"redelivery: {' '.join(str(error).split())}", err=True)
        code = 2
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has gone; saying so would fail again
        code = 0
    sys.exit(code if isinstance(code, int) else 0)
