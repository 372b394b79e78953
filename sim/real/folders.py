"""Where things of ours are kept in the user's home, as the XDG convention says."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder", "data_folder"]


def cache_folder() -> Path:
    """What can be made again: `$XDG_CACHE_HOME/redelivery`, else `~/.cache/redelivery`."""
    return _base("XDG_CACHE_HOME", ".cache") / "redelivery"


def data_folder() -> Path:
    """What is to stay: `$XDG_DATA_HOME/redelivery`, else `~/.local/share/redelivery`."""
    return _base("XDG_DATA_HOME", ".local/share") / "redelivery"


def _base(variable: str, default: str) -> Path:
    base = os.environ.get(variable, "")
    # The convention: a path there that is not absolute is to be ignored.
    return Path(base) if os.path.isabs(base) else Path.home() / default
