"""A search that is stopped in the middle goes on from its checkpoint and ends with the same numbers."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from redelivery.sim.catalogue import find
from redelivery.sim.check import breadth
from redelivery.sim.check.breadth import Progress
from redelivery.sim.check.check import check
from redelivery.sim.check.report import Result
from redelivery.sim.errors import BadInput

PARAMS = {"entries": "2", "consumers": "2"}


class Killed(BaseException):
    """Whoever runs the search is gone."""


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breadth, "EVERY", 50)


def minutes() -> Iterator[float]:
    return (float(60 * n) for n in count())


def searched(path: Path | None = None, *, resume: Path | None = None, killed_at: int | None = None) -> Result:
    clock = minutes()

    def report(progress: Progress) -> None:
        if killed_at is not None and progress.states >= killed_at:
            raise Killed

    return check(
        find("group-world"), "repaired", params=PARAMS, report=report, clock=lambda: next(clock), checkpoint=path,
        resume=resume,
    )  # fmt: skip


def numbers(result: Result) -> tuple[object, ...]:
    return (
        result.verdict, result.states, result.transitions, result.depth, result.unmet, result.coverage,
        result.statistics, result.notes,
    )  # fmt: skip


@pytest.mark.parametrize("killed_at", [150, 300, 500])
def test_a_search_goes_on_from_its_checkpoint(killed_at: int, tmp_path: Path) -> None:
    file = tmp_path / "c"
    with pytest.raises(Killed):
        searched(file, killed_at=killed_at)
    assert file.is_file()
    assert numbers(searched(resume=file)) == numbers(searched())
    assert not list(tmp_path.glob("*.part"))


def test_a_checkpoint_of_another_check_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "c"
    with pytest.raises(Killed):
        searched(file, killed_at=200)
    with pytest.raises(BadInput, match=r"is a checkpoint of another check: group-world repaired .*, not group-world"):
        check(find("group-world"), "repaired", params={"entries": "1"}, resume=file)


@pytest.mark.parametrize("content", [b"", b"no", pickle.dumps(7)])
def test_what_is_no_checkpoint_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "c"
    file.write_bytes(content)
    with pytest.raises(BadInput, match="is not a checkpoint"):
        searched(resume=file)
    with pytest.raises(BadInput, match="cannot read the checkpoint"):
        searched(resume=tmp_path / "none")


def test_a_checkpoint_that_cannot_be_written_is_told_and_the_search_goes_on(tmp_path: Path) -> None:
    full = Path("/dev/full")
    target = tmp_path / "c"
    target.with_name("c.part").symlink_to(full)
    result = searched(target)
    assert numbers(result)[:-1] == numbers(searched())[:-1]
    assert result.notes == (f"no checkpoint could be written to {target}: No space left on device",)
