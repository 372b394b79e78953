"""Commands that no process of a scenario can send, each with what to do instead.

A refusal is no verdict: an error in the server's place would make any program look broken that is not.
"""

from __future__ import annotations

from ..models.commands import table_beside
from ..models.commands.table import EVERY

_LISTENS = (
    "no process of a scenario listens to a connection, so that messages would reach nobody; simulate the program as it "
    "is, with @redelivery.simulate or redelivery verify, where Pub/Sub is as on a server"
)
_AS_IT_IS = "simulate the program as it is, with @redelivery.simulate or redelivery verify"
_SCRIPTED = (
    "a scenario runs no scripts in Lua; put what the script does into an async function and call it with "
    f"redelivery.atomic, or {_AS_IT_IS}, where scripts run"
)

_OF_ITS_OWN = {
    b"SUBSCRIBE": _LISTENS,
    b"PSUBSCRIBE": _LISTENS,
    b"WATCH": "a process has no connection of its own that could watch a key; put what belongs together into "
    f"redelivery.atomic, or {_AS_IT_IS}",
}
"""Commands that need a connection which remembers them."""
_SCRIPTS = frozenset({b"EVAL", b"EVALSHA", b"EVAL_RO", b"EVALSHA_RO", b"SCRIPT", b"FCALL", b"FCALL_RO", b"FUNCTION"})
_KNOWN = frozenset(row.name.encode() for row in (*EVERY, *table_beside.ROWS))
"""The commands of any dialect. What a dialect lacks is answered as its servers do: a program may go by that."""

SENDABLE = _KNOWN - _OF_ITS_OWN.keys()
"""What can be sent, in capitals."""


def instead_of(name: bytes) -> str | None:
    """What to do instead of a command, by its name in capitals; ``None`` where it can be sent."""
    if name in _KNOWN:
        return _OF_ITS_OWN.get(name)
    if name in _SCRIPTS:
        return _SCRIPTED
    return "the model has no such command, so that nothing can be said of what comes of it: leave it out"
