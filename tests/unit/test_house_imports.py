"""Who imports whom: arrows point one way, nothing heavy at import, no module under two names."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import redelivery

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(redelivery.__file__).resolve().parent

MAY_IMPORT = {"models": {"models"}, "sim": {"models", "sim"}, "scenarios": {"models", "sim", "scenarios"}}
"""Arrows point one way: models <- sim <- scenarios. What stands above the three is nobody's to import."""

LATE = ("click", "hypothesis", "matplotlib", "networkx", "redis", "rich")
"""Loaded when first used: `import redelivery` is quick, and a model needs none of them."""

LOAD_ALL = """
import importlib, json, pkgutil, sys
import redelivery
for module in pkgutil.walk_packages(redelivery.__path__, "redelivery."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(json.dumps({name: getattr(module, "__file__", None) for name, module in sys.modules.items()}))
"""


# ---- arrows ----


def imported(path: Path, root: Path) -> Iterator[tuple[int, str, bool]]:
    """Every import in the file: its line, the full name of what it names, and whether it is relative."""
    here = ("redelivery", *path.relative_to(root).parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, False
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) + 1 - node.level] if node.level else ()
            module = (*base, *([node.module] if node.module else []))
            for alias in node.names:
                # Whether it names a module or something in one: the folder that it lies in is the same.
                yield node.lineno, ".".join((*module, alias.name)), node.level > 0


def wrong_arrows(root: Path) -> list[str]:
    """The imports that point the wrong way, or that are not relative, as `file:line: why`."""
    wrong = []
    for folder, allowed in MAY_IMPORT.items():
        for path in sorted((root / folder).rglob("*.py")):
            relative = path.relative_to(root).as_posix()
            for line, name, is_relative in imported(path, root):
                top, *rest = name.split(".")
                if not is_relative and top in ("redelivery", *MAY_IMPORT):
                    wrong.append(f"{relative}:{line}: {name}: inside the package, imports are relative")
                elif is_relative and (not rest or rest[0] not in allowed):
                    wrong.append(f"{relative}:{line}: {folder} must not import {name}")
    return wrong


def test_arrows_point_one_way() -> None:
    assert wrong_arrows(ROOT) == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("models/stream.py", "from ..sim.world import World"),
        ("models/commands/adding.py", "from ...sim import world"),
        ("models/commands/adding.py", "from ... import sim"),
        ("models/stream.py", "import redelivery.models.ids"),
        ("models/stream.py", "def f() -> None:\n    from ..scenarios.event_sourcing import user"),
        ("sim/world.py", "from ..scenarios import event_sourcing"),
        ("sim/real/spawn.py", "from sim.world import World"),
        ("sim/world.py", "from .. import simulate"),
        ("scenarios/own.py", "from redelivery.sim import world"),
    ],
)
def test_a_wrong_arrow_is_seen(file: str, line: str, tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(line)
    assert len(wrong_arrows(tmp_path)) == 1


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("models/commands/adding.py", "from ..stream import Stream"),
        ("models/commands/adding.py", "from .. import stream"),
        ("sim/real/spawn.py", "from ...models.ids import StreamID"),
        ("scenarios/own.py", "from ..sim import world"),
    ],
)
def test_a_right_arrow_is_let_pass(file: str, line: str, tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(line)
    assert wrong_arrows(tmp_path) == []


# ---- loading ----


def python(code: str, folder: Path) -> Any:
    """Run `code` in a Python of its own, in `folder`; what it printed, as JSON."""
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_importing_the_package_loads_nothing_heavy(tmp_path: Path) -> None:
    code = "import json, sys, redelivery; print(json.dumps(sorted(sys.modules)))"
    loaded = {name.partition(".")[0] for name in python(code, tmp_path)}
    assert "redelivery" in loaded
    assert not loaded.intersection(LATE)


def loaded_twice(files: dict[str, str | None]) -> dict[str, list[str]]:
    """The files of the package that were loaded under two names, or under a wrong one, with their names.

    `files` maps names of modules to their files. The tree and an installation beside it count as one.
    """
    names: dict[str, list[str]] = {}
    for name, file in files.items():
        for base in (PACKAGE, ROOT):
            if file and Path(file).resolve().is_relative_to(base):
                inside = Path(file).resolve().relative_to(base)
                if inside.parts[0] in MAY_IMPORT or len(inside.parts) == 1:
                    names.setdefault(inside.as_posix(), []).append(name)
                break
    return {
        file: found for file, found in names.items() if len(found) > 1 or found[0].partition(".")[0] != "redelivery"
    }


def file_of(module: ModuleType) -> str | None:
    return getattr(module, "__file__", None)


def test_no_module_of_this_run_has_two_names() -> None:
    """By now pytest has collected, so imported, the whole suite."""
    assert loaded_twice({name: file_of(module) for name, module in list(sys.modules.items())}) == {}


def test_no_module_has_two_names_in_the_tree() -> None:
    """The root of the tree is on the path of `python -c`: `import models` would work there, by mistake."""
    files = python(LOAD_ALL, ROOT)
    assert "redelivery.models.stream" in files
    assert loaded_twice(files) == {}


def test_a_second_name_is_seen() -> None:
    ids = str(PACKAGE / "models" / "ids.py")
    assert loaded_twice({"redelivery.models.ids": ids, "models.ids": str(ROOT / "models" / "ids.py")})
    assert loaded_twice({"models.ids": ids})
    assert loaded_twice({"main": str(ROOT / "__init__.py"), "redelivery": str(PACKAGE / "__init__.py")})
    assert not loaded_twice({"redelivery.models.ids": ids, "tests.x": str(ROOT / "tests" / "x.py")})
