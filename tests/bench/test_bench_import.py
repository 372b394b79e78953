"""How long ``import redelivery`` takes in a fresh interpreter, less what the interpreter itself takes."""

from __future__ import annotations

import subprocess
import sys
from time import perf_counter
from typing import Any

import pytest


def seconds(code: str) -> float:
    began = perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return perf_counter() - began


@pytest.mark.benchmark(group="import redelivery")
def test_import(benchmark: Any) -> None:
    bare = min(seconds("pass") for _ in range(5))
    benchmark.extra_info["bare_interpreter_s"] = bare
    benchmark.pedantic(seconds, args=("import redelivery",), rounds=10)
