"""A log that MONITOR of a real server wrote, read back: the model comes to what the server was at the end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redelivery.models.facts import Acked, Added, Claimed, Delivered
from redelivery.models.ids import ms_of, seq_of
from redelivery.sim.cli import main
from redelivery.sim.history import read
from redelivery.sim.real.servers import ServerBinary
from redelivery.sim.real.spawn import SpawnedServer

from .test_wire_redis_py import chosen


@pytest.fixture(params=chosen(), ids=lambda server: server.dialect)
def real(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    binary: ServerBinary = request.param
    with SpawnedServer(binary, enable_debug=True, tcp=True) as server:
        yield binary.dialect, server.address.port


def plain(value: Any) -> Any:
    """A reply as redis-cli --json prints it."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.decode() if isinstance(value, bytes) else value


def snapshot(port: int, path: Path) -> str:
    client: Any = redis.Redis(port=port, protocol=3)
    client.response_callbacks.clear()
    reply = client.execute_command("XINFO", "STREAM", "orders", "FULL", "COUNT", "0")
    path.write_text(json.dumps(plain(reply)))
    return f"orders={path}"


def watched(port: int, log: Path, work: Any) -> None:
    """Writes what MONITOR shows while ``work`` is done, as redis-cli does."""
    client: Any = redis.Redis(port=port)
    with client.monitor() as monitor, log.open("wb") as out:
        out.write(b"OK\n")
        done = threading.Thread(target=work)
        done.start()
        while True:
            line = monitor.connection.read_response(disable_decoding=True)
            out.write(line.removeprefix(b"+") + b"\n")
            if b'"ECHO" "end"' in line:
                break
        done.join()


def work(port: int) -> None:
    shop: Any = redis.Redis(port=port, client_name="shop")
    worker: Any = redis.Redis(port=port, client_name="worker")
    ids = [shop.xadd("orders", {"n": f"new {n} \"\x00\xff"}) for n in range(4)]
    shop.xreadgroup("workers", "a", {"orders": ">"}, count=3)
    shop.xreadgroup("workers", "a", {"orders": ">"})
    assert not worker.xreadgroup("workers", "b", {"orders": ">"}, block=30)
    reader = threading.Thread(target=lambda: worker.xreadgroup("workers", "b", {"orders": ">"}, block=10_000))
    reader.start()
    until = time.monotonic() + 10
    while shop.info("clients")["blocked_clients"] != 1 and time.monotonic() < until:
        time.sleep(0.01)
    pipe = shop.pipeline()
    pipe.xadd("orders", {"n": "last"})
    pipe.xack("orders", "workers", ids[0])
    pipe.execute()
    reader.join()
    shop.eval("return redis.call('XACK', KEYS[1], 'workers', ARGV[1])", 1, "orders", ids[1])
    shop.xautoclaim("orders", "workers", "c", 0)
    shop.xtrim("orders", maxlen=2, approximate=False)
    shop.echo("end")


def test_a_log_of_monitor_leads_to_what_the_server_was(
    real: tuple[str, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dialect, port = real
    shop: Any = redis.Redis(port=port)
    shop.xgroup_create("orders", "workers", "$", mkstream=True)
    old = [shop.xadd("orders", {"n": n}) for n in ("old", "older", "gone")]
    shop.xreadgroup("workers", "z", {"orders": ">"}, count=2)
    shop.xdel("orders", old[2])
    before = snapshot(port, tmp_path / "before.json")
    log, target = tmp_path / "monitor.log", tmp_path / "history.jsonl"
    watched(port, log, lambda: work(port))
    after = snapshot(port, tmp_path / "after.json")
    words = ["import", str(log), "--dialect", dialect, "-o", str(target), "--json"]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--before", before, "--after", after, "--property", "no-entry-lost"])
    said = json.loads(capsys.readouterr().out)
    assert (said["differences"], said["notes"]) == ([], [])
    assert (ended.value.code, [one["property"] for one in said["violations"]]) == (1, ["no-entry-lost"])
    events = list(read(target))
    facts = [fact for event in events for fact in getattr(event, "facts", ())]
    count = {kind: sum(isinstance(fact, kind) for fact in facts) for kind in (Added, Delivered, Claimed, Acked)}
    assert count[Acked] == 2
    assert count[Delivered] == 5
    processes = {getattr(event, "process", "") for event in events}
    assert "lua" in processes
    if dialect != "redis-6.2":  # up to there MONITOR shows no CLIENT SETNAME
        assert processes >= {"shop", "worker"}
    with pytest.raises(SystemExit) as ended:
        main([*words, "--after", after])
    assert ended.value.code == 3
    assert json.loads(capsys.readouterr().out)["differences"], "without what was there before it is another stream"


GOOD = '1700000000.000000 [0 127.0.0.1:5] "XADD" "k" "1-1" "a" "b"\n'


@pytest.mark.parametrize(("text", "options", "line"), [
    (None, [], "cannot read the log {log}: No such file"),
    ("", [], "{log} holds no line of MONITOR"),
    ("OK\n" + GOOD + "hello\n" + GOOD, [], "{log}, line 3: not a line of MONITOR"),
    (GOOD, ["--dialect", "redis-9"], "unknown dialect 'redis-9'"),
    (GOOD, ["--before", "orders"], "'orders' is not KEY=FILE"),
    (GOOD, ["--after", "orders={log}"], "{log} is not JSON"),
    (GOOD, ["--before", "orders={json}"], "{json} is no snapshot of a stream"),
    (GOOD, ["--property", "no-such"], "unknown property 'no-such'"),
    (GOOD, ["-o", "/nowhere/h.jsonl"], "/nowhere"),
])  # fmt: skip
def test_bad_input_is_one_line(
    text: str | None, options: list[str], line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"log": tmp_path / "monitor.log", "json": tmp_path / "info.json"}
    names["json"].write_text('{"length": 1}')
    if text is not None:
        names["log"].write_text(text)
    with pytest.raises(SystemExit) as ended:
        main(["import", str(names["log"]), *(option.format(**names) for option in options)])
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert line.format(**names) in said.err
    assert len(said.err.splitlines()) == 1


def test_a_last_line_that_was_cut_off_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "monitor.log"
    log.write_text(GOOD + GOOD[:30])
    with pytest.raises(SystemExit) as ended:
        main(["import", str(log), "--json"])
    assert (ended.value.code, json.loads(capsys.readouterr().out)["commands"]) == (0, 1)


def test_an_id_is_what_the_log_calls_it_later(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = '1700000000.0{:02}000 [0 127.0.0.1:5] '
    lines = [
        at.format(3) + '"XADD" "k" "*" "n" "1"', at.format(3) + '"MULTI"', at.format(5) + '"XADD" "k" "*" "n" "2"',
        at.format(5) + '"XADD" "k" "MAXLEN" "9" "*" "n" "3"', at.format(5) + '"EXEC"',
        at.format(9) + '"XADD" "k" "*" "n" "*"', at.format(9) + '"XDEL" "k" "1700000000001-0" "1700000000004-1"',
    ]  # fmt: skip
    log, target = tmp_path / "monitor.log", tmp_path / "history.jsonl"
    log.write_text("\n".join(lines) + "\n")
    with pytest.raises(SystemExit):
        main(["import", str(log), "-o", str(target)])
    capsys.readouterr()
    facts = [fact for event in read(target) for fact in getattr(event, "facts", ())]
    added = [(ms_of(fact.id), seq_of(fact.id)) for fact in facts if isinstance(fact, Added)]
    first = 1_700_000_000_000
    # Of the second the log never says the ID: it is that of its line's time, and the third comes right after it.
    assert added == [(first + 1, 0), (first + 5, 0), (first + 5, 1), (first + 9, 0)]
