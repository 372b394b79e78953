"""Streams, lists and Pub/Sub through the same failures: the model and real servers give the same numbers."""

from __future__ import annotations

import json

import pytest
from redelivery.sim.cli import main
from redelivery.sim.comparison.stores import ModelStore, real_store
from redelivery.sim.comparison.table import fill
from redelivery.sim.comparison.transports import PubSub
from redelivery.sim.real.servers import ServerBinary, embedded
from redelivery.sim.real.spawn import SpawnedServer

from .servers_at_hand import servers_named


def compare(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["compare", *words])
    out, err = capsys.readouterr()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code, out, err


@pytest.mark.parametrize("binary", servers_named(), ids=lambda binary: binary.name)
def test_the_numbers_are_those_of_the_model(binary: ServerBinary) -> None:
    with real_store(binary) as (store, note):
        assert note == ""
        assert store.dialect == binary.dialect
        assert fill(store) == fill(ModelStore(binary.dialect))


def test_the_verb_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = compare(capsys, "--against", "embedded", "--json")
    assert (code, err) == (0, "")
    value = json.loads(out)
    server = value["server"]
    assert (server["name"], server["version"]) == ("embedded", embedded().version)
    assert server["table"] == value["table"]
    assert value["differences"] == []
    code, out, _ = compare(capsys, "--against", "embedded")
    assert code == 0
    assert "gave the same numbers in all 32" in out


def test_a_difference_is_shown_and_counts(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    # As if the model kept everything for a subscriber that does not read.
    monkeypatch.setattr("redelivery.models.server.Server.drop_slow_subscribers", lambda *_: None)
    code, out, _ = compare(capsys, "--against", "embedded", "--json")
    assert code == 1
    assert json.loads(out)["differences"] == [{"situation": "slow", "way": PubSub.name}]
    code, out, _ = compare(capsys, "--against", "embedded")
    assert code == 1
    assert f"slow, {PubSub.name}" in out


def test_a_server_of_somebody_else_is_left_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    with SpawnedServer(embedded(), tcp=True) as server, server.connect() as connection:
        connection.call(b"SET", b"theirs", b"1")
        code, out, err = compare(capsys, "--against", str(server.address))
        assert (code, out) == (2, "")
        assert "is not empty (1 keys)" in err
        limits = connection.call(b"CONFIG", b"GET", b"client-output-buffer-limit")
        elsewhere = f"redis://127.0.0.1:{server.address.port}/5"
        code, out, _ = compare(capsys, "--against", elsewhere, "--json")
        assert code == 0
        assert json.loads(out)["server"]["table"] == json.loads(out)["table"]
        assert connection.call(b"DBSIZE") == b":1\r\n"
        assert connection.call(b"INFO", b"keyspace").count(b"keys=") == 1
        assert connection.call(b"CONFIG", b"GET", b"client-output-buffer-limit") == limits
        connection.call(b"CONFIG", b"SET", b"client-output-buffer-limit", b"pubsub 0 0 0")
        code, _, err = compare(capsys, "--against", elsewhere)
        assert code == 2
        assert "keeps any number of bytes for a slow subscriber" in err
        code, _, _ = compare(capsys, "--against", str(server.address), "--flush")
        assert code == 2
        assert connection.call(b"GET", b"theirs") == b"$1\r\n1\r\n"  # refused before it is emptied
