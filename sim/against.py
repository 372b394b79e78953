"""A run, again, on a real server: which dialect to run, and what the comparison says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .history import History

if TYPE_CHECKING:
    from .real.address import Address
    from .real.replay import Outcome
    from .real.servers import ServerBinary


class Judge:
    """A real server that a run is held against."""

    def __init__(self, target: ServerBinary | Address, dialect: str, note: str = "") -> None:
        self._target, self._note = target, note
        self.dialect = dialect
        """What to model: the server's own dialect, or the nearest that there is."""

    def compare(self, history: History, *, flush: bool) -> Outcome:
        """Replays the run's commands there and compares every reply."""
        from .real.recording import script_of
        from .real.replay import replay

        outcome = replay(script_of(history), self._target, flush=flush)
        notes = (self._note, outcome.note, _of_another(history, outcome))
        return replace(outcome, note="; ".join(filter(None, notes)))


def _of_another(history: History, outcome: Outcome) -> str:
    """One line where replies differ and the run was not made for the server's own dialect."""
    mine = history.header.get("dialect")
    if not outcome.differences or mine in (None, outcome.dialect):
        return ""
    return (
        f"the run is of {mine} and the server of {outcome.dialect}: they may differ for that alone; compare it with a "
        f"server of {mine}, or run the scenario again with --dialect {outcome.dialect}"
    )


def compare(history: History, server: str, *, flush: bool = False) -> Outcome:
    """Replays a run's commands on a real server (``embedded``, an executable, a URL) and compares every reply."""
    from .real.servers import locate

    return Judge(locate(server), "").compare(history, flush=flush)


def judge(server: str, dialect: str | None, *, flush: bool = False) -> Judge:
    """The server that ``server`` names: ``embedded``, an installed one, an executable, or a URL.

    It is looked at now (`real/guard.py`), so that a server that cannot be used is refused before a run is made.
    ``RealServerError`` where no dialect is given and the model knows nothing near the server's.
    """
    from .real.guard import admit

    admitted = admit(server, dialect=dialect, flush=flush)
    return Judge(admitted.target, admitted.dialect, admitted.note)
