"""Finding scenarios: shipped ones by name, users' own by file or module."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from .around import around
from .errors import BadInput, RedeliveryError, unknown
from .scenario import Scenario

_PACKAGE = __name__.rpartition(".sim.")[0] + ".scenarios"


def shipped_names() -> list[str]:
    """The names of the scenarios that come with the package, in order."""
    package = importlib.import_module(_PACKAGE)
    modules = [module.name for module in pkgutil.iter_modules(package.__path__) if not module.ispkg]
    return sorted(name.replace("_", "-") for name in modules)


def shipped() -> list[Scenario]:
    """Every scenario that comes with the package."""
    return [_shipped(name) for name in shipped_names()]


def find(reference: str) -> Scenario:
    """The scenario that ``reference`` means: a shipped name, ``file.py[:name]`` or ``module:name``."""
    target, colon, name = reference.rpartition(":")
    if not colon:
        target, name = reference, ""
    if target.endswith(".py"):
        return _pick(load_file(Path(target)), name, target)
    if colon:
        return _pick(load_module(target), name, target)
    if reference in shipped_names():
        return _shipped(reference)
    raise unknown("scenario", reference, shipped_names())


def _shipped(name: str) -> Scenario:
    module = importlib.import_module(f"{_PACKAGE}.{name.replace('-', '_')}")
    scenario = module.scenario
    assert isinstance(scenario, Scenario)
    assert scenario.name == name, "a scenario is called like its file"
    return scenario


def load_file(path: Path) -> ModuleType:
    """The module in a file of the user's; ``BadInput`` with the line where it cannot be loaded."""
    try:
        found = path.is_file()
    except OSError:  # no file can be called so
        found = False
    if not found:
        raise BadInput(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(f"redelivery_user_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None, "a name that ends in .py has a loader"
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses in it look their module up
    beside = str(path.absolute().parent)
    if beside not in sys.path:
        sys.path.append(beside)  # it may import what lies beside it, as with `python FILE`; last, to hide nothing
    try:
        spec.loader.exec_module(module)
    except RedeliveryError:
        raise
    except (Exception, SystemExit) as error:
        raise BadInput(f"{path}{_line_in(error, path)}: {type(error).__name__}: {error}") from error
    return module


def load_module(name: str) -> ModuleType:
    """A module of the user's by name; ``BadInput`` where it cannot be imported."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise BadInput(f"there is no module {error.name!r}") from error
    except RedeliveryError:
        raise
    except (Exception, SystemExit) as error:
        raise BadInput(f"module {name!r} cannot be imported: {type(error).__name__}: {error}") from error


def _line_in(error: BaseException, path: Path) -> str:
    if isinstance(error, SyntaxError) and error.lineno:
        return f", line {error.lineno}"
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path.absolute()
    ]
    return f", line {lines[-1]}" if lines else ""


def _pick(module: ModuleType, name: str, where: str) -> Scenario:
    """The scenario called ``name`` in a module, or the only one there is."""
    mine = {key: value for key, value in vars(module).items() if not key.startswith("_")}
    scenarios = {key: value for key, value in mine.items() if isinstance(value, Scenario)}
    if name:
        if name not in mine:
            raise unknown(f"name in {where}", name, [*scenarios, *_consumers(mine, module)])
        return _as_scenario(mine[name], name, where)
    if len(scenarios) == 1:
        return next(iter(scenarios.values()))
    choice = ", ".join(f"{where}:{key}" for key in sorted(scenarios) or _consumers(mine, module))
    problem = "several scenarios" if scenarios else "no scenario"
    raise BadInput(f"{where} holds {problem}; name one" + (f": {choice}" if choice else ""))


def _consumers(mine: dict[str, Any], module: ModuleType) -> list[str]:
    return sorted(
        key for key, value in mine.items() if inspect.iscoroutinefunction(value) and value.__module__ == module.__name__
    )


def _as_scenario(value: Any, name: str, where: str) -> Scenario:
    if isinstance(value, Scenario):
        return value
    if inspect.iscoroutinefunction(value):
        return around(value)
    raise BadInput(
        f"{where}:{name} is a {type(value).__name__}; it must be a Scenario or an async function (redis, me); a "
        "program that blocks, or brings its own client, runs as it is with @redelivery.simulate or redelivery verify"
    )
