"""What a turn asks of the world while it runs, and the awaitables that ask it.

Inside the simulator each of these hands a request to the world and waits for the answer. Outside
one, in an ordinary asyncio program, they do what asyncio does, so that a consumer is written once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from inspect import isawaitable
from types import coroutine
from typing import Any, NamedTuple, TypeAlias, TypeVar, get_args
from weakref import WeakKeyDictionary

from .errors import HandlerFailed

T = TypeVar("T")


class Command(NamedTuple):
    """Commands that the server runs as one: a single one, or a whole transaction."""

    commands: tuple[tuple[bytes, ...], ...]


class Sleep(NamedTuple):
    """Nothing, for a while."""

    ms: int


class Work(NamedTuple):
    """Handling an entry: it takes ``ms`` (``None``: what the process is declared to take)."""

    entry: bytes
    ms: int | None
    stream: bytes | None
    fields: object = None


class Broken(NamedTuple):
    """An answer that says that there is none: an error of ``client_policies``, or ``handler``."""

    error: str


class Pick(NamedTuple):
    """One of ``n`` answers, decided by the tape."""

    n: int
    label: str
    values: tuple[str, ...] = ()
    """What the answers stand for; empty where they are numbers."""


class Clock(NamedTuple):
    """The time on the process's own host, in ms since the epoch."""


class Publish(NamedTuple):
    """The value of a projection, for properties to compare."""

    name: str
    value: str
    upto: bytes


class Fork(NamedTuple):
    """Several coroutines at once, within one process."""

    children: tuple[Coroutine[Any, Any, Any], ...]


class Scope(NamedTuple):
    """A part of a turn that is remembered by its value alone; ``atomic`` where nothing may come between."""

    call: Callable[..., Coroutine[Any, Any, Any]]
    arguments: tuple[Any, ...]
    atomic: bool


Request: TypeAlias = Command | Sleep | Work | Pick | Clock | Publish | Fork | Scope

KINDS: frozenset[type] = frozenset(get_args(Request))
"""The kinds of requests: a quick test whether something is one."""


@coroutine
def put(request: Request) -> Generator[Request, Any, Any]:
    """Puts a request to the world and waits for its answer."""
    return (yield request)


class Driving:
    """How many turns are being driven right now: above 0 while a turn of the simulator has control."""

    __slots__ = ("turns",)

    def __init__(self) -> None:
        self.turns = 0


DRIVING = Driving()


def simulated() -> bool:
    """Whether the code that asks runs inside the simulator."""
    return DRIVING.turns > 0


async def handle(
    entry_id: bytes | str,
    fields: object = None,
    *,
    ms: int | None = None,
    stream: bytes | str | None = None,
    work: Callable[[], Awaitable[None] | None] | None = None,
) -> None:
    """Handles an entry: the work that a consumer is there for.

    In the simulator it takes simulated time (``ms``, or what the process is declared to take) and
    leaves the facts that handling began and ended. In a real run it sleeps ``ms`` if that is given.
    ``work`` is called in both when the time is over: a function without arguments, async or not.
    ``stream`` is needed only where two streams may hold the same ID. ``HandlerFailed`` where a fault strikes the
    work, or the process is declared to fail on such ``fields``.
    """
    if simulated():
        name = stream.encode() if isinstance(stream, str) else stream
        entry = entry_id.encode() if isinstance(entry_id, str) else entry_id
        if await put(Work(entry, ms, name, fields)) is not None:
            raise HandlerFailed(f"entry {entry.decode(errors='backslashreplace')} could not be handled")
    elif ms is not None:
        await asyncio.sleep(ms / 1000)
    if work is not None:
        result = work()
        if isawaitable(result):
            await result


def has_fields(fields: object, wanted: Mapping[str, str]) -> bool:
    """Whether the fields of an entry, as a client gives them, hold all of ``wanted``."""
    if not isinstance(fields, Mapping):
        return False
    found = {_text(key): _text(value) for key, value in fields.items()}
    return all(found.get(key) == value for key, value in wanted.items())


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


async def sleep(ms: int) -> None:
    """Waits ``ms`` milliseconds."""
    if simulated():
        await put(Sleep(ms))
    else:
        await asyncio.sleep(ms / 1000)


async def now() -> int:
    """The time on this process's host, in ms since the epoch."""
    return int(await put(Clock())) if simulated() else time.time_ns() // 1_000_000


async def choose(n: int, label: str) -> int:
    """A decision of the program that the tape makes: 0 to ``n - 1``. In a real run it is 0."""
    return int(await put(Pick(n, label))) if simulated() else 0


async def pick(values: Sequence[str], label: str) -> str:
    """One of several texts, decided by the tape. In a real run it is the first.

    Unlike a number that is chosen, what is remembered is the text itself: see ``Plan.values``.
    """
    return str(await put(Pick(len(values), label, tuple(values)))) if simulated() else values[0]


async def publish(name: str, value: object, upto: bytes | str) -> None:
    """Publishes the value of the projection ``name`` as built up to and including entry ``upto``.

    Properties compare what different processes publish. In a real run it does nothing.
    """
    if simulated():
        entry = upto.encode() if isinstance(upto, str) else upto
        await put(Publish(name, str(value), entry))


async def activity(call: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> T:
    """Awaits ``call(*arguments)``; once it has ended, all that the simulator remembers of it is its value.

    Two processes that came to the same value by different ways are then in the same state. Where the value is not
    plain (see ``redelivery.Process``) everything is remembered.
    """
    if simulated():
        value: T = await put(Scope(call, arguments, False))
        return value
    return await call(*arguments)


async def atomic(call: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> T:
    """Awaits ``call(*arguments)`` and lets nothing come between its commands, as a script on the server would.

    It may send commands and make choices; it may not wait. In a real run it keeps out what the same event loop
    runs in other ``atomic`` blocks, and no other program: there, make it a script.
    """
    if simulated():
        value: T = await put(Scope(call, arguments, True))
        return value
    loop = asyncio.get_running_loop()
    async with _LOCKS.setdefault(loop, asyncio.Lock()):
        return await call(*arguments)


_LOCKS: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
"""Of real runs: one lock for each event loop."""


async def timeout(ms: int, coroutine: Coroutine[Any, Any, T]) -> T:
    """Awaits ``coroutine`` for at most ``ms`` milliseconds, then cancels it and raises ``TimeoutError``."""
    if not simulated():
        async with asyncio.timeout(ms / 1000):
            return await coroutine

    async def run() -> None:
        raise _Done(await coroutine)

    async def expire() -> None:
        await sleep(ms)
        raise TimeoutError(f"not done after {ms} ms")

    try:
        await gather(run(), expire())
    except _Done as done:
        value: T = done.value
        return value
    raise AssertionError("one of the two ends the other")


class _Done(Exception):
    """How the coroutine of a ``timeout`` ends the wait for it."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


async def gather(*coroutines: Coroutine[Any, Any, T]) -> list[T]:
    """Runs coroutines at once and returns their values in order.

    Where one raises, the others are cancelled and its error goes on, as in ``asyncio.TaskGroup``.
    """
    if simulated():
        values: list[T] = await put(Fork(coroutines))
        return values
    tasks = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(coroutine) for coroutine in coroutines]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
