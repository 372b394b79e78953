"""Times as a property of a user's own is shown them: they may be told, and nothing may depend on them.

A search looks at every state from its own present and cuts off idle times that no threshold tells apart. So the numbers
in its events are not those of a run, and a property that goes by them would be judged wrongly: that is found out here,
where it looks at one.
"""

from __future__ import annotations

from typing import Any, NoReturn

from ..watch import Monitor

TIMES = frozenset({"at_ms", "sent_ms", "server_ms", "again_ms", "delivered_ms", "idle_ms", "deadline_ms"})
"""The fields of events and facts that are times, or ages."""
SHIPPED = __name__.rpartition(".sim.")[0] + "."


class Looked(Exception):
    """Something was made to depend on a time."""


class Told(int):
    """A time that can be told in a message, and no more."""


def _looked(*operands: Any) -> NoReturn:
    raise Looked


_UNARY = ("abs", "bool", "ceil", "float", "floor", "hash", "index", "int", "invert", "neg", "pos", "round", "trunc")
_COMPARING = ("eq", "ge", "gt", "le", "lt", "ne")
_BINARY = ("add", "and", "divmod", "floordiv", "lshift", "mod", "mul", "or", "pow", "rshift", "sub", "truediv", "xor")
for _name in (*_UNARY, *_COMPARING, *_BINARY, *(f"r{_name}" for _name in _BINARY)):
    setattr(Told, f"__{_name}__", _looked)


def is_own(monitor: Monitor) -> bool:
    """Whether a monitor is somebody's own, and says nothing of times: what it makes of them has to be seen."""
    return not (monitor.server_times or monitor.unread or type(monitor).__module__.startswith(SHIPPED))


def told(event: Any) -> Any:
    """An event, or a fact, with all its times as such."""
    values = zip(event._fields, event, strict=True)
    changed: dict[str, Any] = {name: Told(value) for name, value in values if name in TIMES and value is not None}
    if "facts" in event._fields:
        changed["facts"] = tuple([told(fact) for fact in event.facts])
    return event._replace(**changed) if changed else event
