"""The track record: how each bug was found, kept as data, and told as a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from .catalogue import BUGS, FAMILIES
from .hunting import COMMANDS_MAX, UNFOCUSED_MAX

DATA = Path(__file__).with_name("track_record.json")
PAGE = Path(__file__).parents[1] / "TRACK_RECORD.md"

INTRODUCTION = f"""\
# Track record

A comparison that finds nothing says little until one knows what it would find. So {{bugs}} faults can be switched on in
the model. Each is a mistake that somebody has made: in a server, a double, a client or a consumer, as its thread
tells, or one that is easily made (*mis-modelled*), where the real server is the judge.

Random comparison with a real server finds every one of them within {COMMANDS_MAX:,} commands, and makes what it found
small. A test repeats the search for all of them. It fails when one is not found, or stays larger by more than two.

* **found after**: commands of a search that is fond of the commands concerned, from a fixed seed, until an answer
  is not the server's (at most {{found_max:,}}, half of them within {{found_median:,}});
* **shrunk to**: commands that are left, the least of three runs; a look at the state counts as one (at most
  {{shrunk_max}}, half of them {{shrunk_median}} or fewer);
* **unfocused**: commands of a comparison that is fond of nothing, as `redelivery diff --seed 1` makes it, until the
  same; measured once. {{unfocused_found}} of {{unfocused_all}} were found so within {UNFOCUSED_MAX:,}; a campaign asks
  nothing of the kind where there is a dash.

`REDELIVERY_TRACK_RECORD=write pytest tests/quality/test_track_record.py` makes this page, with all servers at hand.
"""


@dataclass(frozen=True)
class Record:
    """How one bug was found.

    ``unfocused`` is 0 where the campaign did not find it, and ``None`` where there was none.
    """

    dialect: str
    found_after: int
    shrunk_to: int
    story: str
    unfocused: int | None = None


def read() -> dict[str, Record]:
    """The record as it was written last; empty where there is none."""
    if not DATA.exists():
        return {}
    return {name: Record(**values) for name, values in json.loads(DATA.read_text()).items()}


def write(records: Mapping[str, Record]) -> None:
    """Keeps the record, in the order of the catalogue, and makes the page of it."""
    known = {bug.name: asdict(records[bug.name]) for bug in BUGS if bug.name in records}
    DATA.write_text(json.dumps(known, indent=1) + "\n")
    if len(known) == len(BUGS):
        PAGE.write_text(page(read()))


def page(records: Mapping[str, Record]) -> str:
    """The track record in Markdown."""
    found = [record.found_after for record in records.values()]
    shrunk = [record.shrunk_to for record in records.values()]
    unfocused = [record.unfocused for record in records.values() if record.unfocused is not None]
    unfocused_found = sum(map(bool, unfocused))
    parts = [
        INTRODUCTION.format(
            bugs=len(records), found_max=max(found), found_median=int(median(found)), shrunk_max=max(shrunk),
            shrunk_median=int(median(shrunk)), unfocused_found=unfocused_found, unfocused_all=len(unfocused),
        )
    ]  # fmt: skip
    for family, bugs in FAMILIES.items():
        parts.append(f"## {family[:1].upper()}{family[1:]}\n")
        rows = ["| bug | the model with it | mirrors | server | found after | shrunk to | unfocused |"]
        rows.append("| --- | --- | --- | --- | ---: | ---: | ---: |")
        for bug in bugs:
            of = records[bug.name]
            cells = (
                f"`{bug.name}`", bug.says.replace("|", "\\|"), bug.mirrors, of.dialect, f"{of.found_after:,}",
                str(of.shrunk_to), _commands(of.unfocused),
            )  # fmt: skip
            rows.append(f"| {' | '.join(cells)} |")
        parts.append("\n".join(rows) + "\n")
    parts.append("## What is left of each\n")
    parts.append(
        "A letter is a connection (a capital one speaks RESP3), `+100` moves the clock, `?` shows the state.\n"
    )
    for name, record in records.items():
        parts.append(f"`{name}`\n\n```\n{record.story}\n```\n")
    return "\n".join(parts)


def _commands(unfocused: int | None) -> str:
    if unfocused is None:
        return "–"
    return f"{unfocused:,}" if unfocused else "not found"
