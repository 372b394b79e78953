"""``redelivery serve`` as people start it: it says when it is ready, ends on Ctrl-C, and refuses in one line."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from redelivery.sim.cli import main
from redelivery.sim.events import Effect
from redelivery.sim.history import read
from redis.backoff import NoBackoff
from redis.retry import Retry

COMMAND = [sys.executable, "-m", "redelivery", "serve"]


@contextmanager
def serving(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The server, and the first line that it prints."""
    process = subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


def test_it_says_when_it_is_ready_and_ends_cleanly(tmp_path: Path) -> None:
    path, history = tmp_path / "s.sock", tmp_path / "h.jsonl"
    with serving("--port", "0", "--unixsocket", str(path), "--history", str(history), "--dialect", "redis-7.0") as (
        process,
        ready,
    ):
        word, port = ready.split()
        assert word == "ready"
        with redis.Redis(port=int(port)) as tcp, redis.Redis(unix_socket_path=str(path)) as unix:
            assert tcp.xadd("s", {"a": 1}, id="1-1") == b"1-1"
            assert unix.xrange("s") == [(b"1-1", {b"a": b"1"})]
            assert unix.info("server")["redis_version"].startswith("7.0")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (0, "", "")
    assert not path.exists()
    written = read(history)
    assert any(isinstance(event, Effect) and event.facts for event in written)


def test_shutdown_ends_it_too() -> None:
    with serving("--port", "0", "--json") as (process, first):
        assert process.stdout is not None
        text = first
        while "}" not in text:
            text += process.stdout.readline()
        with redis.Redis(port=json.loads(text)["port"]) as client:
            client.shutdown(nosave=True)
        assert process.wait(10) == 0


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs the verb, which refuses, and gives the one line that it says."""

    def run(*options: str) -> str:
        with pytest.raises(SystemExit) as stop:
            main(["serve", *options])
        said = capsys.readouterr()
        assert (stop.value.code, said.out) == (2, "")
        [line] = said.err.splitlines()
        return line

    return run


def test_a_port_that_is_taken_is_one_line(refused: Callable[..., str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"--port {port} on 127.0.0.1: address already in use" in refused("--port", str(port)).lower()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--dialect", "redis-7.1"], "unknown dialect 'redis-7.1'"),
        (["--autojump"], "--autojump needs --clock virtual"),
        (["--port", "70000"], "--port"),
        (["--port", "0", "--unixsocket", "no/such/folder/s"], "--unixsocket no/such/folder/s: No such file"),
        (["--faults", "no-such-file"], "cannot read the faults no-such-file: No such file"),
        (["--history", "no/such/folder/h"], "cannot write the history to no/such/folder/h"),
    ],
)
def test_wrong_options_are_one_line(options: list[str], said: str, refused: Callable[..., str]) -> None:
    assert said in refused(*options)


def test_a_wrong_fault_is_named_with_its_line(tmp_path: Path, refused: Callable[..., str]) -> None:
    file = tmp_path / "faults.txt"
    file.write_text("# two lines\nlose-reply XACK nth 2\nlose-replies XACK\n")
    assert f"{file}, line 3: unknown fault 'lose-replies'" in refused("--faults", str(file))


def test_a_fault_on_a_command_that_there_is_not_is_named_with_its_line(
    tmp_path: Path, refused: Callable[..., str]
) -> None:
    file = tmp_path / "faults.txt"
    file.write_text("lose-reply XACK\nlose-reply XNACK\n")
    told = refused("--faults", str(file), "--dialect", "redis-7.0")
    assert f"{file}, line 2: unknown command 'XNACK'; did you mean 'XACK'?" in told


def test_what_never_struck_is_told_at_the_end_with_what_was_sent(tmp_path: Path) -> None:
    file = tmp_path / "faults.txt"
    file.write_text("lose-reply XCLAIM\nlose-reply XADD nth 5 client shop\nlose-reply PING\n")
    with serving("--port", "0", "--faults", str(file)) as (process, ready):
        port = int(ready.split()[1])
        plain: dict[str, Any] = {"port": port, "retry": Retry(NoBackoff(), 0)}
        with redis.Redis(client_name="shop", **plain) as shop, redis.Redis(client_name="other", **plain) as other:
            shop.xadd("s", {"a": 1})
            shop.xadd("s", {"a": 1})
            with pytest.raises(redis.ConnectionError):
                other.ping()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=10)
    claim, add = err.splitlines()
    assert process.returncode == 0
    assert "this fault never struck (lose-reply XCLAIM nth 1 times 1 struck 0): nobody sent XCLAIM; sent were" in claim
    assert "(lose-reply XADD nth 5 client shop times 1 struck 0): only 2 XADD came; sent were: " in add
    assert "PING (1) by other" in add
    assert "XADD (2) by shop" in add
