"""The table of ratios that a benchmark run ends with: ours against the peer's, group by group."""

from __future__ import annotations

from pathlib import Path

import pytest
from redelivery.models import server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    session = getattr(config, "_benchmarksession", None)
    if session is None or not session.benchmarks:
        return
    groups: dict[str, dict[str, float]] = {}
    for bench in session.benchmarks:
        if not bench.stats.data:
            continue  # it raised, and says so itself
        side = "peer" if "peer" in bench.name else "ours"
        group = bench.group or bench.name
        groups.setdefault(group, {})[side] = bench.stats.median / bench.extra_info.get("commands", 1)
    built = "plain Python" if Path(server.__file__).suffix == ".py" else "compiled"
    terminalreporter.section(f"ratios, with the model {built}")
    for group, sides in groups.items():
        if len(sides) == 2:
            ours, peer = sides["ours"] * 1e6, sides["peer"] * 1e6
            terminalreporter.write_line(
                f"{group}: {peer / ours:.{1 if peer > ours else 2}f} x  ({ours:.1f} µs against {peer:.1f} µs a command)"
            )
        else:
            terminalreporter.write_line(f"{group}: {next(iter(sides.values())) * 1e3:.1f} ms")
