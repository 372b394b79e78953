"""The servers that `redelivery servers install` has put into the user's data folder.

Each is a folder named as its dialect, with an executable `run` that starts the server and a `manifest.json` that
says what it is and which packages it was unpacked from. A folder without either is not finished.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .folders import data_folder

__all__ = ["LAUNCHER", "Manifest", "installed", "servers_folder"]

LAUNCHER = "run"
_MANIFEST = "manifest.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was installed: line and version as the server says them, and where the packages came from.

    `packages` are name, version and SHA256 of each; `signed` says whether the suite's signature was verified.
    """

    line: str
    version: str
    suite: str
    mirror: str
    signed: bool
    packages: tuple[tuple[str, str, str], ...]

    def write(self, folder: Path) -> None:
        """Put it into the server's folder."""
        text = json.dumps({"format": _FORMAT, **asdict(self)}, indent=1)
        (folder / _MANIFEST).write_text(text + "\n", encoding="utf-8")


def servers_folder() -> Path:
    """Where the installed servers are."""
    return data_folder() / "servers"


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a server that is finished, or None."""
    try:
        value: dict[str, Any] = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        if value.pop("format") != _FORMAT or not os.access(folder / LAUNCHER, os.X_OK):
            return None
        packages = tuple((name, version, sha256) for name, version, sha256 in value.pop("packages"))
        return Manifest(**value, packages=packages)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # of another format, or cut off: to be installed again


def installed() -> dict[str, tuple[Manifest, Path]]:
    """The finished servers by name, with their launchers, in the order of their names."""
    found = {}
    for folder in sorted(servers_folder().glob("*")):
        manifest = read_manifest(folder)
        if manifest is not None:
            found[folder.name] = (manifest, folder / LAUNCHER)
    return found
