"""From a run that differs to the few actions that it takes."""

from __future__ import annotations

from collections.abc import Sequence

from ....models.server import Config
from .actions import Action, Connect, Do
from .bench import Bench
from .recorder import Recorder, record

__all__ = ["shrink"]

WATCHDOG_S = 0.2


def shrink(bench: Bench, config: Config, actions: Sequence[Action]) -> list[Action]:
    """The actions without those that the difference does not need.

    What comes after the first difference goes at once; then halves, quarters and so on down to single
    actions are left out for as long as something differs.
    """

    def differs(some: Sequence[Action]) -> bool:
        return bool(bench.differences(record(bench.dialect, config, some), watchdog_s=WATCHDOG_S))

    left = _up_to_the_first(bench, config, actions)
    size = max(len(left) // 2, 1)
    while True:
        at, fewer = 0, False
        while at < len(left):
            without = left[:at] + left[at + size :]
            if differs(without):
                left, fewer = without, True
            else:
                at += size
        if size == 1 and not fewer:
            plainer = _connected_at_first_use(left)
            return plainer if differs(plainer) else left
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


def _up_to_the_first(bench: Bench, config: Config, actions: Sequence[Action]) -> list[Action]:
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
