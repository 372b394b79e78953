"""A bar on a terminal, for what takes longer than a second."""

from __future__ import annotations

from contextlib import AbstractContextManager
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING

from . import output

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SHOW_AFTER_S = 1.0
EVERY_S = 0.1


class Bar(AbstractContextManager["Bar"]):
    """Progress on standard error; nothing where that is no terminal, or where it is over within a second."""

    def __init__(self, what: str, total: int | None) -> None:
        self._what, self._total = what, total
        self._began_s = self._shown_s = monotonic()
        self._console = output.console(err=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return monotonic() - self._began_s

    def show(self, done: int, words: str = "") -> None:
        """Tells how far it is."""
        now_s = monotonic()
        if not self._console.is_terminal or now_s - self._began_s < SHOW_AFTER_S or now_s - self._shown_s < EVERY_S:
            return
        self._shown_s = now_s
        if self._bar is None or self._task is None:
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (
                TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[words]}"), TimeElapsedColumn(),
            )  # fmt: skip
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._what, total=self._total, words=words)
        self._bar.update(self._task, completed=done, words=words)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
