"""Runs Redis's own tests of streams on the served model and on the real server, in external-server mode, and compares.

    python tests/clients/server_suite.py SOURCE [--dialect redis-8.6] [--write FILE]

SOURCE is an unpacked source tree of the release (``apt-get source redis`` brings Debian's); ``tclsh`` has to be there,
and a real server of the dialect (``redelivery servers install``). It takes about four minutes.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from redelivery.sim.real.servers import ServerBinary, at_hand
from redelivery.sim.real.spawn import SpawnedServer

UNITS = ("unit/type/stream", "unit/type/stream-cgroups")
NEEDS_RDB = (
    "Loading from legacy (Redis <= v6.2.x, rdb_ver < 10) persistence",
    "Loading from legacy (Redis <= v7.0.x, rdb_ver < 11) persistence",
)
"""Tests that restore what an older server dumped: a served model restores only what it dumped itself."""
RUN_IN_S = 900
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Result(NamedTuple):
    """The names of the tests that passed, that failed, and how many the suite leaves out on an external server."""

    passed: list[str]
    failed: list[str]
    left_out: int


def run(source: Path, port: int, unit: str, skipped: tuple[str, ...]) -> Result:
    """One unit of tests on the server at a port of this machine."""
    command = ["tclsh", "tests/test_helper.tcl", "--host", "127.0.0.1", "--port", str(port), "--single", unit,
               "--tags", "-slow -needs:repl", "--dont-clean"]  # fmt: skip
    for name in skipped:
        command += ["--skiptest", name]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=RUN_IN_S, check=False)
    lines = COLOUR.sub("", done.stdout).splitlines()
    passed = [line.partition("]: ")[2].rpartition(" (")[0] for line in lines if line.startswith("[ok]: ")]
    failed = [line.partition(": ")[2].rpartition(" in tests/")[0] for line in lines if line.startswith("[err]: ")]
    failed += [line.partition(": ")[2] for line in lines if line.startswith("[exception]: ")]
    if not passed:
        sys.exit(f"server_suite.py: {unit} ran no test: {(done.stderr or done.stdout)[-500:]}")
    return Result(passed, failed, sum(line.startswith("[ignore]: ") for line in lines))


def served(dialect: str) -> tuple[subprocess.Popen[str], int]:
    """``redelivery serve`` in a process of its own, and its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "redelivery", "serve", "--port", "0", "--dialect", dialect],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    return process, int(process.stdout.readline().split()[1])


def compare(source: Path, binary: ServerBinary) -> tuple[str, bool]:
    """The table, and whether the served model passes all that the real server does."""
    lines = [f"| Redis's own tests, run on {binary.dialect} | real server | served model | left out | differs |",
             "| --- | --- | --- | --- | --- |"]  # fmt: skip
    same = True
    for unit in UNITS:
        with SpawnedServer(binary, enable_debug=True, tcp=True) as server:
            real = run(source, server.address.port, unit, NEEDS_RDB)
        process, port = served(binary.dialect)
        try:
            model = run(source, port, unit, NEEDS_RDB)
        finally:
            process.terminate()
            process.wait()
        differs = sorted({*real.passed} ^ {*model.passed} | {*model.failed} ^ {*real.failed})
        same = same and not differs
        told = "; ".join(differs) or "nothing"
        lines.append(f"| `{unit}` | {len(real.passed)} pass | {len(model.passed)} pass | {real.left_out} | {told} |")
    return "\n".join(lines) + "\n", same


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--dialect", default="redis-8.6")
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    if shutil.which("tclsh") is None:
        sys.exit("server_suite.py: tclsh is not on this machine")
    if not (asked.source / "tests" / "test_helper.tcl").exists():
        sys.exit(f"server_suite.py: {asked.source} is no source tree of Redis: it has no tests/test_helper.tcl")
    binary = next((server for server in at_hand() if server.dialect == asked.dialect), None)
    if binary is None:
        sys.exit(f"server_suite.py: no real server of {asked.dialect} is at hand; see redelivery servers install")
    table, same = compare(asked.source, binary)
    print(table, end="")
    if asked.write is not None:
        asked.write.write_text(table)
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
