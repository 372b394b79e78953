"""Real servers: found, started, driven under a virtual clock, and compared with the model.

The names are imported on first use: nothing here is needed to simulate or to check. The replay of a recorded
run is `redelivery.sim.real.replay.replay`, so that `replay` here is the module, always.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .address import Address as Address
    from .address import parse_url as parse_url
    from .connection import Connection as Connection
    from .errors import ClockIgnored as ClockIgnored
    from .errors import ClockUnavailable as ClockUnavailable
    from .errors import NoReply as NoReply
    from .errors import RealServerError as RealServerError
    from .errors import ServerClosed as ServerClosed
    from .replay import Difference as Difference
    from .replay import Outcome as Outcome
    from .script import Close as Close
    from .script import Open as Open
    from .script import Reply as Reply
    from .script import Send as Send
    from .servers import ServerBinary as ServerBinary
    from .servers import at_hand as at_hand
    from .servers import embedded as embedded
    from .servers import locate as locate
    from .spawn import SpawnedServer as SpawnedServer
    from .virtual_clock import VirtualClock as VirtualClock

_HOME = {
    "Address": "address",
    "ClockIgnored": "errors",
    "ClockUnavailable": "errors",
    "Close": "script",
    "Connection": "connection",
    "Difference": "replay",
    "NoReply": "errors",
    "Open": "script",
    "Outcome": "replay",
    "RealServerError": "errors",
    "Reply": "script",
    "Send": "script",
    "ServerBinary": "servers",
    "ServerClosed": "errors",
    "SpawnedServer": "spawn",
    "VirtualClock": "virtual_clock",
    "at_hand": "servers",
    "embedded": "servers",
    "locate": "servers",
    "parse_url": "address",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{home}", __name__), name)
