"""From a run that differs to the few actions that it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ....models.server import Config
from ..lockstep import Difference
from .actions import Action, Connect, Do
from .recorder import Recorder, record

__all__ = ["Judge", "shrink", "smallest"]

WATCHDOG_S = 0.2


class Judge(Protocol):
    """Whoever says how a real server differs from a recorded run, such as `bench.Bench`."""

    dialect: str

    def differences(self, recorder: Recorder, *, watchdog_s: float = ...) -> tuple[Difference, ...]:
        """Where the server does not follow the script."""
        ...


def shrink(bench: Judge, config: Config, actions: Sequence[Action]) -> list[Action]:
    """The actions without those that the difference does not need; what comes after the first goes at once."""

    def differs(some: Sequence[Action]) -> bool:
        return bool(bench.differences(record(bench.dialect, config, some), watchdog_s=WATCHDOG_S))

    return smallest(_up_to_the_first(bench, config, actions), differs)


def smallest(actions: Sequence[Action], shows: Callable[[Sequence[Action]], bool]) -> list[Action]:
    """The actions without those that are not needed to show something.

    Halves, quarters and so on down to single actions are left out for as long as it shows.
    """
    left = list(actions)
    size = max(len(left) // 2, 1)
    while True:
        at, fewer = 0, False
        while at < len(left):
            without = left[:at] + left[at + size :]
            if shows(without):
                left, fewer = without, True
            else:
                at += size
        if size == 1 and not fewer:
            plainer = _connected_at_first_use(left)
            return plainer if shows(plainer) else left
        size = max(size // 2, 1)


def _connected_at_first_use(actions: Sequence[Action]) -> list[Action]:
    """The same with each connection made right before its first command, as one reads it most easily."""
    made: dict[int, Connect] = {}
    plainer: list[Action] = []
    for action in actions:
        if isinstance(action, Connect):
            made[action.conn] = action
            continue
        if isinstance(action, Do) and action.conn in made:
            plainer.append(made.pop(action.conn))
        plainer.append(action)
    return plainer


def _up_to_the_first(bench: Judge, config: Config, actions: Sequence[Action]) -> list[Action]:
    """The shortest beginning that holds the step that differs first."""
    recorder = record(bench.dialect, config, actions)
    found = bench.differences(recorder, watchdog_s=WATCHDOG_S)
    if not found:
        return list(actions)
    first = min(difference.index for difference in found)
    again = Recorder(bench.dialect, config)
    for taken, action in enumerate(actions, 1):
        again.take(action)
        if len(again.script) > first:
            beginning = list(actions[:taken])
            # A reply that should not have come may be seen only later.
            return beginning if bench.differences(again, watchdog_s=WATCHDOG_S) else list(actions)
    return list(actions)
