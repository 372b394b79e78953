"""What stands in for the machine's time, chance, threads and sockets while a simulated program runs.

A stand-in asks which program has control, and answers as that one's machine would; where none has, it is the
original. It is put wherever the original stands by name in a loaded module, so that ``from time import time`` is held
as well. Types written in C keep their identity: their methods are replaced in place.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from . import escapes, sockets
from .on_stage import STAGE, current
from .timely import REPLACED as TIMELY
from .timely import datetime_methods

if TYPE_CHECKING:
    from .world import LoopWorld

OWN = __name__.partition(".")[0] + "."


class _Held:
    """The stand-ins that are in place, and what stood there before."""

    def __init__(self) -> None:
        self.depth = 0
        self.table: dict[int, tuple[Any, Any]] = {}
        """Identity of an original to itself and its stand-in."""
        self.places: list[tuple[dict[str, Any], str, Any]] = []
        self.undo: list[Callable[[], None]] = []
        self.seen: set[str] = set()

    def enter(self) -> None:
        self.depth += 1
        if self.depth == 1:
            for module, name, make in (*TIMELY, *escapes.REPLACED, *sockets.REPLACED):
                holder: Any = importlib.import_module(module)
                for part in name.split(".")[:-1]:
                    holder = getattr(holder, part)
                last = name.rpartition(".")[2]
                if not hasattr(holder, last):
                    continue
                original = getattr(holder, last)
                stand_in = make(original)
                if isinstance(holder, ModuleType):
                    self.table[id(original)] = original, stand_in
                else:
                    self._set(holder, last, stand_in)
            self._methods()
        self.spread()

    def spread(self) -> None:
        """Puts the stand-ins into modules that were loaded since."""
        for name, module in list(sys.modules.items()):
            if name in self.seen or name.startswith(OWN) or not isinstance(module, ModuleType):
                continue
            self.seen.add(name)
            names = vars(module)
            for attribute, value in list(names.items()):
                found = self.table.get(id(value))
                if found is not None and found[0] is value:
                    self.places.append((names, attribute, value))
                    names[attribute] = found[1]
        self._anyio()

    def leave(self) -> None:
        self.depth -= 1
        if self.depth:
            return
        for names, attribute, value in reversed(self.places):
            names[attribute] = value
        for undo in reversed(self.undo):
            undo()
        self.__init__()  # type: ignore[misc]

    def _set(self, holder: Any, name: str, stand_in: Any) -> None:
        before = vars(holder).get(name, self)
        setattr(holder, name, stand_in)
        if before is self:  # what it inherits, it will inherit again
            self.undo.append(lambda: delattr(holder, name))
        else:
            self.undo.append(lambda: setattr(holder, name, before))

    def _methods(self) -> None:
        for kind, name, method in datetime_methods():
            names = gc.get_referents(vars(kind))[0]
            before = names.get(name, self)
            names[name] = method
            ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))

            def undo(names: Any = names, name: str = name, before: Any = before, kind: Any = kind) -> None:
                if before is self:
                    del names[name]
                else:
                    names[name] = before
                ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))

            self.undo.append(undo)
        uuid: Any = importlib.import_module("uuid")
        for name in ("_generate_time_safe", "_UuidCreate", "_last_timestamp"):
            if getattr(uuid, name, None) is not None:
                self._set(uuid, name, None)

    def _anyio(self) -> None:
        """anyio has threads of its own."""
        if "anyio" not in sys.modules or "anyio's" in self.seen:
            return
        self.seen.add("anyio's")
        backend: Any = importlib.import_module("anyio._backends._asyncio").AsyncIOBackend
        original = vars(backend)["run_sync_in_worker_thread"]

        async def inline(cls: Any, func: Any, args: Any, abandon_on_cancel: bool = False, limiter: Any = None) -> Any:
            program = current()
            if program is None or program.loop is None:
                return await original.__func__(cls, func, args, abandon_on_cancel, limiter)
            return await program.loop.run_in_executor(None, func, *args)

        self._set(backend, "run_sync_in_worker_thread", classmethod(inline))


_HELD = _Held()


@contextmanager
def stand_ins() -> Iterator[None]:
    """Holds time, chance, threads and sockets of whichever program has control. May be entered again."""
    _HELD.enter()
    try:
        yield
    finally:
        _HELD.leave()


@contextmanager
def standing_in(world: LoopWorld) -> Iterator[None]:
    """The same around the run of a world; no garbage is collected until it is over, and then all of it."""
    collects = gc.isenabled()
    hooks = sys.get_asyncgen_hooks()
    with stand_ins(), _printing():
        vars(importlib.import_module("uuid"))["_last_timestamp"] = None  # uuid1 remembers, and each world begins anew
        gc.freeze()
        gc.disable()
        sys.set_asyncgen_hooks(firstiter=_begun, finalizer=_forgotten)
        try:
            yield
        finally:
            sys.set_asyncgen_hooks(*hooks)
            _clear_away(world)
            gc.unfreeze()
            if collects:
                gc.enable()


@contextmanager
def silence() -> Iterator[None]:
    """Nothing is logged, nor told of coroutines of dead programs that will not end; what programs print is left out."""
    before, said, where = logging.root.manager.disable, sys.unraisablehook, STAGE.prints_to
    logging.disable(logging.CRITICAL)
    sys.unraisablehook = _not_told
    try:
        with Path(os.devnull).open("w", encoding="utf-8") as STAGE.prints_to:
            yield
    finally:
        STAGE.prints_to = where
        sys.unraisablehook = said
        logging.disable(before)


@contextmanager
def aside() -> Iterator[None]:
    """What programs print goes to standard error: standard output is for what the command has to say."""
    where, STAGE.prints_to = STAGE.prints_to, sys.stderr
    try:
        yield
    finally:
        STAGE.prints_to = where


@contextmanager
def _printing() -> Iterator[None]:
    if STAGE.prints_to is None:
        yield
        return
    with redirect_stdout(STAGE.prints_to), redirect_stderr(STAGE.prints_to):
        yield


def _not_told(unraisable: Any) -> None:
    """Dead programs are not asked."""


def _clear_away(world: LoopWorld) -> None:
    """What dead programs left goes now, where none of it can reach anybody; what it has to say is nobody's matter."""
    with warnings.catch_warnings(), silence():
        warnings.simplefilter("ignore")
        world.graveyard.clear()
        gc.collect()


def _begun(generator: Any) -> None:
    program = current()
    if program is not None and program.loop is not None:
        program.loop._asyncgen_firstiter_hook(generator)  # type: ignore[attr-defined]


def _forgotten(generator: Any) -> None:
    program = current()
    if program is not None and program.is_alive and program.loop is not None:
        program.loop._asyncgen_finalizer_hook(generator)  # type: ignore[attr-defined]
