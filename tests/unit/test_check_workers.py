"""What becomes of a search by several workers when something is killed, full or stopped: and nobody stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest
from redelivery.sim.catalogue import find
from redelivery.sim.check import breadth, checkpoint
from redelivery.sim.check.breadth import Progress
from redelivery.sim.check.check import check
from redelivery.sim.check.everything import check_all
from redelivery.sim.check.parallel import crew, worker
from redelivery.sim.check.report import Result
from redelivery.sim.cli import main
from redelivery.sim.errors import BadInput, ScenarioError
from redelivery.sim.plan import Crash, Plan, Process
from redelivery.sim.scenario import Scenario, Variant

PARAMS = {"entries": "3", "consumers": "2", "crashes": "1"}


class Killed(BaseException):
    """Whoever runs the search is gone."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Workers start early, hand on often, and leave nobody behind."""
    monkeypatch.setattr(breadth, "WIDE", 20)
    monkeypatch.setattr(breadth, "EVERY", 100)
    monkeypatch.setattr(checkpoint, "EVERY_S", 0.0)
    monkeypatch.setattr(worker, "ROUND_STATES", 200)
    yield
    assert not active_children()


def searched(
    workers: int, path: Path | None = None, *, resume: Path | None = None, report: Any = None
) -> Result:
    return check(
        find("group-world"), "repaired", params=PARAMS, report=report, checkpoint=path, resume=resume, workers=workers,
        reduce=("zones",),
    )  # fmt: skip


@cache
def alone() -> Result:
    """The search by one."""
    return searched(1)


def numbers(result: Result) -> tuple[object, ...]:
    return (
        result.verdict, result.states, result.transitions, result.depth, result.unmet, result.coverage,
        result.statistics,
    )  # fmt: skip


def at(states: int, then: Callable[[], None]) -> Callable[[Progress], None]:
    """Does something when so many states have been found."""

    def report(progress: Progress) -> None:
        if progress.states >= states:
            then()

    return report


def gone() -> None:
    raise Killed


def kill_one() -> None:
    os.kill(min(child.pid or 0 for child in active_children()), signal.SIGKILL)


# ---- whoever leads is gone ----


@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 2), (2, 2), (3, 2), (2, 3)])
def test_a_checkpoint_goes_on_with_any_number_of_workers(before: int, after: int, tmp_path: Path) -> None:
    file = tmp_path / "c"
    with pytest.raises(Killed):
        searched(before, file, report=at(900, gone))
    assert [path.name for path in tmp_path.iterdir()] == ["c"]
    resumed = searched(after, resume=file)
    assert numbers(resumed) == numbers(alone())
    assert resumed.workers == after


def test_what_was_found_before_is_found_again_after(tmp_path: Path) -> None:
    """A violation far in: its numbers and its tape are those of a search that was never stopped."""
    file = tmp_path / "c"
    scenario, params = find("crash-before-ack"), {"entries": "2"}
    whole = check(scenario, "broken", params=params)
    with pytest.raises(Killed):
        check(
            scenario, "broken", params=params, workers=2, checkpoint=file, report=at(whole.states // 2, gone),
        )  # fmt: skip
    for workers in (1, 2):
        resumed = check(scenario, "broken", params=params, workers=workers, resume=file)
        assert (resumed.counterexample, resumed.steps) == (whole.counterexample, whole.steps)
        assert numbers(resumed) == numbers(whole)


def test_a_checkpoint_that_was_cut_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "c"
    with pytest.raises(Killed):
        searched(2, file, report=at(900, gone))
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(BadInput, match="is not a whole checkpoint"):
        searched(1, resume=file)


LEADER = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever is started in the background is deaf to it
from multiprocessing import active_children
from redelivery.sim.catalogue import find
from redelivery.sim.check import breadth, checkpoint
from redelivery.sim.check.check import check
from redelivery.sim.check.parallel import crew, worker
from redelivery.sim.cli import main
breadth.WIDE, worker.ROUND_STATES, checkpoint.EVERY_S = 20, 60, 0.0
crew.START_METHOD = sys.argv[1]
from redelivery.sim.cli.proving import ProgressLine
def tell(self, progress):
    if active_children() or "1" in sys.argv:
        print(progress.states, *[child.pid for child in active_children()], file=sys.stderr, flush=True)
ProgressLine.tell = tell
if __name__ == "__main__":
    main(["check", "group-world", "--without", "symmetry", "--json", *sys.argv[2:]])
"""
WIDE = ("--param", "entries=4")
NARROW = ("--param", "entries=4", "--param", "consumers=2", "--param", "crashes=1")


def led(
    tmp_path: Path, start: str, *arguments: str, workers: int = 2, params: tuple[str, ...] = WIDE
) -> tuple[subprocess.Popen[str], list[int]]:
    """A search in a process of its own, as soon as its workers have found something; with their numbers."""
    script = tmp_path / "leader.py"
    script.write_text(LEADER)
    process = subprocess.Popen(
        [sys.executable, str(script), start, "--workers", str(workers), *params, *arguments], stderr=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        words = line.split()
        if len(words) == 1 + workers * (workers > 1) and all(word.isdigit() for word in words) and int(words[0]) > 2000:
            return process, [int(word) for word in words[1:]]
    raise AssertionError(f"it ended with {process.wait()}")


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:  # there is no /proc
        return True
    except ProcessLookupError:  # it went meanwhile
        return False


def all_gone(pids: list[int]) -> bool:
    for _ in range(200):
        if not any(is_there(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers_end_with_whoever_leads_them(start: str, tmp_path: Path) -> None:
    process, pids = led(tmp_path, start, "--checkpoint", "c")
    process.kill()
    process.communicate()
    assert all_gone(pids)
    assert (tmp_path / "c").is_file()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_search_that_is_killed_is_resumed_to_the_same_counts(
    workers: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the command line alone: one is killed, which has no time to say anything; another goes on from its file."""
    process, _ = led(tmp_path, "fork", "--checkpoint", "c", workers=workers, params=NARROW)
    process.kill()
    out, _ = process.communicate()
    assert (process.returncode, out) == (-signal.SIGKILL, "")
    said = []
    for more in (["--resume", str(tmp_path / "c"), "--workers", str(workers)], []):
        with pytest.raises(SystemExit) as ended:
            main(["check", "group-world", "--without", "symmetry", "--json", *NARROW, *more])
        assert not ended.value.code
        said.append(json.loads(capsys.readouterr().out))
    resumed, whole = said
    for key in ("verdict", "states", "transitions", "depth", "unmet", "coverage", "statistics"):
        assert resumed[key] == whole[key], key
    assert resumed["workers"] == workers


def test_ctrl_c_leaves_what_was_seen_and_nobody_behind(tmp_path: Path) -> None:
    process, pids = led(tmp_path, "fork", "--checkpoint", "c")
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    said = json.loads(out)
    assert (process.returncode, said["verdict"]) == (3, "incomplete")
    assert said["states"] > 2000
    assert said["notes"] == [
        "the search was stopped before its end: the numbers are of what was seen until then; go on with --resume c"
    ]
    assert "Traceback" not in err
    assert all_gone(pids)


# ---- a worker is gone, or meets an error ----


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_killed_worker_is_named_and_what_was_seen_is_kept(
    start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "START_METHOD", start)
    file = tmp_path / "c"
    result = check(
        find("group-world"), "repaired", params=PARAMS, report=at(900, kill_one), checkpoint=file, workers=2,
        reduce=("zones",),
    )  # fmt: skip
    assert (result.verdict, result.states >= 900) == ("incomplete", True)
    (note,) = [note for note in result.notes if "killed" in note]
    assert note.endswith(
        f" of 2 was killed by signal 9: the numbers are of what was seen until then; go on with --resume {file}"
    )


def test_a_worker_that_is_killed_before_it_has_begun_leaves_one_to_search(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []

    class Doomed(crew.Crew):
        def ask(self, questions: Any) -> list[Any]:
            if not begun:
                begun.append(1)
                self._processes[0].kill()
            return super().ask(questions)

    monkeypatch.setattr("redelivery.sim.check.parallel.search.Crew", Doomed)
    result = searched(2)
    assert numbers(result) == numbers(alone())
    assert result.notes == ("one worker: worker 1 of 2 was killed by signal 9",)


async def patient(redis: Any, me: str, n: int) -> int:
    """Asks for more than the scenario declares, but not at once."""
    await redis.xautoclaim("s", "g", me, 9 if n == 5 else 2, count=1)
    return n + 1


def test_an_error_is_that_of_a_search_by_one() -> None:
    def plan(params: Any) -> Plan:
        people = [Process(name, patient, initial=0, turns=7) for name in ("a", "b", "c")]
        setup = [("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")]
        return Plan(people, setup=setup, faults=[Crash("a")], faults_ms=5, within_ms=9, idle_ms_max=2)

    scenario = Scenario("mine", "mine", {"given": Variant("as it is", plan)}, properties=["ids-increase"])
    messages, used = [], []
    for workers in (1, 2):
        progress: list[Progress] = []
        with pytest.raises(ScenarioError, match="declares at most 2 ms: raise idle_ms_max") as raised:
            check(scenario, "given", workers=workers, report=progress.append)
        messages.append(str(raised.value).partition(" (the search ended after")[0])
        used.append(any(each.memory_bytes for each in progress))
    assert messages[0] == messages[1]
    assert used == [False, True]


# ---- a full disk ----


@pytest.mark.parametrize("name", ["c.part", "c.part2"])
def test_a_full_disk_is_told_and_the_search_goes_on(name: str, tmp_path: Path) -> None:
    (tmp_path / name).symlink_to("/dev/full")
    result = searched(2, tmp_path / "c")
    assert numbers(result) == numbers(alone())
    assert result.notes == (f"no checkpoint could be written to {tmp_path / 'c'}: No space left on device",)


# ---- several checks at a time ----


def test_a_killed_check_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    todo = [("crash-before-ack", "broken"), ("group-world", "broken"), ("slow-handler-claimed", "broken")]
    killed: list[int] = []

    class Hit(crew.Crew):
        def put(self, place: int, question: Any) -> None:
            super().put(place, question)
            if question == todo[0] and not killed:
                killed.append(place)
                self._processes[place].kill()

    monkeypatch.setattr("redelivery.sim.check.everything.Crew", Hit)
    rows = check_all(todo, None, ("zones", "symmetry"), 2, float)
    assert [row.outcome for row in rows] == ["failed", "as declared", "as declared"]
    assert rows[0].message.endswith(" of 2 was killed by signal 9 while it did this; check this one alone")


def test_ctrl_c_keeps_the_checks_that_are_done() -> None:
    todo = [("crash-before-ack", "broken"), ("group-world", "broken")]

    def tell(row: Any) -> None:
        raise KeyboardInterrupt

    rows = check_all(todo, None, ("zones", "symmetry"), 2, float, tell)
    assert sorted(row.outcome for row in rows) == ["as declared", "stopped"]
