"""The exhaustive search on real servers: exact counts, what it finds, and that it can be ended and go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from redelivery.models.commands import reading, removing
from redelivery.models.dialects import DIALECTS
from redelivery.models.group import Consumer, Group
from redelivery.models.replies import NIL_ARRAY
from redelivery.models.server import Server
from redelivery.sim.cli import main
from redelivery.sim.errors import BadInput
from redelivery.sim.real.errors import RealServerError
from redelivery.sim.real.exhaustive import search
from redelivery.sim.real.exhaustive.alphabet import alphabet
from redelivery.sim.real.exhaustive.search import Exploration, explore
from redelivery.sim.real.exhaustive.states import Model
from redelivery.sim.real.servers import ServerBinary, embedded

from .servers_at_hand import servers_named

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the virtual clock is for Linux x86-64"
)

EDGES_WITHIN_2 = {"redis-6.0": 12042, "redis-6.2": 15241, "redis-7.0": 15826, "valkey-9.1": 15826}
"""Whoever changes the alphabet sees here what it does."""

OUT_OF_BOUNDS = 14
"""How many steps of the clock there are in those states that would lead too far."""


HOW = ("changes the state", "leaves the state")


def what(found: Exploration) -> tuple[object, ...]:
    """All that must be the same whoever explores."""
    return found.states_by_depth, found.edges, found.differing, found.differences, found.coverage


@pytest.mark.parametrize("binary", servers_named(), ids=lambda binary: f"{binary.line}-{binary.version}")
def test_no_difference_in_any_state_within_two_commands(binary: ServerBinary) -> None:
    found = explore(binary, 2, workers=2)
    assert found.differences == ()
    assert found.differing == 0
    letters = len(alphabet(DIALECTS[found.dialect]))
    assert found.states_by_depth == (1, 7, 36 if found.dialect == "redis-6.0" else 37)
    assert found.edges == letters * found.states - OUT_OF_BOUNDS
    assert found.edges == EDGES_WITHIN_2.get(found.dialect, found.edges)
    assert found.letters == letters
    counts = {name: options["any"] for name, options in found.coverage.items()}
    met = {name: sum(outcomes.get(how, 0) for how in HOW) for name, outcomes in counts.items()}
    assert found.edges == sum(met.values())
    assert found.edges - met["the clock"] == (letters - 2) * found.states, "every command in every state"


def test_who_explores_makes_no_difference() -> None:
    one, three = explore(embedded(), 2), explore(embedded(), 2, workers=3)
    assert what(one) == what(three)


def test_a_state_is_the_same_whether_loaded_or_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = explore(embedded(), 2)
    monkeypatch.setattr(Model, "survives_a_load", lambda self, state, name: False)
    assert what(explore(embedded(), 2)) == what(loaded)


# ---- what is wrong is found ----


def one_more(
    group: Group, entry_id: int, owner: Consumer, now_ms: int, count: int, **more: bool
) -> bytes | None:
    return ASSIGN(group, entry_id, owner, now_ms, count + 1, **more)


ASSIGN = Group.assign


def test_a_wrong_state_is_found_by_the_shortest_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Group, "assign", one_more)
    assert explore(embedded(), 1).differing == 0, "two commands are not enough"
    found = explore(embedded(), 2)
    assert found.differing
    first = found.differences[0]
    assert [line.split()[0] for line in first.commands[3:-1]] == ["XADD", "XGROUP", "XREADGROUP"]
    assert (first.about, first.command) == ("state", "XINFO STREAM s FULL COUNT 0")
    assert first.where
    assert first.model != first.server
    assert all(one.about == "state" for one in found.differences)


def test_a_wrong_reply_is_found_and_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removing, "NO_SUCH_KEY", b"ERR none such")
    found = explore(embedded(), 0)
    assert {one.about for one in found.differences} == {"reply"}
    assert {one.command.split()[0] for one in found.differences} == {"XSETID"}
    assert found.differences[0].model == '(error) "ERR none such"'
    assert found.differences[0].server == '(error) "ERR no such key"'


def test_a_server_that_blocks_where_the_model_does_not_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(server: Server, session: object, wait: object) -> None:
        """Forgets to block."""

    monkeypatch.setattr(Server, "block", never)
    monkeypatch.setattr(reading, "BLOCKED", NIL_ARRAY)
    monkeypatch.setattr("redelivery.sim.real.exhaustive.probing.WATCHDOG_S", 0.5)
    monkeypatch.setattr("redelivery.sim.real.exhaustive.probing.PATIENCE_S", 0.1)
    found = explore(embedded(), 0)
    assert {one.command.split()[1] for one in found.differences} == {"BLOCK", "COUNT"}
    assert {one.server for one in found.differences} == {"(no answer: it blocks, or has hung up)"}


def test_differences_do_not_depend_on_who_explores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Group, "assign", one_more)
    whole = explore(embedded(), 2)
    monkeypatch.setattr(search, "CHUNK_STATES", 3)
    assert what(explore(embedded(), 2, checkpoint=tmp_path / "c")) == what(whole)
    assert what(explore(embedded(), 2, resume=tmp_path / "c")) == what(whole), "nothing is left to do"


# ---- ended, and gone on with ----

SLOWLY = """
import sys
from pathlib import Path
from redelivery.sim.real.exhaustive import search
from redelivery.sim.real.servers import embedded
if __name__ == "__main__":
    search.CHECKPOINT_EVERY_S = 0.0
    search.CHUNK_STATES = 2
    search.explore(embedded(), 3, workers=2, checkpoint=Path(sys.argv[1]))
"""


def head(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_bytes().partition(b"\n")[0])
    except FileNotFoundError:
        return {"expanded": 0}
    assert isinstance(found, dict)
    return found


def children(pid: int) -> set[int]:
    """All processes below one."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    found = {pid}
    while more := {child for child, parent in pairs if parent in found} - found:
        found |= more
    return found - {pid}


def test_a_run_that_was_killed_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    script, kept = tmp_path / "slowly.py", tmp_path / "kept"
    script.write_text(SLOWLY)
    run = subprocess.Popen([sys.executable, script, kept])
    limit = time.monotonic() + 120
    while int(str(head(kept)["expanded"])) <= 20 and time.monotonic() < limit:
        assert run.poll() is None, "it ended too early"
        time.sleep(0.01)
    below = children(run.pid)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert 20 < int(str(head(kept)["expanded"])) < 215
    assert len(below) >= 4, "two workers with a server each"
    while alive := [pid for pid in below if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < limit, f"{alive} outlive the run"
        time.sleep(0.05)
    resumed = explore(embedded(), 3, workers=2, resume=kept)
    assert what(resumed) == what(explore(embedded(), 3, workers=2))
    assert head(kept)["expanded"] == 215, "it was kept up to date"


def test_a_checkpoint_of_another_search_is_refused(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    explore(embedded(), 0, checkpoint=kept)
    with pytest.raises(BadInput, match=r"belongs to another depth \(0, not 1\)"):
        explore(embedded(), 1, resume=kept)


# ---- the command line ----


def diff(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(["diff", "--server", "embedded", *arguments])
    said = capsys.readouterr()
    assert isinstance(stop.value.code, int)
    return stop.value.code, said.out, said.err


def test_the_verb(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = diff(capsys, "--exhaustive", "1", "--workers", "1", "--json")
    assert (code, err) == (0, "")
    (server,) = json.loads(out)["servers"]
    assert (server["name"], server["states"], server["states_by_depth"]) == ("embedded", 8, [1, 7])
    assert server["commands"] == server["edges"] == 2710
    assert server["differences"] == []
    assert server["coverage"]["XADD"]["MAXLEN"]["a text"] > 0
    assert server["coverage"]["XADD"]["MAXLEN"]["trimmed"] > 0
    assert server["coverage"]["XACK"]["any"]["leaves the state"] == 8 * 8
    code, out, err = diff(capsys, "--exhaustive", "0", "--workers", "1")
    assert (code, err) == (0, "")
    assert "no difference in 339 edges: 339 commands in each of 1 states" in out


def test_the_verb_shows_a_difference(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removing, "NO_SUCH_KEY", b"ERR none such")
    code, out, _ = diff(capsys, "--exhaustive", "0", "--workers", "1")
    assert code == 1
    assert "  redis-cli> XSETID s " in out
    assert '  model   (error) "ERR none such"' in out
    assert "more; --json has the first" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--exhaustive", "1", "--seed", "1"], "--seed is for a random comparison"),
        (["--checkpoint", "x"], "--checkpoint is for --exhaustive"),
        (["--exhaustive", "13"], "the depth of an exhaustive search is from 0 to 12, not 13"),
        (["--exhaustive", "0", "--server", "embedded", "--checkpoint", "c"], "name it with --server"),
        (["--exhaustive", "0", "--resume", "/no/such/file"], "cannot read the checkpoint /no/such/file"),
    ],
)
def test_bad_input(capsys: pytest.CaptureFixture[str], arguments: list[str], says: str) -> None:
    code, out, err = diff(capsys, *arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1


def test_a_server_that_the_model_does_not_know_is_refused_or_held_against_one_near_it() -> None:
    binary = embedded()
    with pytest.raises(RealServerError, match=r"strange.* redis-4\.0"):
        explore(ServerBinary("strange", "4.0.1", binary.path), 0)
    found = explore(ServerBinary("odd", f"{binary.version.partition('.')[0]}.{99}.0", binary.path), 0)
    assert found.dialect in DIALECTS
    assert "is not modelled" in found.note
