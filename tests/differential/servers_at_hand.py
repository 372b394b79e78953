"""The real servers that the tests compare with: all that are at hand and whose dialect the model has."""

from __future__ import annotations

from redelivery.models.dialects import DIALECTS
from redelivery.sim.real.servers import ServerBinary, at_hand


def servers_named() -> list[ServerBinary]:
    """One server of each dialect, the embedded one first."""
    found: dict[str, ServerBinary] = {}
    for server in at_hand():
        if server.dialect in DIALECTS:
            found.setdefault(server.dialect, server)
    return list(found.values())
