"""One tape, the same bytes: across runs, processes, hash seeds, and releases of Python and redis-py."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from redelivery.sim.catalogue import find, shipped
from redelivery.sim.run import simulate
from redelivery.sim.tape import parse

VARIANTS = [(scenario.name, variant) for scenario in shipped() for variant in scenario.variants]

DIGESTS = {
    ("crash-before-ack", "broken"): "d5f0176a87a3ea1d",
    ("crash-before-ack", "repaired"): "ce5be962aa946b23",
    ("delconsumer-ghost", "broken"): "bb9414cdd99deda0",
    ("delconsumer-ghost", "repaired"): "3153b46bdee4bc45",
    ("delconsumer-toctou", "broken"): "7343365e24093684",
    ("delconsumer-toctou", "repaired"): "09fbffae33b9e02a",
    ("dollar-race-first-start", "broken"): "63cc6fed4421478e",
    ("dollar-race-first-start", "repaired"): "e00f3ab7643a9278",
    ("dollar-race-first-start", "producer-creates"): "4331133333e7de1f",
    ("event-sourcing", "broken"): "75489236ab346541",
    ("event-sourcing", "repaired"): "de262e508fa7aea5",
    ("event-sourcing", "snapshot-then-trim"): "ffb9d17e5515d9c4",
    ("event-sourcing", "double-spend"): "3d7b7402efed0e08",
    ("event-sourcing", "spend-once"): "972d41cde8adcb88",
    ("group-world", "broken"): "d56f155091510d46",
    ("group-world", "repaired"): "fd6483af002b79cc",
    ("slow-handler-claimed", "broken"): "74b87443f1f942c1",
    ("slow-handler-claimed", "repaired"): "c93115e0e8415431",
    ("trim-unacked-maxlen", "broken"): "e139dc93715832c5",
    ("trim-unacked-maxlen", "repaired"): "6de3e7acf0a09b43",
    ("trim-unacked-maxlen", "delref"): "99661c9352133ba8",
    ("trim-unacked-maxlen", "acked"): "5d793d78e946f5e6",
    ("trim-undelivered-slow-group", "broken"): "10ed4a7336ecae6a",
    ("trim-undelivered-slow-group", "repaired"): "a5bb0eed3d4331f3",
    ("trim-undelivered-slow-group", "maxlen"): "506bad8e6013a189",
    ("trim-undelivered-slow-group", "acked"): "f1ac44af19604e89",
}
"""The SHA-256 of each default run's history, shortened: what it was on every Python and redis-py so far.

A change of a scenario, of the model or of the history's form changes them; nothing else may.
"""


def digest(name: str, variant: str) -> str:
    history = simulate(find(name), variant).history
    text = "".join(line + "\n" for line in history.lines())
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_the_default_run_gives_the_bytes_that_it_always_gave(name: str, variant: str) -> None:
    assert digest(name, variant) == DIGESTS[name, variant]


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_the_tape_of_a_run_gives_the_same_history(name: str, variant: str) -> None:
    scenario = find(name)
    for seed in (0, 1, 2):
        first = simulate(scenario, variant, seed=seed)
        again = simulate(scenario, tape=parse(str(first.tape)))
        assert list(again.history.lines()) == list(first.history.lines())


@pytest.mark.parametrize("verb", ["run crash-before-ack --seed 7", "run event-sourcing --variant snapshot-then-trim"])
def test_hash_seeds_and_processes_do_not_show(verb: str, tmp_path: Path) -> None:
    pictures, histories = set(), set()
    for hash_seed in ("0", "1", "4242"):
        svg, history = tmp_path / f"{hash_seed}.svg", tmp_path / f"{hash_seed}.jsonl"
        outputs = ["--history", str(history), "--timeline", str(svg)]
        subprocess.run(
            [sys.executable, "-m", "redelivery", *verb.split(), *outputs],
            check=True,
            capture_output=True,
            cwd=tmp_path,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
        )
        pictures.add(svg.read_bytes())
        histories.add(history.read_bytes())
    assert len(histories) == 1
    assert len(pictures) == 1
