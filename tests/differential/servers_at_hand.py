"""The real servers that the tests compare with: the embedded one, and those that REDELIVERY_SERVERS names.

It holds paths, as PATH does: each an executable that starts a server, or a folder whose subfolders each have one
called ``run``. Only servers whose dialect the model has are taken.
"""

from __future__ import annotations

import os
from pathlib import Path

from redelivery.models.dialects import DIALECTS
from redelivery.sim.real.servers import ServerBinary, embedded, examine


def servers_named() -> list[ServerBinary]:
    """One server of each dialect."""
    first = embedded()
    found = {first.dialect: first}
    for text in filter(None, os.environ.get("REDELIVERY_SERVERS", "").split(os.pathsep)):
        path = Path(text)
        for launcher in sorted(path.glob("*/run")) if path.is_dir() else [path]:
            binary = examine(launcher)
            if binary.dialect in DIALECTS:
                found.setdefault(binary.dialect, binary)
    return list(found.values())
