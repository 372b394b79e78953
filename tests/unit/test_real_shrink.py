"""Making a difference small, where a busy machine makes some of the differences."""

from __future__ import annotations

import pytest
from redelivery.models.server import Config
from redelivery.sim.real.diff.actions import Action, Connect, Do
from redelivery.sim.real.diff.recorder import Recorder
from redelivery.sim.real.diff.shrink import shrink
from redelivery.sim.real.errors import NoReply
from redelivery.sim.real.lockstep import Difference
from redelivery.sim.real.script import Send

ACTIONS: list[Action] = [Connect(0, 2), *(Do(0, (name,)) for name in (b"PING", b"TIME", b"PING", b"DBSIZE"))]


class Server:
    """Differs in what it says of DBSIZE; keeps back every ``keeps_back``-th reply to somebody without patience."""

    dialect = "redis-6.2"

    def __init__(self, keeps_back: int, *, fails: bool = False) -> None:
        self.keeps_back = keeps_back
        self.fails = fails
        self.asked = 0

    def differences(self, recorder: Recorder, *, watchdog_s: float = 2.0) -> tuple[Difference, ...]:
        self.asked += 1
        if watchdog_s < 1 and self.asked % self.keeps_back == 0:
            if self.fails:
                raise NoReply("busy")
            return (Difference(0, "", "", "(no reply)"),)
        return tuple(
            Difference(index, "", "", "")
            for index, step in enumerate(recorder.script)
            if isinstance(step, Send) and step.argv == (b"DBSIZE",)
        )


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("keeps_back", [1, 2, 3, 1000])
def test_a_reply_that_a_busy_machine_keeps_back_is_no_difference(keeps_back: int, fails: bool) -> None:
    left = shrink(Server(keeps_back, fails=fails), Config(), ACTIONS)
    assert left == [Connect(0, 2), Do(0, (b"DBSIZE",))]
