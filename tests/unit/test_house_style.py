"""What keeps the package readable, and its models and its world free of the machine's time and chance."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("models", "sim", "scenarios")

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

NAMES_OF_NOTHING = {"util", "utils", "helper", "helpers", "common", "manager", "managers"}
"""Words of a file's name that do not say what is in it."""

REAL = ("sim/real/", "sim/cli/", "sim/cli.py")
"""Where the machine's own time and chance belong."""

BANNED = {
    "time": {"sleep", "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"}
    | {"process_time", "process_time_ns", "localtime", "gmtime", "ctime", "strftime"},
    "datetime": {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"},
    "os": {"urandom", "getrandom"},
}
"""What reads the machine's clock or chance, by module; of `random`, `secrets` and `uuid` see `is_banned`."""

UNSEEDED = "random.Random"
"""Repeatable once it has a seed."""

MAY_READ = {("sim/requests.py", "time.time_ns"), ("sim/wire/clock.py", "time.time_ns")}
"""In a real run the awaitables of a process answer from the real clock; a server on sockets may go by it."""

DefinedThing = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def sources(root: Path) -> Iterator[tuple[str, str]]:
    """Every module of the package: its path below `root`, and its text."""
    for path in [root / "__init__.py", root / "__main__.py", *root.glob("*/**/*.py")]:
        name = path.relative_to(root).as_posix()
        if path.exists() and ("/" not in name or name.startswith(tuple(f"{top}/" for top in FOLDERS))):
            yield name, path.read_text(encoding="utf-8")


# ---- the rules: each takes a root, and tells what breaks it there ----


def too_long(root: Path) -> list[str]:
    """Files and functions that are past what one can hold in the head."""
    found = []
    for name, text in sources(root):
        if (lines := len(text.splitlines())) > FILE_LINES_MAX:
            found.append(f"{name}: {lines} lines, more than {FILE_LINES_MAX}: look for the seam")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    where = f"{name}:{node.lineno}: {node.name}"
                    found.append(f"{where}: {lines} lines, more than {FUNCTION_LINES_MAX}")
    return found


def public(body: list[ast.stmt]) -> Iterator[DefinedThing]:
    """The public functions and classes of a module, also those defined under an `if` or a `try`."""
    for node in body:
        if isinstance(node, DefinedThing):
            if not node.name.startswith("_"):
                yield node
        elif isinstance(node, ast.If):
            yield from public([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            handled = [part for handler in node.handlers for part in handler.body]
            yield from public([*node.body, *handled, *node.orelse])


def is_overload(node: DefinedThing) -> bool:
    return any(ast.unparse(decorator).endswith("overload") for decorator in node.decorator_list)


def undocumented(root: Path) -> list[str]:
    """Modules, and public functions and classes, that have no docstring."""
    found = []
    for name, text in sources(root):
        module = ast.parse(text)
        if not ast.get_docstring(module):
            found.append(f"{name}: the module")
        found += [
            f"{name}:{node.lineno}: {node.name}"
            for node in public(module.body)
            if not ast.get_docstring(node) and not is_overload(node)
        ]
    return found


def badly_named(root: Path) -> list[str]:
    """Files and folders whose name tells nothing."""
    return [
        name
        for name, _ in sources(root)
        if NAMES_OF_NOTHING.intersection(name.removesuffix(".py").replace("/", "_").split("_"))
    ]


def names_of(module: ast.Module) -> dict[str, str]:
    """What each imported name of a module stands for: `import time as t` gives `{"t": "time"}`."""
    names = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def full_name(node: ast.expr, names: dict[str, str]) -> str | None:
    """The dotted name that an expression stands for, or None: it may be anything."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        base = full_name(node.value, names)
        return base and f"{base}.{node.attr}"
    return None


def is_banned(name: str) -> bool:
    """Whether it reads the machine's clock or chance; a `random.Random` with a seed does not."""
    module, _, rest = name.partition(".")
    if module in ("secrets", "uuid"):
        return True
    if module == "random":
        return rest not in ("", "Random")
    return rest in BANNED.get(module, ())


def unrepeatable(root: Path) -> list[str]:
    """Where a model or the world reads the machine's clock or chance: a mention is enough, called or not."""
    found = set()
    for name, text in sources(root):
        if not name.startswith(("models/", "sim/")) or name.startswith(REAL):
            continue
        module = ast.parse(text)
        names = names_of(module)
        for node in ast.walk(module):
            if isinstance(node, ast.Name | ast.Attribute):
                what = full_name(node, names)
                if what and is_banned(what) and (name, what) not in MAY_READ:
                    found.add(f"{name}:{node.lineno}: {what}")
            elif isinstance(node, ast.Call) and not node.args and full_name(node.func, names) == UNSEEDED:
                found.add(f"{name}:{node.lineno}: {UNSEEDED} without a seed")
    return sorted(found)


# ---- they hold here ----


@pytest.mark.parametrize("rule", [too_long, undocumented, badly_named, unrepeatable])
def test_the_rule_holds(rule: Callable[[Path], list[str]]) -> None:
    assert len(list(sources(ROOT))) > 30
    assert rule(ROOT) == []


def test_an_exception_is_still_needed() -> None:
    for name, what in MAY_READ:
        module = ast.parse((ROOT / name).read_text())
        names = names_of(module)
        assert what in {full_name(node, names) for node in ast.walk(module) if isinstance(node, ast.expr)}


# ---- and they can fail ----


def tree_of(root: Path, file: str, text: str) -> Path:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(text)
    return root


def test_what_is_too_long_is_seen(tmp_path: Path) -> None:
    long_function = "def f():\n" + "    x = 1\n" * (FUNCTION_LINES_MAX - 1)
    assert not too_long(tree_of(tmp_path, "sim/a.py", long_function))
    assert len(too_long(tree_of(tmp_path, "sim/a.py", long_function + "    x = 1\n"))) == 1
    assert not too_long(tree_of(tmp_path, "sim/a.py", "x = 1\n" * FILE_LINES_MAX))
    assert len(too_long(tree_of(tmp_path, "sim/a.py", "x = 1\n" * (FILE_LINES_MAX + 1)))) == 1


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ('"""A module."""\n', 0),
        ("x = 1\n", 1),
        ('"""A module."""\ndef f(): ...\n', 1),
        ('"""A module."""\ndef _f(): ...\n', 0),
        ('"""A module."""\nasync def f(): ...\nclass C: ...\n', 2),
        ('"""A module."""\ndef f():\n    """A function."""\n    def inner(): ...\n', 0),
        ('"""A module."""\nif x:\n    def f(): ...\n', 1),
        ('"""A module."""\n@overload\ndef f(): ...\n', 0),
    ],
)
def test_what_is_undocumented_is_seen(text: str, missing: int, tmp_path: Path) -> None:
    assert len(undocumented(tree_of(tmp_path, "models/commands/a.py", text))) == missing


@pytest.mark.parametrize(
    ("file", "bad"),
    [
        ("sim/utils.py", True),
        ("sim/helpers/clock.py", True),
        ("scenarios/common.py", True),
        ("models/group_manager.py", True),
        ("models/uncommonly.py", False),
    ],
)
def test_a_name_that_tells_nothing_is_seen(file: str, bad: bool, tmp_path: Path) -> None:
    assert bool(badly_named(tree_of(tmp_path, file, ""))) == bad


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("import time\nx = time.time()", True),
        ("import time as t\nx = t.monotonic()", True),
        ("from time import monotonic as now\nx = now()", True),
        ("import time\ndef f(clock=time.time_ns): ...", True),
        ("import datetime\nx = datetime.datetime.now()", True),
        ("from datetime import datetime\nx = datetime.now()", True),
        ("from datetime import datetime\nx = datetime.fromtimestamp(0)", False),
        ("import os\nx = os.urandom(8)", True),
        ("from os import urandom\nx = urandom(8)", True),
        ("import uuid\nx = uuid.uuid4()", True),
        ("import random\nx = random.random()", True),
        ("from random import choice\nx = choice([1])", True),
        ("import random\nx = random.SystemRandom()", True),
        ("import random\nx = random.Random()", True),
        ("import random\nx = random.Random(7).random()", False),
        ("class C:\n    time = 1\nx = C().time", False),
        ("def f(clock):\n    import time\n    return time.time()", True),
    ],
)
def test_time_and_chance_are_seen(text: str, bad: bool, tmp_path: Path) -> None:
    assert bool(unrepeatable(tree_of(tmp_path, "sim/world.py", text))) == bad
    assert bool(unrepeatable(tree_of(tmp_path, "models/stream.py", text))) == bad


def test_a_real_run_may_read_the_clock(tmp_path: Path) -> None:
    assert not unrepeatable(tree_of(tmp_path, "sim/real/spawn.py", "import time\nx = time.time()"))
    assert not unrepeatable(tree_of(tmp_path, "sim/requests.py", "import time\nx = time.time_ns()"))
