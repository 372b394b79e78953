"""A great many random commands, to the model and to one real server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

from ....models.dialects import DIALECTS
from ..guard import closest_dialect
from ..servers import ServerBinary
from .actions import Inspect
from .bench import Bench
from .coverage import Coverage, nested
from .coverage_rows import literal_words, told, unmet_rows
from .finding import Finding, failure, find
from .recorder import Recorder
from .source import ModelFailedError, generate

__all__ = ["COMMANDS_A_RUN", "Report", "campaign", "seed_of"]

COMMANDS_A_RUN = 500
DIFFERENCES_MAX = 3
ANEW = 4
"""How many processes of a server have to differ, besides the first."""

Progress = Callable[[int], None]


@dataclass(slots=True)
class Report:
    """What one server was asked, and where it differs.

    `commands` are those that were drawn, `replies` all that were compared (those that look at the state,
    too), `states` how often the whole state was. In a random comparison every command is an edge. `note` says where the
    dialect is not the server's own.
    """

    name: str
    version: str
    dialect: str
    note: str = ""
    commands: int = 0
    replies: int = 0
    states: int = 0
    edges: int = 0
    seconds: float = 0.0
    coverage: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    """How often each command, with each option, came to each outcome (`coverage.py`)."""

    unmet: list[str] = field(default_factory=list)
    """The rows of coverage that have to be met and were not."""

    differences: list[Finding] = field(default_factory=list)
    unconfirmed: list[int] = field(default_factory=list)
    """The seeds of runs that differed once, and not when they were sent again, to the same process or to others.

    A server that the machine kept waiting is silent for too long, which is not another opinion; and in the order of a
    hash table, which each process draws for itself, 7.0 lets the keys that SWAPDB brings wake their readers.
    """


def seed_of(seed: int, run: int) -> int:
    """What draws one run of a campaign."""
    return (seed << 32) + run


def _differs_anew(binary: ServerBinary, recorder: Recorder) -> bool:
    """Whether a process that has just been started differs, too."""
    with Bench(binary) as bench:
        return bench.differs(recorder)


def campaign(binary: ServerBinary, commands: int, seed: int, progress: Progress | None = None) -> Report:
    """Compare so many commands, in runs that each start with an empty server.

    Ends early after a few differences, each made small. `progress` is told after each run how many commands
    there were. Raises `RealServerError` when the server cannot be used.
    """
    _, note = closest_dialect(binary.dialect, binary.name)
    began = perf_counter()
    with Bench(binary) as bench:
        report = Report(binary.name, bench.server.version, bench.dialect, note)
        dialect = DIALECTS[bench.dialect]
        coverage = Coverage(dialect, literal_words())
        run = 0
        while report.commands < commands and len(report.differences) < DIFFERENCES_MAX:
            left = commands - report.commands
            try:
                drawn = generate(bench.dialect, seed_of(seed, run), min(COMMANDS_A_RUN, left), coverage)
            except ModelFailedError as error:
                its, config = seed_of(seed, run), error.world.config
                report.differences.append(failure(bench.dialect, config, error.actions, its, binary.name))
                run += 1
                continue
            if bench.differs(drawn.recorder):
                if bench.differs(drawn.recorder) and all(_differs_anew(binary, drawn.recorder) for _ in range(ANEW)):
                    config = drawn.world.config
                    report.differences.append(find(bench, config, drawn.actions, seed_of(seed, run), binary.name))
                else:
                    report.unconfirmed.append(seed_of(seed, run))
            run += 1
            report.commands += drawn.recorder.commands
            report.states += sum(isinstance(action, Inspect) for action in drawn.actions)
            if progress is not None:
                progress(report.commands)
        report.edges = report.commands
        report.replies = bench.pipelined.replies
        report.coverage = nested(coverage.counts)
        report.unmet = told(unmet_rows(dialect, coverage.counts))
    report.seconds = perf_counter() - began
    return report
