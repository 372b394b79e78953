"""A fault of the model that can be switched on: lines of one function, or one field of a dialect.

Nothing of it is in the model: a function gets other code for as long as the fault is on, a dialect another value.
A fault fails loudly when the line that it is about has moved.
"""

from __future__ import annotations
import __future__

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import CodeType, FunctionType
from typing import Any, TypeAlias

from redelivery.models import ids
from redelivery.models.commands import call, stream_ids
from redelivery.models.commands.table import TABLE
from redelivery.models.dialects import DIALECTS
from redelivery.sim.real.diff.worlds import Taste

Function: TypeAlias = Callable[..., Any]

MEMOS: tuple[Any, ...] = (
    ids.show,
    call.need_integer,
    stream_ids.strict_id,
    stream_ids.range_start,
    stream_ids.range_end,
)
"""What the model remembers of pure functions: a fault must not find it, nor leave anything there."""


@dataclass(frozen=True)
class Lines:
    """Lines of one function, ``old`` for ``new``."""

    function: Function
    old: str
    new: str


@dataclass(frozen=True)
class Flip:
    """One field of a dialect has another value, as if the server were of another line."""

    field: str
    value: Any


@dataclass(frozen=True)
class Bug:
    """A wrong model that somebody has written, or believed in, before.

    ``mirrors`` is the thread that tells of the mistake, or the double or the release that makes it. ``dialects``
    are those of servers that can tell; the first that is at hand is asked. ``taste`` is what the search for it
    is fond of; ``clock`` is how often the clock moves next, of 1000 cases, and
    ``run`` after how many commands it begins with an empty server again, having looked at the state.
    """

    name: str
    says: str
    mirrors: str
    fault: Lines | Flip
    dialects: tuple[str, ...] = ("redis-6.2", "redis-6.0", "redis-7.0")
    taste: Taste = Taste()  # noqa: RUF009
    clock: int = 200
    run: int = 80
    apart: bool = False
    """Whether a campaign that is fond of nothing asks nothing of the kind."""


def code_of(function: Function, old: str, new: str) -> CodeType:
    """The code of a function with ``new`` in the place of ``old``, which stands once in its source."""
    assert isinstance(function, FunctionType)
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in {function.__qualname__}"
    tree = ast.parse(source.replace(old, new))
    outer = compile(tree, f"<{function.__qualname__}, seeded>", "exec", __future__.annotations.compiler_flag)
    (code,) = (constant for constant in outer.co_consts if isinstance(constant, CodeType))
    return code


@contextmanager
def switched_on(bug: Bug, dialect: str) -> Iterator[None]:
    """The model with the bug in it, in the dialect."""
    fault = bug.fault
    if isinstance(fault, Lines):
        function: Any = fault.function
        before, function.__code__ = function.__code__, code_of(function, fault.old, fault.new)
    else:
        right = DIALECTS[dialect]
        assert getattr(right, fault.field) != fault.value, f"{fault.field} of {dialect} is {fault.value!r} anyway"
        DIALECTS[dialect] = replace(right, **{fault.field: fault.value})
    _forget()
    try:
        yield
    finally:
        if isinstance(fault, Lines):
            function.__code__ = before
        else:
            DIALECTS[dialect] = right
        _forget()


def _forget() -> None:
    for memo in MEMOS:
        memo.cache_clear()


# ---- what a search is fond of: the commands of the family and what they need, and little that is malformed ----


def only(commands: Mapping[str, float], *, focus: int = 950, wrong: int = 0, block: int = 0) -> Taste:
    """These commands and no other, so that a search stays what it was when the model learns another command."""
    weights = {**dict.fromkeys([command.name for command in TABLE], 0.0), **commands}
    return Taste(weights, focus=focus, damaged=0, wrong=wrong, block=block, long_values=0)


CLAIMING = only({
    "XADD": 15, "XGROUP": 8, "XREADGROUP": 20, "XCLAIM": 25, "XAUTOCLAIM": 20, "XPENDING": 15, "XDEL": 6, "XTRIM": 2,
}, wrong=30)  # fmt: skip
READING = only({"XADD": 20, "XGROUP": 10, "XREADGROUP": 40, "XREAD": 10, "XDEL": 8, "XACK": 6, "XRANGE": 3}, focus=850)
BLOCKING = only({"XADD": 20, "XGROUP": 5, "XREADGROUP": 40, "XREAD": 10, "XINFO": 2}, focus=990, block=900)
REMOVING = only({"XADD": 40, "XDEL": 20, "XTRIM": 20, "XSETID": 10, "XRANGE": 8, "XREVRANGE": 4, "XGROUP": 3})
GROUPING = only({"XADD": 15, "XGROUP": 40, "XREADGROUP": 20, "XDEL": 8, "XINFO": 15}, focus=900)
LISTS = only({"RPUSH": 20, "LPUSH": 10, "LREM": 15, "LPOP": 15, "RPOP": 5, "LRANGE": 5}, focus=800)
LISTENING = only({"SUBSCRIBE": 15, "PSUBSCRIBE": 15, "UNSUBSCRIBE": 2, "PUBLISH": 40}, focus=800)
