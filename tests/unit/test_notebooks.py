"""The notebooks run, and still say what they said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def said(notebook: Any) -> list[str]:
    """What the code cells printed; pictures count by their kind, as fonts and libraries may differ."""
    lines = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                lines += [output.name, *output.text.splitlines()]
            else:
                lines.append(", ".join(sorted(output.get("data", {"error": 1}))))
    return lines


def test_there_are_notebooks() -> None:
    assert [path.name for path in NOTEBOOKS] == ["01-first-light.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_says_what_it_said_when_it_was_kept(path: Path, tmp_path: Path) -> None:
    read: Any = nbformat.read
    kept, run = read(path, as_version=4), read(path, as_version=4)
    NotebookClient(run, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert said(kept), "the outputs are kept"
    assert said(run) == said(kept)
