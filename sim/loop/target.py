"""What ``verify`` needs to know of a worker framework: how to send a job, and how to run a worker."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any, TypeAlias

from ..catalogue import load_file, load_module
from ..errors import BadInput, unknown

Handle: TypeAlias = Callable[[str], Awaitable[None]]
"""Does one job. A worker's handler calls it with what the producer sent, and lets its errors out."""
Jobs: TypeAlias = AsyncIterator[str]
"""The jobs to send, each when it is time; each is a text."""

CLIENTS = __name__.rpartition(".sim.")[0] + ".scenarios.clients"


@dataclass(frozen=True, slots=True)
class Target:
    """A client library or worker framework, as code that uses it would.

    ``produce(jobs)`` sends every job of an asynchronous iterator, by ``async for job in jobs``, and returns.
    ``work(name, handle)`` runs one worker until it is cancelled, and has ``await handle(job)`` called for each job.
    Where they are plain functions, which block, it is ``for job in jobs`` and ``handle(job)``.
    Both are called anew in every life of a process, so each makes its own client; ``name`` is for the consumer, and
    changes from life to life only where workers are deployed anew.
    """

    name: str
    produce: Callable[[Any], Any]
    work: Callable[[str, Any], Any]
    needs: tuple[str, ...] = ()
    """Modules that are loaded before anything runs."""
    summary: str = ""
    redis_below: int = 0
    """The first major version of redis-py that it does not go with; 0 where it names none."""
    extra: str = "clients"
    """What is installed with Redelivery for it, of the targets that come along."""
    lease_ms: int = 10_000
    """How long a worker may have a job before others take it over, as ``work`` configures it."""
    job_ms: int = 100
    """How long a job takes."""
    prefetch: int = 10
    """About how many jobs a worker takes at once."""

    def __post_init__(self) -> None:
        """``BadInput`` where it is no such thing."""
        if not isinstance(self.name, str) or not self.name:
            raise BadInput(f"a target's name is {self.name!r}; give a text")
        for what, function in (("produce", self.produce), ("work", self.work)):
            if not callable(function):
                raise BadInput(f"target {self.name}: {what} is {function!r}; give a function")
        if isinstance(self.needs, str) or not all(isinstance(module, str) for module in self.needs):
            raise BadInput(f"target {self.name}: needs is {self.needs!r}; give a tuple of names of modules")
        for what in ("lease_ms", "job_ms", "prefetch"):
            value = getattr(self, what)
            if not isinstance(value, int) or value < 1:
                raise BadInput(f"target {self.name}: {what} is {value!r}; give a whole number, at least 1")

    def versions(self) -> list[str]:
        """What it was tried with: the name and version of each package that it needs, and of redis-py."""
        packages = packages_distributions()
        roots = dict.fromkeys([*(module.partition(".")[0] for module in self.needs), "redis"])
        names = dict.fromkeys(name for root in roots for name in packages.get(root, ()))
        return [f"{name} {version(name)}" for name in names]

    def load(self) -> None:
        """Loads what it needs, before the clock of any world runs; ``BadInput`` where it is not installed."""
        for module in self.needs:
            try:
                importlib.import_module(module)
            except ImportError as error:
                raise BadInput(
                    f"{self.name} needs {error.name or module}, which is not installed: install it, or "
                    f"'redelivery[{self.extra}]' for the targets that come with Redelivery"
                ) from error
        have = version("redis")
        if self.redis_below and int(have.partition(".")[0]) >= self.redis_below:
            raise BadInput(
                f"{self.name} goes with redis-py below {self.redis_below}, and {have} is installed: "
                f"pip install 'redelivery[{self.extra}]' in an environment of its own"
            )


def is_async(function: Callable[..., Any]) -> bool:
    """Whether it is an asynchronous function, or an object that is called like one."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def shipped_targets() -> list[str]:
    """The names of the targets that come with the package."""
    import pkgutil

    package = importlib.import_module(CLIENTS)
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(package.__path__))


def find_target(reference: str) -> Target:
    """The target that ``reference`` means: a shipped name, ``file.py`` or ``module``, each with ``:name`` if need be.

    Without a name it is the one called ``target``, or the only one.
    """
    where, colon, name = reference.rpartition(":")
    if not colon:
        where, name = reference, ""
    if where.endswith(".py"):
        module = load_file(Path(where))
    elif where in shipped_targets():
        module = importlib.import_module(f"{CLIENTS}.{where.replace('-', '_')}")
    elif colon:
        module = load_module(where)
    else:
        raise unknown("target", reference, shipped_targets())
    mine = {key: value for key, value in vars(module).items() if isinstance(value, Target)}
    if name and name not in mine:
        raise unknown(f"target in {where}", name, mine)
    if name or "target" in mine:
        return mine[name or "target"]
    if len(mine) != 1:
        several = ", ".join(f"{where}:{key}" for key in sorted(mine))
        problem = f"{len(mine)} targets; name one: {several}" if mine else "no redelivery.Target"
        raise BadInput(f"{where} holds {problem}")
    return next(iter(mine.values()))
