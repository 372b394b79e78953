"""How a finding is shown: in words, as a sequence, as a tape, and as one line for a test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..check.finding import Finding, until
from ..check.spelling import spelled
from ..remarks import remarks
from ..run import Run
from ..views.sequence import chart
from . import output

if TYPE_CHECKING:
    from ..against import Judge
    from ..real.replay import Outcome

CHART_LINES_MAX = 40


@dataclass(frozen=True, slots=True)
class Outputs:
    """What is made of a finding."""

    finding: Path | None
    timeline: Path | None
    sequence: Path | None
    graph: Path | None
    server: Judge | None
    flush: bool
    as_json: bool
    theme: str = "light"

    def write(self, finding: Finding, run: Run) -> Outcome | None:
        """Writes the files; holds the finding against a real server."""
        if self.finding is not None:
            finding.write(self.finding)
        if self.timeline is not None:
            from ..views.timeline import draw

            draw(run.history, self.timeline, self.theme)
        if self.sequence is not None:
            from ..views.sequence import draw as draw_sequence

            draw_sequence(run.history, self.sequence)
        return None if self.server is None else self.server.compare(run.history, flush=self.flush)


def finding_as_json(finding: Finding, run: Run, outcome: Outcome | None) -> dict[str, Any]:
    """The keys of a counterexample."""
    value: dict[str, Any] = {
        "tape": str(finding.tape),
        "property": finding.property,
        "message": finding.message,
        "kind": finding.kind,
        "event": finding.event,
        "at_ms": finding.at_ms,
        "size": dict(finding.size),
        "steps": spelled(run, finding.property),
        "story": list(finding.story),
        "sequence": chart(_until(finding, run)),
        "lasso": finding.lasso,
        "found_by": dict(finding.found_by),
        "history_hash": finding.history_hash,
        "test": finding.test_line(),
        "notes": remarks(run),
    }
    if outcome is not None:
        value |= {
            "server": outcome.server,
            "version": outcome.version,
            "replies": outcome.replies,
            "differences": [
                {"index": d.index, "command": d.command, "model": d.model, "server": d.server}
                for d in outcome.differences
            ],
        }
    return value


def print_finding(finding: Finding, run: Run, outcome: Outcome | None, saved: Path | None) -> None:
    """The story, the sequence, and how to see it again."""
    out = output.console()
    out.print()
    for line in finding.story:
        out.print(line, markup=False)
    out.print()
    for line in chart(_until(finding, run), CHART_LINES_MAX):
        out.print(line, markup=False)
    output.print_notes(out, remarks(run))
    if outcome is not None:
        output.print_outcome(out, outcome)
    out.print()
    out.print(f"again      redelivery replay {finding.tape}", markup=False)
    out.print(f"in a test  {finding.test_line()}", markup=False)
    if saved is not None:
        out.print(f"saved      {saved}: redelivery replay {saved}", markup=False)


def _until(finding: Finding, run: Run) -> Any:
    return until(run.history, next((each for each in run.violations if each.property == finding.property), None))
