"""Stand-ins for what cannot be simulated: threads, other programs, sockets. Each is named in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .on_stage import STAGE, escape

ASYNC_ONLY = "which is not simulated: a process is an async function that uses asyncio and redis.asyncio alone"


def _refused(what: str) -> Callable[[Callable[..., Any]], Any]:
    def make(original: Callable[..., Any]) -> Any:
        def stand_in(*args: Any, **options: Any) -> Any:
            if STAGE.program is not None:
                escape(f"{what}, {ASYNC_ONLY}")
            return original(*args, **options)

        return stand_in

    return make


REPLACED: tuple[tuple[str, str, Callable[[Callable[..., Any]], Any]], ...] = (
    ("_thread", "start_new_thread", _refused("starts a thread")),
    ("_thread", "start_joinable_thread", _refused("starts a thread")),
    ("threading", "Thread.start", _refused("starts a thread")),
    ("subprocess", "Popen.__init__", _refused("starts another program")),
    ("multiprocessing.process", "BaseProcess.start", _refused("starts another process")),
    ("os", "fork", _refused("starts another process")),
    ("socket", "socket.connect", _refused("opens a socket of its own")),
    ("socket", "socket.connect_ex", _refused("opens a socket of its own")),
    ("socket", "getaddrinfo", _refused("asks for the address of a host")),
)
"""Module, name and what makes the stand-in of the original."""
