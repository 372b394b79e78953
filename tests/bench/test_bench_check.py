"""The checker on ``group-world``, beside TLC on the same world where ``REDELIVERY_TLA2TOOLS`` names its jar."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from redelivery.sim.catalogue import find
from redelivery.sim.check.check import check

PEERS = Path(__file__).parent / "peers"
JAR = os.environ.get("REDELIVERY_TLA2TOOLS")
STATES = {("zones",): 444_554, ("zones", "symmetry"): 78_577}


@pytest.mark.parametrize("reduce", STATES, ids="+".join)
def test_group_world_to_its_verdict(reduce: tuple[str, ...], benchmark: Any) -> None:
    result = benchmark.pedantic(
        lambda: check(find("group-world"), "repaired", reduce=reduce, clock=perf_counter), rounds=1, iterations=1
    )
    assert (result.verdict, result.states) == ("holds", STATES[reduce])
    benchmark.extra_info["states_per_second"] = round(result.states / result.seconds)


@pytest.mark.skipif(JAR is None, reason="REDELIVERY_TLA2TOOLS names no tla2tools.jar")
def test_the_ratio_to_tlc_with_symmetry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        "java", "-XX:+UseParallelGC", "-cp", str(JAR), "tlc2.TLC", "-workers", "2", "-deadlock",
        "-metadir", str(tmp_path), "GroupS",
    ]  # fmt: skip
    began_s = perf_counter()
    done = subprocess.run(command, cwd=PEERS, capture_output=True, text=True, check=True)
    theirs_s = perf_counter() - began_s
    assert "158173" in re.sub(r"[ ,]", "", done.stdout)
    ours_s = check(find("group-world"), "repaired", clock=perf_counter).seconds
    with capsys.disabled():
        print(f"\nTLC {theirs_s:.1f} s, redelivery {ours_s:.1f} s: {ours_s / theirs_s:.2f} of its time")
