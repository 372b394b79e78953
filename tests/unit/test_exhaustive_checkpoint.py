"""Checkpoints of the exhaustive search: kept whole, and refused in one line where they do not belong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from redelivery.models.dialects import DIALECTS
from redelivery.sim.errors import BadInput
from redelivery.sim.real.exhaustive.alphabet import alphabet
from redelivery.sim.real.exhaustive.batches import LOOKED, REPLY, Successor
from redelivery.sim.real.exhaustive.checkpoint import FORMAT, read, source_of_the_model, write
from redelivery.sim.real.exhaustive.probing import NOTHING, Differing, Expanded
from redelivery.sim.real.exhaustive.records import Records

LETTERS = alphabet(DIALECTS["redis-7.0"])
BELONGS = {"model": "m", "alphabet": "a", "dialect": "redis-7.0", "depth": "3"}


def some() -> Records:
    records = Records(LETTERS)
    found = [Successor(3, b"a" * 16, b"dump\n\x00"), Successor(4, b"b" * 16, None), Successor(5, b"a" * 16, b"again")]
    differences = [Differing(9, REPLY, b":1\r\n", b":2\r\n"), Differing(9, LOOKED, b"+a\r\n", NOTHING)]
    records.commit(Expanded(0, 7, found, differences))
    records.counts[7, ("answers", "nil", "leaves the state")] = 5
    records.end_level()
    records.commit(Expanded(1, 7, [Successor(6, b"c" * 16, b"")]))
    return records


def test_the_first_who_leads_to_a_state_has_found_it() -> None:
    records = some()
    assert [state.digest[:1] for state in records.states[1:]] == [b"a", b"b", b"c"]
    assert records.job(1) == (1, (3,), b"dump\n\x00", 0)
    assert records.job(2) == (2, (4,), b"", 1), "it is brought back by the state before it and a letter"
    assert records.job(3) == (3, (3, 6), b"", 0)
    assert records.depth == 1
    assert records.level_digests() == [b"a" * 16, b"b" * 16]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    records = some()
    write(tmp_path / "c", records, BELONGS)
    assert [path.name for path in tmp_path.iterdir()] == ["c"]
    assert read(tmp_path / "c", Records(LETTERS), BELONGS) == records
    write(tmp_path / "c", Records(LETTERS), BELONGS)
    assert read(tmp_path / "c", Records(LETTERS), BELONGS) == Records(LETTERS)


def test_a_difference_is_told_as_commands() -> None:
    one, other = some().differences
    assert one.commands[:3] == (
        "CONFIG SET stream-node-max-entries 2", "SET text x", "DEBUG SLEEP 1700000000.000",
    )  # fmt: skip
    assert one.command == b" ".join(LETTERS[9].argv).decode()
    assert (one.about, one.model, one.server) == ("reply", "1", "2")
    assert (other.about, other.server) == ("state", "(no answer: it blocks, or has hung up)")
    assert other.command == "XINFO STREAM s FULL COUNT 0"


@pytest.mark.parametrize("name", BELONGS)
def test_one_of_another_search_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path / "c", some(), {**BELONGS, name: "other"})
    with pytest.raises(BadInput, match=f"another {name} ") as said:
        read(tmp_path / "c", Records(LETTERS), BELONGS)
    assert "\n" not in str(said.value)
    assert str(tmp_path / "c") in str(said.value)


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c"
    write(path, some(), BELONGS)
    whole = path.read_bytes()
    line, _, payload = whole.partition(b"\n")
    head = json.loads(line)
    bad = {
        b"": "is no checkpoint",
        b"hello\n": "is no checkpoint",
        b"[1]\n": "is no checkpoint",
        b"\xff\x00\n": "is no checkpoint",
        b'{"format": "x/9"}\n': f"format x/9, not {FORMAT}",
        b'{"format": "%s"}\n' % FORMAT.encode(): "is damaged",
        whole[:-1]: "is damaged",
        whole + b"x": "is damaged",
        json.dumps({**head, "states": 2}).encode() + b"\n" + payload: "is damaged",
        json.dumps({**head, "level_ends": None, "counts": 3}).encode() + b"\n" + payload: "is damaged",
    }
    for content, reason in bad.items():
        path.write_bytes(content)
        with pytest.raises(BadInput, match=reason) as said:
            read(path, Records(LETTERS), BELONGS)
        assert "\n" not in str(said.value)
    with pytest.raises(BadInput, match="cannot read the checkpoint"):
        read(tmp_path, Records(LETTERS), BELONGS)
    with pytest.raises(BadInput, match="cannot write the checkpoint"):
        write(tmp_path / "nowhere" / "c", some(), BELONGS)


def test_the_model_is_known_by_its_source() -> None:
    assert source_of_the_model() == source_of_the_model()
    assert len(source_of_the_model()) == 16
