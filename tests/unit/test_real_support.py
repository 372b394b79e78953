"""The page of what is supported: it is what the command table and the records give, and claims nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from redelivery.models.dialects import DIALECTS
from redelivery.sim.errors import BadInput
from redelivery.sim.real.diff.campaign import Report
from redelivery.sim.real.diff.coverage import grammar_of
from redelivery.sim.real.diff.records import FILE, Record, read, record_of, remember
from redelivery.sim.real.diff.support import ABSENT, UNVERIFIED, page

PAGE = Path(__file__).resolve().parents[2] / "SUPPORT.md"


def cells(text: str, first: str) -> list[str]:
    (line,) = (line for line in text.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_page_is_what_the_generator_gives() -> None:
    assert PAGE.read_text() == page(), "run: python -m redelivery.sim.real.diff.support > SUPPORT.md"


def test_every_record_is_of_a_dialect_that_there_is_and_of_that_version() -> None:
    for dialect, record in read().items():
        assert dialect in DIALECTS
        assert record.version.startswith(dialect.partition("-")[2] + ".")
        assert record.commands or record.edges
        assert set(record.met) <= {*grammar_of(DIALECTS[dialect])}, "what was compared is still there"


def test_a_cell_says_how_often_it_was_compared() -> None:
    record = Record("redis-8.6", "8.6.3", commands=1234, met={"XADD": {"any": 1000, "MAXLEN": 17}})
    text = page({"redis-8.6": record})
    at = 1 + list(DIALECTS).index("redis-8.6")
    assert cells(text, "**XADD**")[at] == "1,000"
    assert cells(text, "**XLEN**")[at] == UNVERIFIED
    assert cells(text, "**XAUTOCLAIM**")[1 + list(DIALECTS).index("redis-6.0")] == ABSENT
    assert cells(text, "`redis-8.6`")[1:3] == ["8.6.3", "1,234"]
    assert cells(text, "`redis-7.0`")[1] == "none yet"


def test_nothing_recorded_is_nothing_claimed() -> None:
    assert not any(character.isdigit() for character in "".join(cells(page({}), "**XADD**")))


def test_a_report_becomes_a_record() -> None:
    report = Report("embedded", "6.2.14", "redis-6.2", commands=5, replies=7, states=1)
    report.coverage = {
        "XLEN": {"any": {"answers": 3, "zero": 3, "error: ERR x": 2}},
        "(no command)": {"any": {"error: ERR unknown command": 4}},
    }
    found = record_of(report, 3)
    assert (found.dialect, found.version, found.seed, found.commands, found.rows) == ("redis-6.2", "6.2.14", 3, 5, 4)
    assert found.met == {"XLEN": {"any": 5}}


def test_records_are_kept_one_a_dialect(tmp_path: Path) -> None:
    path = tmp_path / "verified.json"
    remember(path, Record("redis-7.0", "7.0.15", commands=10))
    remember(path, Record("redis-6.2", "6.2.14", commands=20))
    remember(path, Record("redis-7.0", "7.0.15", depth=5, edges=99))
    assert read(path)["redis-7.0"] == Record("redis-7.0", "7.0.15", commands=10, depth=5, edges=99)
    remember(path, Record("redis-7.0", "7.0.15", commands=11))
    assert read(path)["redis-7.0"].edges == 99
    remember(path, Record("redis-7.0", "7.0.16", commands=12))
    assert read(path)["redis-7.0"] == Record("redis-7.0", "7.0.16", commands=12), "another version is another server"
    assert list(read(path)) == ["redis-6.2", "redis-7.0"]


@pytest.mark.parametrize("text", ["", "[]", '{"format": 9, "servers": []}', '{"format": 1, "servers": [{"x": 1}]}'])
def test_a_file_that_holds_no_records_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "verified.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=r"verified\.json holds"):
        read(path)


def test_the_file_is_at_its_place() -> None:
    assert FILE.name == "verified.json"
