"""Stand-ins for time and chance: what a program's own machine would answer.

The originals are named by text, not imported by name: nothing here reads the machine's clock or its random numbers.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, TypeAlias

from .on_stage import STAGE, current
from .program import Program

Original: TypeAlias = Callable[..., Any]
Make: TypeAlias = Callable[[Original], Any]


def answered(answer: Callable[..., Any]) -> Make:
    """A stand-in that asks ``answer`` with the program that has control, and the arguments."""

    def make(original: Original) -> Any:
        def stand_in(*args: Any, **options: Any) -> Any:
            program = current()
            if program is None:
                return original(*args, **options)
            return answer(program, *args, **options)

        try:
            return wraps(original)(stand_in)
        except (AttributeError, TypeError):
            return stand_in

    return make


def _of_time(name: str) -> Make:
    """``localtime`` and its like, which take the time of now where none is given."""

    def make(original: Original) -> Any:
        def stand_in(*args: Any) -> Any:
            program = current()
            if program is None or (args and args[0] is not None):
                return original(*args)
            return original(program.wall_us() / 1e6)

        return stand_in

    return make


def _strftime(original: Original) -> Any:
    def stand_in(form: str, *moment: Any) -> Any:
        program = current()
        if program is None or moment:
            return original(form, *moment)
        return original(form, datetime.datetime.fromtimestamp(program.wall_us() / 1e6).timetuple())

    return stand_in


def _drawn(name: str) -> Make:
    """A function of the module ``random``, on the program's own chance."""
    return answered(lambda program, *args, **options: getattr(program.random, name)(*args, **options))


def _urandom(program: Program, size: int) -> bytes:
    return program.random.randbytes(size)


def _seeded(original: Original) -> Any:
    """``Random()`` without a seed takes the program's chance, not the machine's."""

    def seed(self: Any, a: Any = None, *args: Any, **options: Any) -> None:
        program = current()
        if a is None and program is not None and self is not program.random:
            a = program.random.getrandbits(128)
        original(self, a, *args, **options)

    return seed


def _sleep(program: Program, secs: float) -> None:
    if STAGE.fiber is not None:
        STAGE.fiber.sleep(secs)
    else:
        program.sleep_us(round(secs * 1e6))


_RANDOM = (
    "betavariate", "choice", "choices", "expovariate", "gammavariate", "gauss", "getrandbits", "getstate",
    "lognormvariate", "normalvariate", "paretovariate", "randbytes", "randint", "random", "randrange", "sample",
    "seed", "setstate", "shuffle", "triangular", "uniform", "vonmisesvariate", "weibullvariate",
)  # fmt: skip

REPLACED: tuple[tuple[str, str, Make], ...] = (
    ("time", "time", answered(lambda program: program.wall_us() / 1e6)),
    ("time", "time_ns", answered(lambda program: program.wall_us() * 1000)),
    ("time", "monotonic", answered(lambda program: program.now_us() / 1e6)),
    ("time", "monotonic_ns", answered(lambda program: program.now_us() * 1000)),
    ("time", "perf_counter", answered(lambda program: program.now_us() / 1e6)),
    ("time", "perf_counter_ns", answered(lambda program: program.now_us() * 1000)),
    ("time", "process_time", answered(lambda program: program.now_us() / 1e6)),
    ("time", "process_time_ns", answered(lambda program: program.now_us() * 1000)),
    ("time", "sleep", answered(_sleep)),
    ("time", "localtime", _of_time("localtime")),
    ("time", "gmtime", _of_time("gmtime")),
    ("time", "ctime", _of_time("ctime")),
    ("time", "strftime", _strftime),
    ("os", "urandom", answered(_urandom)),
    ("os", "getpid", answered(lambda program: program.pid)),
    ("socket", "gethostname", answered(lambda program: program.host)),
    ("random", "Random.seed", _seeded),
    *(("random", name, _drawn(name)) for name in _RANDOM),
    ("uuid", "getnode", answered(lambda program: 0x020000000000 + program.pid)),
)
"""Module, name and what makes the stand-in of the original."""


def datetime_methods() -> Iterator[tuple[type, str, Any]]:
    """The class methods of ``datetime.datetime`` that read the clock, with their stand-ins."""
    kind = datetime.datetime

    def method(name: str, answer: Callable[..., Any]) -> tuple[type, str, Any]:
        original = getattr(kind, name).__func__ if hasattr(getattr(kind, name), "__func__") else vars(kind).get(name)

        def stand_in(cls: Any, *args: Any, **options: Any) -> Any:
            program = current()
            if program is None:
                bound: Any = original.__get__(None, cls)  # type: ignore[union-attr]
                return bound(*args, **options)
            return answer(cls, program.wall_us(), *args, **options)

        return kind, name, classmethod(stand_in)

    yield method("now", lambda cls, us, tz=None: cls.fromtimestamp(us / 1e6, tz))
    yield method("utcnow", lambda cls, us: cls.fromtimestamp(us / 1e6, datetime.UTC).replace(tzinfo=None))


