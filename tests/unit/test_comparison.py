"""Streams, lists and Pub/Sub through the same failures: what is measured on the model, and how it is told."""

from __future__ import annotations

import json

import pytest
from redelivery.models.dialects import DIALECTS
from redelivery.sim.cli import main
from redelivery.sim.comparison.situations import SITUATIONS, Measured, measure
from redelivery.sim.comparison.stores import ModelStore
from redelivery.sim.comparison.table import differences, fill
from redelivery.sim.comparison.transports import TRANSPORTS, PlainList, Streams

WAYS = ["streams", "list, pop", "list, LMOVE", "Pub/Sub"]

# Delivered, lost, handled twice; of 10 entries in each.
EXPECTED = {
    "steady": [(10, 0, 0), (10, 0, 0), (10, 0, 0), (10, 0, 0)],
    "crash before handling": [(11, 0, 0), (10, 1, 0), (11, 0, 0), (7, 4, 0)],
    "crash after handling": [(11, 0, 1), (10, 0, 0), (11, 0, 1), (7, 3, 0)],
    "absent": [(10, 0, 0), (10, 0, 0), (10, 0, 0), (0, 10, 0)],
    "slow": [(10, 0, 0), (10, 0, 0), (10, 0, 0), (0, 10, 0)],
    "two workers": [(10, 0, 0), (10, 0, 0), (10, 0, 0), (20, 0, 10)],
    "two services": [(20, 0, 0), (10, 10, 0), (10, 10, 0), (20, 0, 0)],
    "late reader": [(10, 0, 0), (10, 0, 0), (10, 0, 0), (10, 0, 0)],
}

FEATURES = {
    "persistence": ["10 of 10 kept", "10 of 10 kept", "10 of 10 kept", "0 of 10 kept"],
    "consumer groups": ["10 + 10 of 10", "5 + 5 of 10", "5 + 5 of 10", "10 + 10 of 10"],
    "history": ["10 of 10 again", "0 of 10 again", "0 of 10 again", "0 of 10 again"],
    "acknowledgment": ["0 lost, 1 twice", "1 lost, 0 twice", "0 lost, 1 twice", "4 lost, 0 twice"],
    "multiple consumers": ["5 + 5 of 10", "5 + 5 of 10", "5 + 5 of 10", "10 + 10 of 10"],
}


def compare(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["compare", *words])
    out, err = capsys.readouterr()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code, out, err


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_numbers_are_these_in_every_dialect(dialect: str) -> None:
    table = fill(ModelStore(dialect))
    assert [way.name for way in TRANSPORTS] == WAYS
    found = {name: [(m.delivered, m.lost, m.duplicated) for m in row.values()] for name, row in table.items()}
    assert found == EXPECTED
    assert {m.sent for row in table.values() for m in row.values()} == {10}
    assert [late.again for late in table["late reader"].values()] == [10, 0, 0, 0]


def test_the_json_holds_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = compare(capsys, "--json")
    assert (code, err) == (0, "")
    value = json.loads(out)
    assert value["dialect"] == "redis-8.6"
    assert value["table"]["features"] == {name: dict(zip(WAYS, row, strict=True)) for name, row in FEATURES.items()}
    assert value["table"]["situations"]["crash before handling"]["Pub/Sub"] == {
        "sent": 10, "delivered": 7, "lost": 4, "duplicated": 0, "shares": [7], "again": None,
    }  # fmt: skip


def test_the_page_holds_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = compare(capsys, "--dialect", "redis-6.2")
    assert code == 0
    assert "on the model (redis-6.2)" in out
    lines = out.splitlines()
    for name, row in [*FEATURES.items(), *((n, [f"{a} / {b} / {c}" for a, b, c in r]) for n, r in EXPECTED.items())]:
        line = next(line for line in lines if line.startswith(f"{name}  "))
        assert [cell.strip() for cell in line.removeprefix(name).strip().split("  ") if cell.strip()][:4] == row


def test_figures_are_measured_not_known() -> None:
    """A model that loses or repeats an entry, and a worker that forgets to acknowledge, are seen in the numbers."""

    class Forgetful(Streams):
        def acknowledge(self, *_: object) -> None:
            pass

    class Leaky(PlainList):
        def sending(self, body: bytes) -> tuple[bytes, ...]:
            return (b"PING",) if body == b"entry 3" else super().sending(body)

    situations = {situation.name: situation for situation in SITUATIONS}
    store = ModelStore()
    assert measure(store, Leaky(), situations["steady"]) == Measured(10, 9, 1, 0, (9,))
    forgetful = measure(store, Forgetful(), situations["crash before handling"])
    assert (forgetful.lost, forgetful.duplicated) == (0, 3)


def test_what_two_stores_measure_otherwise_is_named() -> None:
    one, other = fill(ModelStore()), fill(ModelStore())
    assert differences(one, other) == []
    other["slow"]["Pub/Sub"] = other["steady"]["Pub/Sub"]
    assert differences(one, other) == [("slow", "Pub/Sub")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--dialect", "redis-1"), "unknown dialect 'redis-1'"),
        (("--against", "nowhere"), "no server 'nowhere' is at hand"),
        (("--against", "redis://127.0.0.1:1"), "no server answers at redis://127.0.0.1:1"),
    ],
)
def test_bad_input_is_one_line(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str) -> None:
    code, out, err = compare(capsys, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
