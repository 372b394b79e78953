"""What is installed is this tree: all of it, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from pathlib import Path
from typing import NamedTuple

import pytest
import redelivery

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("models", "sim", "scenarios")
BESIDE = ("__init__.py", "__main__.py", "py.typed")
INFO = f"redelivery-{redelivery.__version__}.dist-info"
BUILD = "import sys, setuptools.build_meta as backend; {}(sys.argv[1])"

Files = dict[str, bytes]


class Built(NamedTuple):
    """The two files that a release consists of, and the copy of the tree that they were built from."""

    tree: Path
    wheel: Path
    sdist: Path


def package_files(root: Path) -> Files:
    """Every file of the package below `root`, by its path there: sources, and data beside them."""
    found = [root / name for name in BESIDE]
    for folder in FOLDERS:
        found += [path for path in (root / folder).rglob("*") if path.is_file()]
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in found
        if "__pycache__" not in path.parts and not path.name.startswith(".")
    }


def run_backend(tree: Path, hook: str, into: Path) -> Path:
    """Call the build backend as pip does, without its isolation and so without a network."""
    command = [sys.executable, "-c", BUILD.format(f"backend.{hook}"), str(into)]
    ran = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{hook} failed:\n{ran.stdout}\n{ran.stderr}"
    [made] = into.iterdir()
    return made


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    base = tmp_path_factory.mktemp("release")
    tree = base / "tree"
    tree.mkdir()
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy2(path, tree)
        elif path.name in (*FOLDERS, "tests", "notebooks"):
            shutil.copytree(path, tree / path.name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    made = {}
    for hook in ("build_wheel", "build_sdist"):
        (base / hook).mkdir()
        made[hook] = run_backend(tree, hook, base / hook)
    return Built(tree, made["build_wheel"], made["build_sdist"])


@pytest.fixture(scope="module")
def wheel_files(built: Built) -> Files:
    with zipfile.ZipFile(built.wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packaging_advice(missing: set[str]) -> str:
    """What to do about files that the wheel lacks."""
    lines = []
    for name in sorted(missing):
        folder = Path(name).parent
        package = ".".join(("redelivery", *folder.parts))
        table = "packages" if name.endswith(".py") else "package-data"
        lines.append(f"{name}: is {package} in tool.setuptools.{table} of pyproject.toml?")
    return "not in the wheel:\n" + "\n".join(lines)


def test_the_wheel_holds_the_package_and_nothing_else(built: Built, wheel_files: Files) -> None:
    tree = package_files(built.tree)
    assert {"models/stream.py", "models/commands/table.py", "sim/real/clock.c", "py.typed"} <= tree.keys()
    inside = {name[11:]: data for name, data in wheel_files.items() if name.startswith("redelivery/")}
    assert not (missing := tree.keys() - inside.keys()), packaging_advice(missing)
    assert not inside.keys() - tree.keys(), "in the wheel, and not of the package"
    assert inside == tree
    top = {name.partition("/")[0] for name in wheel_files}
    assert top == {"redelivery", INFO}


def test_each_folder_of_modules_is_a_package() -> None:
    names = package_files(ROOT)
    folders = {Path(name).parent.as_posix() for name in names if name.endswith(".py")}
    assert not [folder for folder in folders - {"."} if f"{folder}/__init__.py" not in names]


def test_the_wheel_says_what_it_is(wheel_files: Files) -> None:
    assert "\nLicense-Expression: MIT\n" in wheel_files[f"{INFO}/METADATA"].decode()
    assert f"{INFO}/licenses/LICENSE" in wheel_files
    scripts = ConfigParser()
    scripts.read_string(wheel_files[f"{INFO}/entry_points.txt"].decode())
    assert dict(scripts["console_scripts"]) == {"redelivery": "redelivery.sim.cli:main"}


def test_the_sdist_builds_the_same_wheel(
    built: Built, wheel_files: Files, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.mktemp("sdist")
    subprocess.run([sys.executable, "-m", "tarfile", "--extract", str(built.sdist), str(base)], check=True)
    [tree] = base.iterdir()
    assert package_files(tree) == package_files(built.tree)
    (base / "wheel").mkdir()
    with zipfile.ZipFile(run_backend(tree, "build_wheel", base / "wheel")) as archive:
        again = {name: archive.read(name) for name in archive.namelist()}
    assert again == wheel_files


def test_what_is_tested_here_is_this_tree() -> None:
    """Tests of an installation that is older than the tree beside it would prove nothing."""
    installed = Path(redelivery.__file__).parent
    mine, theirs = package_files(ROOT), package_files(installed)
    differ = sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
    assert not differ, f"{installed} is not this tree (install again, without an old build/): {differ}"
