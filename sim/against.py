"""A run, again, on a real server: which dialect to run, and what the comparison says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..models.dialects import DIALECTS
from .errors import BadInput
from .history import History

if TYPE_CHECKING:
    from .real.address import Address
    from .real.replay import Outcome
    from .real.servers import ServerBinary


class Judge:
    """A real server that a run is held against."""

    def __init__(self, target: ServerBinary | Address, dialect: str) -> None:
        self._target = target
        self.dialect = dialect
        """What the server says that it is."""

    def compare(self, history: History, *, flush: bool) -> Outcome:
        """Replays the run's commands there and compares every reply."""
        from .real.recording import script_of
        from .real.replay import replay

        return replay(script_of(history), self._target, flush=flush)


def compare(history: History, server: str, *, flush: bool = False) -> Outcome:
    """Replays a run's commands on a real server (``embedded``, an executable, a URL) and compares every reply."""
    from .real.servers import locate

    return Judge(locate(server), "").compare(history, flush=flush)


def judge(server: str, dialect: str | None) -> Judge:
    """The server that ``server`` names: ``embedded``, an executable, or a URL.

    ``BadInput`` where no dialect is given and the model does not know the server's.
    """
    from .real.address import Address
    from .real.connection import Connection
    from .real.identity import identify
    from .real.servers import locate

    target = locate(server)
    if isinstance(target, Address):
        with Connection(target) as connection:
            found = identify(connection).dialect
    else:
        found = target.dialect
    if dialect is None and found not in DIALECTS:
        raise BadInput(
            f"{server} is {found}, which is not modelled; give --dialect to compare it with one of: "
            f"{', '.join(DIALECTS)}"
        )
    return Judge(target, dialect or found)
