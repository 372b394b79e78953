"""The same comparison with a server that we did not start: in its own time, and without touching its settings.

Its clock cannot be set, so the commands are such that no reply depends on the time but in fields that hold one,
which are not compared (`real_time.py`): every ID is explicit, nobody blocks, and what is idle is so for 0 ms or for
longer than any server has run.
"""

from __future__ import annotations

from time import perf_counter

from ....models.dialects import DIALECTS
from ....models.server import Config
from ...choices import Drawn
from ..address import Address
from ..connection import Connection, refuse_errors
from ..errors import RealServerError
from ..guard import Admitted, admit
from ..replay import Difference, Outcome, replay
from ..values import parse
from .actions import Inspect
from .campaign import COMMANDS_A_RUN, DIFFERENCES_MAX, Progress, Report, seed_of
from .coverage import Coverage, nested
from .coverage_rows import literal_words
from .finding import find
from .recorder import Recorder
from .source import draw_run
from .worlds import Taste, World

__all__ = ["campaign_in_real_time"]

BEYOND_ONE_DATABASE = ("FLUSHALL", "SELECT", "SWAPDB", "MOVE", "COPY")
OF_TIME = ("EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT")
OF_ALL_CLIENTS = ("PUBLISH", "PUBSUB", "CLIENT", "SUBSCRIBE", "PSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE")
OF_THE_CONNECTION = ("HELLO", "RESET", "QUIT")
WITHOUT = dict.fromkeys((*BEYOND_ONE_DATABASE, *OF_TIME, *OF_ALL_CLIENTS, *OF_THE_CONNECTION), 0.0)
"""Commands that reach beyond our database and our clients, or depend on the time; or whose replies are told apart
by what came before them on the connection."""

TASTES = (
    Taste(weights=WITHOUT, damaged=0, block=0, timeless=True),
    Taste(weights=WITHOUT, focus=900, damaged=0, wrong=10, block=0, timeless=True),
)


def campaign_in_real_time(
    server: str, commands: int, seed: int, *, flush: bool = False, progress: Progress | None = None
) -> Report:
    """Compare so many commands with a running server, whose database is empty, or may be emptied with `flush`.

    Raises `RealServerError`, one line, when it cannot be used; then nothing there was touched.
    """
    admitted = admit(server, flush=flush)
    if not isinstance(admitted.target, Address):
        raise RealServerError(f"{server} is not the URL of a running server")
    began = perf_counter()
    judge = _Judge(admitted, flush)
    coverage = Coverage(DIALECTS[judge.dialect], literal_words())
    note = "in real time: fields that hold a time were not compared, nobody blocked, every ID was explicit"
    report = Report(str(admitted.target), "", judge.dialect, f"{admitted.note}; {note}".removeprefix("; "))
    run = 0
    while report.commands < commands and len(report.differences) < DIFFERENCES_MAX:
        world = World(judge.config, TASTES[run % len(TASTES)], clock=0, stay=500)
        wanted = min(COMMANDS_A_RUN, commands - report.commands)
        its_seed = seed_of(seed, run)
        drawn = draw_run(Drawn(its_seed), judge.dialect, wanted, world=world, observer=coverage)
        outcome = judge.outcome(drawn.recorder)
        if outcome.differences:
            report.differences.append(find(judge, judge.config, drawn.actions, its_seed, server))
        run += 1
        report.version = outcome.version
        report.commands += drawn.recorder.commands
        report.replies += outcome.replies
        report.states += sum(isinstance(action, Inspect) for action in drawn.actions)
        if progress is not None:
            progress(report.commands)
    report.edges = report.commands
    report.coverage = nested(coverage.counts)
    report.seconds = perf_counter() - began
    return report


class _Judge:
    """Says how a running server differs; what a run leaves there is taken away after it."""

    def __init__(self, admitted: Admitted, flush: bool) -> None:
        assert isinstance(admitted.target, Address)
        self.address = admitted.target
        self.dialect = admitted.dialect
        self.config = _settings(self.address)
        self._flush = flush

    def outcome(self, recorder: Recorder, watchdog_s: float = 5.0) -> Outcome:
        """The whole comparison of a script."""
        return replay(recorder.script, self.address, flush=self._flush, watchdog_s=watchdog_s)

    def differences(self, recorder: Recorder, *, watchdog_s: float = 5.0) -> tuple[Difference, ...]:
        """Where the server does not follow a script."""
        return self.outcome(recorder, max(watchdog_s, 1.0)).differences


def _settings(address: Address) -> Config:
    """The settings that the model must share, as they are there."""
    found = []
    with Connection(address) as connection:
        for name in (b"stream-node-max-bytes", b"stream-node-max-entries"):
            value = parse(refuse_errors(address, connection.call(b"CONFIG", b"GET", name)))
            if not (isinstance(value, list) and len(value) == 2 and isinstance(value[1], bytes)):
                raise RealServerError(f"{address} does not tell its {name.decode()}, which trimming depends on")
            found.append(int(value[1]))
    return Config(found[0], found[1])
