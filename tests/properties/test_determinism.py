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
    ("ack-lost-then-claimed", "broken"): "0533201bd9f2c451",
    ("ack-lost-then-claimed", "repaired"): "54636789fc4b7032",
    ("autoclaim-cursor-starvation", "broken"): "90f8c7ce2f7b5e2f",
    ("autoclaim-cursor-starvation", "repaired"): "be37eda96335cdb3",
    ("autoclaim-cursor-starvation", "larger-count"): "781f798ed15f2452",
    ("autoclaim-cursor-starvation", "reading-with-claim"): "33f4ed79b08e5c65",
    ("block-vs-socket-timeout", "broken"): "11c9277ab58f2186",
    ("block-vs-socket-timeout", "repaired"): "91eaddc0006bb8dc",
    ("block-vs-socket-timeout", "go-redis"): "369495c565bc1d3d",
    ("blocked-on-deleted-key", "broken"): "cbc789d8d738589b",
    ("blocked-on-deleted-key", "repaired"): "0d526066c03b7a6c",
    ("blocked-on-deleted-key", "at-dollar"): "438091a5bd43a3d1",
    ("blocked-on-deleted-key", "at-dollar-before-7"): "54d20e09c4cf3d3a",
    ("cancelled-read-steals", "broken"): "16f4a753ca211616",
    ("cancelled-read-steals", "repaired"): "fb398f76ca8d85e2",
    ("cancelled-read-steals", "short-block"): "51e7f521f6158058",
    ("clock-back-freezes-idle", "broken"): "8f8224e5e690d5f6",
    ("clock-back-freezes-idle", "repaired"): "69e2e9dd2f45b919",
    ("clock-back-freezes-idle", "claiming-read"): "66a700d1408aeddf",
    ("clock-back-xadd", "broken"): "231f17e354cdd0ed",
    ("clock-back-xadd", "repaired"): "738fce303ab80321",
    ("clock-jump-forward-claims-all", "broken"): "3cef8f1c57dbfd26",
    ("clock-jump-forward-claims-all", "repaired"): "2390fb0e0c3ead89",
    ("crash-before-ack", "broken"): "24c84d2b83d47aea",
    ("crash-before-ack", "repaired"): "61877a1cbbf62707",
    ("crash-before-ack-new-name", "broken"): "7aea863074dd658e",
    ("crash-before-ack-new-name", "repaired"): "19302f4f357c7d74",
    ("crash-before-ack-new-name", "stable-names"): "674a9cdbda02b0d4",
    ("crash-before-ack-same-name", "broken"): "193e2c9a0b3aa628",
    ("crash-before-ack-same-name", "repaired"): "2e7a46809989d53a",
    ("delconsumer-ghost", "broken"): "06e83b9538157e7e",
    ("delconsumer-ghost", "repaired"): "6fa11864bca6dbda",
    ("delconsumer-toctou", "broken"): "62edec3770716c96",
    ("delconsumer-toctou", "repaired"): "738bea7c64dd7104",
    ("dollar-race-first-start", "broken"): "cacf1c0ff8fab00c",
    ("dollar-race-first-start", "repaired"): "bea67bd75fec8254",
    ("dollar-race-first-start", "producer-creates"): "2f0c155f5037ba89",
    ("error-is-acked", "broken"): "b2ceb53a15322902",
    ("error-is-acked", "repaired"): "ed255d722bd7467e",
    ("event-sourcing", "broken"): "685bc3fff976b740",
    ("event-sourcing", "repaired"): "e6d2842564d66199",
    ("event-sourcing", "snapshot-then-trim"): "6c771cb33201849d",
    ("event-sourcing", "double-spend"): "706d04d216de9955",
    ("event-sourcing", "spend-once"): "35ebb6ee1880a2a1",
    ("explicit-id-skew", "broken"): "263200c545c43177",
    ("explicit-id-skew", "repaired"): "1cecad8bcb58a0e5",
    ("explicit-id-skew", "time-and-star"): "92b0295cc8c11da9",
    ("failover-loses-ack", "broken"): "921e370d193673da",
    ("failover-loses-ack", "repaired"): "adbba1c481a6d1ff",
    ("failover-loses-ack", "no-lag"): "ca7a4ce297425d00",
    ("failover-loses-xadd", "broken"): "9d33ac0dab9ad67d",
    ("failover-loses-xadd", "repaired"): "175e8a3b435de966",
    ("failover-loses-xadd", "cut-off"): "f5b895156a7b4116",
    ("failover-loses-xadd", "other-connection"): "a5361848d744b469",
    ("failover-loses-xadd", "other-connection-before-7-2"): "7d3ed8ea65b25cf3",
    ("group-setid-rewind", "broken"): "b6b0f8c92a090bc1",
    ("group-setid-rewind", "repaired"): "20bf1c3ced8e8ed6",
    ("group-setid-rewind", "when-idle"): "38809d27a2097643",
    ("group-world", "broken"): "5f6f86a728dbeaa3",
    ("group-world", "repaired"): "640d913fd012e59f",
    ("half-open-read", "broken"): "c84f1a1364be6543",
    ("half-open-read", "repaired"): "eda3761d693e477e",
    ("half-open-read", "cut-off"): "5bd7c7d5319b5195",
    ("half-open-read", "cut-off-repaired"): "ed2db5fcaf97d041",
    ("lag-lies", "broken"): "d14859227119d951",
    ("lag-lies", "repaired"): "a98ecc8d8e2e698c",
    ("lag-lies", "trimmed"): "adeb38ebfb07a193",
    ("lag-lies", "trimmed-from-8"): "14bcefaad20d9fba",
    ("lag-lies", "setid"): "f2f5cfd7af0e20ed",
    ("lag-lies", "xsetid"): "97b2c8744091f69b",
    ("lag-lies", "lastid"): "e14a0ef4c5c784fe",
    ("last-id-zero-after-restart", "broken"): "aee0d13493f6dd09",
    ("last-id-zero-after-restart", "repaired"): "fe350538dc3cd95b",
    ("list-pop-crash", "broken"): "5bc1a6abdc802193",
    ("list-pop-crash", "repaired"): "6f773e4a69aa48b0",
    ("nack-is-noop", "broken"): "d1ef1dc25ac0ff44",
    ("nack-is-noop", "repaired"): "4b6003909aa26ade",
    ("nack-is-noop", "given-back"): "f1ce4ee65ddbd9ad",
    ("nogroup-after-flush", "broken"): "3001cccffb77bab2",
    ("nogroup-after-flush", "repaired"): "ef481bda7905329f",
    ("nogroup-after-flush", "evicted"): "3c1b6bd7a8b938cc",
    ("nogroup-after-flush", "evicted-repaired"): "9bbb24a9e88e0eec",
    ("one-socket-block-and-ack", "broken"): "0cf6b24fe2cea943",
    ("one-socket-block-and-ack", "repaired"): "e8a5088df40e0c49",
    ("one-socket-block-and-ack", "short-block"): "81ea837f3d0d6682",
    ("orphan-never-claimed", "broken"): "3f4d824b68c6a199",
    ("orphan-never-claimed", "repaired"): "e2ce01f4c7e51e46",
    ("orphan-never-claimed", "reaper"): "55b3eec242527bc6",
    ("orphan-never-claimed", "reading-with-claim"): "68dc63b10a3eaf74",
    ("poison-message-loop", "broken"): "aa8f5186647d53ca",
    ("poison-message-loop", "repaired"): "c552bdccc82147f5",
    ("prefetch-ages-in-buffer", "broken"): "2cb11b3e93248b72",
    ("prefetch-ages-in-buffer", "repaired"): "6f168999ead79c45",
    ("prefetch-ages-in-buffer", "renewing-the-buffer"): "14980ab30d5e4134",
    ("quiet-stream-no-reclaim", "broken"): "e3fa5177b199c094",
    ("quiet-stream-no-reclaim", "repaired"): "46f80a6cedc3c7e8",
    ("regroup-at-dollar-gap", "broken"): "da0ad63b592f7b3d",
    ("regroup-at-dollar-gap", "repaired"): "497a2dfb14f27a60",
    ("reorder-by-claim", "broken"): "23a2bd6c2c11e8a0",
    ("reorder-by-claim", "repaired"): "09e509c3e397a361",
    ("reply-lost-ack", "broken"): "c02d786753f01315",
    ("reply-lost-ack", "repaired"): "b46aa928d25569e3",
    ("reply-lost-claim", "broken"): "2fb7a58fb90be084",
    ("reply-lost-claim", "repaired"): "fd11c57887a4cdee",
    ("reply-lost-read", "broken"): "48a057d528b90c4e",
    ("reply-lost-read", "repaired"): "6b4d1291e9049c61",
    ("reply-lost-read", "own-history"): "64c1ab3b2cc83296",
    ("reply-lost-xadd-dup", "broken"): "06efa53794b8df28",
    ("reply-lost-xadd-dup", "repaired"): "9d5a837f5a589db3",
    ("reply-lost-xadd-dup", "own-id"): "53ee0c57c1e83aa1",
    ("restart-from-old-log", "broken"): "62aad14d65532ba9",
    ("restart-from-old-log", "repaired"): "5d6eee47b8f7a0b9",
    ("restart-from-old-log", "snapshot"): "2ada8d090b01520e",
    ("retry-vs-redelivery", "broken"): "26690181d3ed3447",
    ("retry-vs-redelivery", "repaired"): "6b5267fb8262ce50",
    ("self-reclaim", "broken"): "79c03c71604b1518",
    ("self-reclaim", "repaired"): "1b1121c0d91e072b",
    ("self-reclaim", "from-others-only"): "16a5a7d2f40d5cb1",
    ("slow-handler-claimed", "broken"): "cc14457a4ff57456",
    ("slow-handler-claimed", "repaired"): "33746a4adf03da48",
    ("stale-claim-lock", "broken"): "bab02c68d356106d",
    ("stale-claim-lock", "repaired"): "5debff6730606fc7",
    ("string-min-trim", "broken"): "0c56e8293017430c",
    ("string-min-trim", "repaired"): "884705609dcf0ae0",
    ("tombstone-poison-loop", "broken"): "149319706b9a43d0",
    ("tombstone-poison-loop", "repaired"): "15023c6a98bbc46b",
    ("tombstone-poison-loop", "autoclaim"): "be6b272fa8281ac3",
    ("tombstone-poison-loop", "autoclaim-before-7"): "1f40b8c21a40b592",
    ("trim-unacked-maxlen", "broken"): "edca71bcdbdc576a",
    ("trim-unacked-maxlen", "repaired"): "833bbf31ffd79e78",
    ("trim-unacked-maxlen", "delref"): "5fdd74da659381f0",
    ("trim-unacked-maxlen", "acked"): "0959b4295d2bf281",
    ("trim-undelivered-slow-group", "broken"): "738226bd0f047e5e",
    ("trim-undelivered-slow-group", "repaired"): "ce596443b6b57db0",
    ("trim-undelivered-slow-group", "maxlen"): "e0b286d36cb214d2",
    ("trim-undelivered-slow-group", "acked"): "b8dde0f30fb3ddb0",
    ("two-replicas-one-name", "broken"): "af021d94ddeb4b21",
    ("two-replicas-one-name", "repaired"): "3494723807873b40",
    ("wake-order-two-waiters", "broken"): "30db5ea5ef241b4c",
    ("wake-order-two-waiters", "repaired"): "f31c15e482232d8a",
    ("wake-order-two-waiters", "without-a-group"): "13101ce564c880e5",
    ("xread-dollar-in-a-loop", "broken"): "19ce5a52408e3cee",
    ("xread-dollar-in-a-loop", "repaired"): "fe1a9af8e6e4f485",
    ("xread-dollar-in-a-loop", "from-the-last"): "dcde032b614f06b7",
    ("zombie-renewal-steals-back", "broken"): "1a6922e5e02e5124",
    ("zombie-renewal-steals-back", "repaired"): "e1c88d6171f99bee",
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
