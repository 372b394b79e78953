"""The notebooks run, and still say what they said. `REDELIVERY_NOTEBOOKS=write` keeps what they say now."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def said(notebook: Any) -> list[str]:
    """What the code cells printed; pictures count by their kind, as fonts and libraries may differ.

    In how many pieces a cell's text comes, even of one line, and whether before its picture, is a matter of timing.
    """
    lines = []
    for cell in notebook.cells:
        texts: dict[str, str] = {}
        pictures = []
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                texts[output.name] = texts.get(output.name, "") + output.text
            else:
                pictures.append(", ".join(sorted(output.get("data", {"error": 1}))))
        for name in sorted(texts):
            lines += [f"{name}: {line}" for line in texts[name].splitlines()]
        lines += pictures
    return lines


def test_there_are_notebooks() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "01-first-light", "02-the-lost-reply", "03-the-claim-that-came-too-early", "04-the-zombie-that-steals-back",
        "05-the-trim-that-took-too-much", "06-the-failover-that-forgets", "07-checking-your-own-worker",
        "08-verify-your-own-worker",
    ]  # fmt: skip


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_says_what_it_said_when_it_was_kept(path: Path, tmp_path: Path) -> None:
    read: Any = nbformat.read
    kept, run = read(path, as_version=4), read(path, as_version=4)
    where = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(run, timeout=300, kernel_name="python3", resources=where, record_timing=False).execute()
    if os.environ.get("REDELIVERY_NOTEBOOKS") == "write":
        nbformat.write(run, path)  # type: ignore[no-untyped-call]
        return
    assert said(kept), "the outputs are kept"
    assert said(run) == said(kept)
