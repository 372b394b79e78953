"""``redelivery diff``: what it prints, and that it finds what is wrong and makes it small."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redelivery.models.commands import removing
from redelivery.models.group import Consumer, Group
from redelivery.models.server import Config
from redelivery.sim.cli import main
from redelivery.sim.errors import BadInput
from redelivery.sim.real.diff.actions import Connect, Do, Inspect
from redelivery.sim.real.diff.agreement import differences
from redelivery.sim.real.diff.bench import Bench
from redelivery.sim.real.diff.campaign import COMMANDS_A_RUN, campaign, seed_of
from redelivery.sim.real.diff.recorder import record
from redelivery.sim.real.diff.records import read
from redelivery.sim.real.diff.source import generate
from redelivery.sim.real.diff.story import actions_of
from redelivery.sim.real.script import Send
from redelivery.sim.real.servers import embedded
from redelivery.sim.real.spawn import SpawnedServer

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the virtual clock is for Linux x86-64"
)


def diff(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(["diff", *arguments])
    said = capsys.readouterr()
    assert isinstance(stop.value.code, int)
    return stop.value.code, said.out, said.err


def test_no_difference(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = diff(capsys, "--server", "embedded", "--commands", "3000", "--seed", "7", "--json")
    assert (code, err) == (0, "")
    (server,) = json.loads(out)["servers"]
    assert server["name"] == "embedded"
    assert server["version"].startswith(server["dialect"].partition("-")[2])
    assert server["commands"] == server["edges"] == 3000
    assert server["replies"] > 3000
    assert server["states"] > 20
    assert server["differences"] == []


def test_what_was_compared_is_recorded(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "verified.json"
    code, out, _ = diff(capsys, "--server", "embedded", "--commands", "1000", "--seed", "3", "--record", str(path))
    assert code == 0
    assert "no difference in 1,000 commands" in out
    assert "rows of command × option × outcome met" in out
    (record,) = read(path).values()
    assert (record.commands, record.seed, record.edges) == (1000, 3, 0)
    assert record.met["XADD"]["any"] > record.met["XADD"]["MAXLEN"] > 0


def test_nothing_is_recorded_where_something_differs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(removing, "NO_SUCH_KEY", b"ERR none such")
    code, _, _ = diff(capsys, "--server", "embedded", "--record", str(tmp_path / "verified.json"), "--json")
    assert code == 1
    assert not (tmp_path / "verified.json").exists()


def test_servers_are_compared_side_by_side_with_the_same_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for workers in ("1", "2"):
        arguments = ["--server", "embedded", "--server", "embedded", "--commands", "700", "--workers", workers]
        code, out, _ = diff(capsys, *arguments, "--json")
        assert code == 0
        found.append([{**server, "seconds": 0} for server in json.loads(out)["servers"]])
    assert found[0] == found[1]
    assert found[0][0] == found[0][1]


def test_coverage_and_what_it_lacks_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = diff(capsys, "--server", "embedded", "--commands", "3000", "--json")
    (server,) = json.loads(out)["servers"]
    assert server["coverage"]["XADD"]["any"]["added"] > 0
    assert server["coverage"]["XREADGROUP"][">"]["answers"] > 0
    assert any(row.startswith("XAUTOCLAIM | ") for row in server["unmet"])


# ---- servers that were not started here ----


@pytest.fixture
def running() -> Iterator[SpawnedServer]:
    with SpawnedServer(embedded(), tcp=True) as server:
        yield server


def url(server: SpawnedServer) -> str:
    return f"redis://127.0.0.1:{server.address.port}/0"


def test_a_running_server_is_compared_in_real_time(
    capsys: pytest.CaptureFixture[str], running: SpawnedServer
) -> None:
    code, out, _ = diff(capsys, "--server", url(running), "--commands", "600", "--json")
    (server,) = json.loads(out)["servers"]
    assert (code, server["differences"]) == (0, [])
    assert server["name"] == url(running)
    assert server["version"] == running.version
    assert server["commands"] == 600
    assert "in real time" in server["note"]
    with running.connect() as connection:
        assert connection.call(b"DBSIZE") == b":0\r\n", "nothing is left there"


def test_a_wrong_model_is_found_in_real_time_too(
    capsys: pytest.CaptureFixture[str], running: SpawnedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removing, "NO_SUCH_KEY", b"ERR none such")
    code, out, _ = diff(capsys, "--server", url(running), "--commands", "3000", "--json")
    (server,) = json.loads(out)["servers"]
    assert code == 1
    assert any("XSETID" in finding["command"].upper() for finding in server["differences"])


def test_a_server_in_use_is_refused_and_untouched_until_it_may_be_emptied(
    capsys: pytest.CaptureFixture[str], running: SpawnedServer
) -> None:
    with running.connect() as connection:
        connection.call(b"SET", b"mine", b"1")
        code, out, err = diff(capsys, "--server", url(running), "--commands", "100")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "is not empty (1 keys)" in err
        assert "--flush" in err
        assert connection.call(b"GET", b"mine") == b"$1\r\n1\r\n"
        code, _, _ = diff(capsys, "--server", url(running), "--commands", "100", "--flush")
        assert code == 0
        assert connection.call(b"GET", b"mine") == b"$-1\r\n"


def test_the_same_seed_asks_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for seed in ("1", "1", "2"):
        _, out, _ = diff(capsys, "--server", "embedded", "--commands", "700", "--seed", seed, "--json")
        (server,) = json.loads(out)["servers"]
        said.append((server["replies"], server["states"]))
    assert said[0] == said[1] != said[2]


def test_a_difference_is_told_as_commands_with_both_answers_and_as_a_test_that_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removing, "NO_SUCH_KEY", b"ERR none such")
    code, out, _ = diff(capsys, "--server", "embedded", "--commands", "20000")
    assert code == 1
    assert "redis-cli> XSETID" in out
    assert '  model   (error) "ERR none such"' in out
    assert '  server  (error) "ERR no such key"' in out
    test = out[out.index("from redelivery.sim.real.diff") :].partition("difference 2")[0]
    pasted: dict[str, object] = {}
    exec(test, pasted)
    (failing,) = (value for name, value in pasted.items() if name.startswith("test_"))
    assert callable(failing)
    with pytest.raises(AssertionError):
        failing()
    monkeypatch.undo()
    failing()


def test_what_is_found_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    assign = Group.assign

    def one_more(group: Group, entry_id: int, owner: Consumer, now_ms: int, count: int) -> bytes | None:
        return assign(group, entry_id, owner, now_ms, count + 1)

    monkeypatch.setattr(Group, "assign", one_more)
    report = campaign(embedded(), 20_000, 0)
    assert report.commands < 20_000, "it ends after a few differences"
    for finding in report.differences:
        sent = [line for line in finding.story.splitlines() if "> " in line]
        assert 3 <= len(sent) <= 6, finding.story


def test_a_model_that_fails_is_a_finding_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(group: Group, entry_id: int) -> None:
        raise RuntimeError("no such luck")

    monkeypatch.setattr(Group, "release", broken)
    report = campaign(embedded(), 20_000, 0)
    assert report.differences
    for finding in report.differences:
        assert finding.model == "fails: RuntimeError: no such luck"
        assert len(finding.story.splitlines()) <= 7, finding.story


# ---- at speed, and yet in the script's order ----


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench(embedded()) as found:
        yield found


BLOCKING = {
    "an entry comes in time": """
        a> XREAD BLOCK 100 STREAMS k $
        +100
        B> XADD k * f 1
    """,
    "the deadline comes first": """
        B> TIME
        a> XREAD BLOCK 100 STREAMS k $
        B> TIME
        +101
        B> XADD k * f 1
        a> TIME
    """,
    "two wait, in their order": """
        c> XREADGROUP GROUP g c BLOCK 100 STREAMS k >
        B> XGROUP CREATE k g $ MKSTREAM
        a> XREADGROUP GROUP g a BLOCK 100 STREAMS k >
        c> XREADGROUP GROUP g c BLOCK 100 STREAMS k >
        B> XADD k * f 1
        a> XACK k g 1700000000000-0
        B> XADD k * f 2
        c> TIME
        ?
    """,
    "the clock in a transaction": """
        a> MULTI
        a> XADD k * f 1
        +5
        a> TIME
        a> EXEC
        -5
        a> TIME
        ?3
    """,
    "a transaction that is not discarded": """
        a> MULTI
        a> DISCARD now
        a> XADD k * f 1
        +5
        a> XLEN k
        a> EXEC now
        +5
        a> XADD k * f 1
    """,
    "who publishes to oneself": """
        A> SUBSCRIBE c
        b> SUBSCRIBE c
        A> PUBLISH c 1
        A> XADD k * f 1
        +5
        A> PUBLISH c 2
        A> TIME
        A> RESET
        +5
        A> TIME
    """,
    "who waits hangs up": """
        a> XREAD BLOCK 0 STREAMS k $
        B> TIME
        a!
        B> XADD k * f 1
        B> XADD k * f 2
    """,
}


@pytest.mark.parametrize("story", BLOCKING)
def test_turns_of_the_event_loop_are_kept(bench: Bench, story: str) -> None:
    recorder = record(bench.dialect, Config(), actions_of(BLOCKING[story].splitlines()))
    assert bench.differences(recorder) == ()
    for _ in range(20):
        assert not bench.differs(recorder)


def test_a_wrong_reply_anywhere_in_a_batch_is_seen(bench: Bench) -> None:
    recorder = generate(bench.dialect, 3, 300).recorder
    assert not bench.differs(recorder)
    for start in (10, 111, len(recorder.script) - 3):
        at, step = next((i, s) for i, s in enumerate(recorder.script) if i >= start and isinstance(s, Send) and s.reply)
        recorder.script[at] = Send(step.conn, step.argv, step.at_ms, b":123456\r\n")
        assert bench.pipelined.first_difference(recorder.script) == at
        recorder.script[at] = step
        assert not bench.differs(recorder)


def test_a_difference_in_the_state_is_seen_at_speed(bench: Bench) -> None:
    recorder, other = (
        record(bench.dialect, Config(), [Connect(1, 2), Do(1, (b"XADD", b"k", b"1-1", b"f", value)), Inspect()])
        for value in (b"1", b"2")
    )
    assert not bench.differs(recorder)
    recorder.script[2:] = other.script[2:]
    assert bench.pipelined.first_difference(recorder.script) == 3


# ---- bad input ----


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--server", "redis-1.0"), "no server 'redis-1.0' is at hand"),
        (("--server", "/no/such/redis-server"), "there is no such file"),
        (("--server", "/bin/true"), "is not a Redis or Valkey server"),
        (("--server", "redis://127.0.0.1:1"), "no server answers at"),
        (("--server", "embedded", "--record", __file__), "holds no records of comparisons"),
        (("--commands", "0"), "--commands"),
        (("--commands", "many"), "--commands"),
    ],
)
def test_bad_usage_is_one_line(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str) -> None:
    code, out, err = diff(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert said in err


def test_a_dialect_that_is_not_modelled_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher = tmp_path / "redis-server"
    launcher.write_text("#!/bin/sh\necho 'Redis server v=2.8.2 sha=0'\n")
    launcher.chmod(0o755)
    code, _, err = diff(capsys, "--server", str(launcher))
    assert code == 2
    assert f"{launcher} is redis-2.8, which is older than all that is modelled; give --dialect" in err


def test_a_story_that_cannot_be_read_is_named() -> None:
    with pytest.raises(BadInput, match="line 2 of the story"):
        differences("\nwhat is this\n")


def test_what_differs_once_and_not_again_is_told_and_is_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def kept_waiting_once(bench: Bench, recorder: Any) -> bool:
        asked.append(not asked)
        return asked[-1]

    monkeypatch.setattr(Bench, "differs", kept_waiting_once)
    report = campaign(embedded(), 2 * COMMANDS_A_RUN, 7)
    assert (report.differences, report.unconfirmed) == ([], [seed_of(7, 0)])
    assert asked == [True, False, False]
