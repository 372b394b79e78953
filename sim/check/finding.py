"""A finding: a counterexample with everything that is needed to see it again, as one file.

The file is one JSON object: ``{"redelivery": "finding", "version": 1, "tape": "...", "property": "...", ...}`` with the
versions that it was made with, a hash of the history that the tape gives, and the story in words.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from importlib import metadata
from pathlib import Path
from typing import Any

from ..catalogue import find
from ..errors import BadInput
from ..history import History
from ..run import Run, simulate
from ..scenario import Scenario
from ..tape import Tape, parse
from ..watch import Violation
from .report import LIVENESS, SAFETY, Counterexample
from .unroll import unrolled

VERSION = 1
HASH_BYTES = 16
KINDS = (SAFETY, LIVENESS)


@dataclass(frozen=True, slots=True)
class Finding:
    """What broke, the tape that shows it, and what its run was like when it was found."""

    tape: Tape
    """For a lasso: the prefix, and the loop as often as the run has room for it."""
    property: str
    kind: str
    message: str
    event: int
    """The number of the event at which the property broke."""
    at_ms: int
    history_hash: str
    events: int
    story: tuple[str, ...]
    size: Mapping[str, int] = field(default_factory=dict)
    """How small it is, in the order in which counterexamples are compared."""
    versions: Mapping[str, str] = field(default_factory=dict)
    found_by: Mapping[str, Any] = field(default_factory=dict)
    lasso: Mapping[str, int] | None = None
    """``loop_start``, ``loop_end`` (places among the choices) and ``loop_ms``."""

    def lines(self) -> str:
        """The text of the file; equal findings give equal bytes."""
        value = {
            "redelivery": "finding",
            "version": VERSION,
            "tape": str(self.tape),
            "property": self.property,
            "kind": self.kind,
            "message": self.message,
            "event": self.event,
            "at_ms": self.at_ms,
            "history_hash": self.history_hash,
            "events": self.events,
            "size": dict(self.size),
            "lasso": None if self.lasso is None else dict(self.lasso),
            "found_by": dict(self.found_by),
            "versions": dict(self.versions),
            "story": list(self.story),
        }
        return json.dumps(value, ensure_ascii=False, indent=2) + "\n"

    def _repr_html_(self) -> str:
        """What broke, its story and its timeline, for a notebook."""
        from ..views.notebook import finding_html

        return finding_html(self)

    def write(self, path: Path) -> None:
        """Writes the file."""
        try:
            path.write_text(self.lines(), encoding="utf-8", newline="\n")
        except OSError as error:
            raise BadInput(f"cannot write the finding to {path}: {error.strerror}") from error

    def test_line(self) -> str:
        """One line for a test: it fails until what was found is mended."""
        return f'redelivery.assert_holds("{self.tape}", "{self.property}")'

    def changed(self, run: Run) -> str:
        """What is other about a run of the tape than it was, in one line; empty where nothing is."""
        now = hash_of(run.history)
        if now == self.history_hash:
            return ""
        broken = {violation.property for violation in run.violations}
        outcome = "still breaks" if self.property in broken else "no longer breaks"
        parts = [
            f"the run {outcome} {self.property}, but it is not the run that was found: {len(run.history)} events with "
            f"hash {now}, not {self.events} with {self.history_hash}"
        ]
        parts += _other_versions(self.versions)
        violation = next((each for each in run.violations if each.property == self.property), None)
        for number, (before, after) in enumerate(zip(self.story, story_of(run, violation), strict=False)):
            if number > 1 and before != after:
                parts.append(f"the story parts at {after.strip()!r}, it was {before.strip()!r}")
                break
        return "; ".join(parts)


def make(
    counterexample: Counterexample,
    scenario: Scenario | None = None,
    *,
    size: Mapping[str, int] | None = None,
    found_by: Mapping[str, Any] | None = None,
) -> tuple[Finding, Run]:
    """Runs a counterexample once more, and keeps what is to be kept of it. ``ValueError`` if it breaks nothing."""
    found = scenario or find(counterexample.scenario)
    tape, lasso = counterexample.tape, None
    if counterexample.kind == LIVENESS and counterexample.loop_start is not None:
        assert counterexample.loop_end is not None
        lasso = {
            "loop_start": counterexample.loop_start,
            "loop_end": counterexample.loop_end,
            "loop_ms": counterexample.loop_ms or 0,
        }
        tape = replace(tape, choices=unrolled(found, counterexample))
    run = simulate(found, tape=tape)
    name = counterexample.property_name
    violation = next((each for each in run.violations if each.property == name), None)
    if violation is None:
        raise ValueError(f"the tape does not break {name}: {tape}")
    finding = Finding(
        run.tape, name, counterexample.kind, violation.message, violation.step, violation.at_ms, hash_of(run.history),
        len(run.history), tuple(story_of(run, violation)), size or {}, versions(), found_by or {}, lasso,
    )  # fmt: skip
    return finding, run


def story_of(run: Run, violation: Violation | None) -> list[str]:
    """The story up to the moment that matters: what happens after a promise is broken is another story."""
    from ..views.story import tell

    return tell(until(run.history, violation))


def until(history: History, violation: Violation | None) -> History:
    """The history up to and including the event that breaks a property."""
    if violation is None:
        return history
    return History(history.header, history.events[: violation.step + 1])


def hash_of(history: History) -> str:
    """A digest of every event, without the header: words about a scenario may change."""
    digest = blake2b(digest_size=HASH_BYTES)
    lines = history.lines()
    next(lines)
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """What a run's bytes may depend on, besides the code that is run."""
    return {
        "redelivery": metadata.version("redelivery"),
        "redis-py": metadata.version("redis"),
        "python": platform.python_version(),
    }


def _other_versions(before: Mapping[str, str]) -> list[str]:
    return [
        f"{name} was {before[name]} and is {now}"
        for name, now in versions().items()
        if name in before and before[name] != now
    ]


def read(path: Path) -> Finding:
    """Reads a finding's file; ``BadInput`` says what is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot read the finding {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not a finding: it is not UTF-8 text") from error
    return load(text, str(path))


def is_finding(text: str) -> bool:
    """Whether a file's text claims to be a finding."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("redelivery") == "finding"


def load(text: str, name: str) -> Finding:
    """The finding that a file's text spells; ``name`` is used in errors."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadInput(f"{name}{where}: not JSON; was the finding cut?") from error
    if not isinstance(value, dict) or value.get("redelivery") != "finding":
        raise BadInput(f"{name} is not a finding: it lacks '\"redelivery\": \"finding\"'")
    if value.get("version") != VERSION:
        raise BadInput(f"{name} is a finding of version {value.get('version')}; this Redelivery reads {VERSION}")
    for key, kind in _FIELDS.items():
        if type(value.get(key)) is not kind:
            raise BadInput(f"{name}: the finding's {key!r} is {value.get(key)!r}, it must be {_WORDS[kind]}")
    if value["kind"] not in KINDS:
        raise BadInput(f"{name}: the finding's 'kind' is {value['kind']!r}, it must be one of: {', '.join(KINDS)}")
    story = tuple(str(line) for line in value["story"])
    lasso = value.get("lasso")
    return Finding(
        parse(value["tape"]), value["property"], value["kind"], value["message"], value["event"], value["at_ms"],
        value["history_hash"], value["events"], story, value["size"], value["versions"], value["found_by"],
        lasso if isinstance(lasso, dict) else None,
    )  # fmt: skip


_FIELDS: dict[str, type] = {
    "tape": str, "property": str, "kind": str, "message": str, "event": int, "at_ms": int, "history_hash": str,
    "events": int, "story": list, "size": dict, "versions": dict, "found_by": dict,
}  # fmt: skip
_WORDS: dict[type, str] = {str: "text", int: "a whole number", list: "a list", dict: "an object"}
