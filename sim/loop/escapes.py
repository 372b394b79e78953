"""Stand-ins for what cannot be simulated, each named in one line: threads, other programs, what would end this one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from .on_stage import current, escape

NOT_SIMULATED = "which is not simulated: a process is an async function that uses asyncio and redis.asyncio"

Make: TypeAlias = Callable[[Callable[..., Any]], Any]


def _refused(what: str) -> Make:
    def make(original: Callable[..., Any]) -> Any:
        def stand_in(*args: Any, **options: Any) -> Any:
            if current() is not None:
                escape(f"{what}, {NOT_SIMULATED}, or a plain function that blocks")
            return original(*args, **options)

        return stand_in

    return make


REPLACED: tuple[tuple[str, str, Make], ...] = (
    ("_thread", "start_new_thread", _refused("starts a thread")),
    ("_thread", "start_joinable_thread", _refused("starts a thread")),
    ("threading", "Thread.start", _refused("starts a thread")),
    ("subprocess", "Popen.__init__", _refused("starts another program")),
    ("multiprocessing.process", "BaseProcess.start", _refused("starts another process")),
    ("os", "_exit", _refused("calls os._exit")),
    ("os", "abort", _refused("calls os.abort")),
    ("os", "kill", _refused("sends a signal")),
    ("os", "fork", _refused("starts another process")),
)
"""Module, name and what makes the stand-in of the original."""
