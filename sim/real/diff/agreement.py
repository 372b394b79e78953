"""Whether the model and a real server agree on a story: for tests that are pasted, and for trying things out."""

from __future__ import annotations

from ..address import Address
from ..errors import RealServerError
from ..guard import admit
from ..servers import EMBEDDED, ServerBinary, locate
from .bench import Bench
from .recorder import record
from .story import actions_of, config_of

__all__ = ["differences", "startable"]


def differences(story: str, server: str = EMBEDDED) -> list[str]:
    """Plays a story (`story.py` says how one is written) on the model and on a real server of its dialect.

    Returns a text for each reply that is not the same, with both answers; none where they agree. Raises
    `BadInput` for a line that is no action, `RealServerError` for a server that cannot be had.
    """
    lines = story.splitlines()
    actions = actions_of(lines)
    with Bench(startable(server)) as bench:
        found = bench.differences(record(bench.dialect, config_of(lines), actions))
    return [f"{one.command}: the model says {one.model}, {bench.binary.name} says {one.server}" for one in found]


def startable(server: str) -> ServerBinary:
    """A server by name or path that can be started here, and whose dialect the model has, or one near it."""
    found = locate(server)
    if isinstance(found, Address):
        raise RealServerError(f"{server} is a running server, whose clock cannot be set: name one to start")
    admit(found)
    return found
