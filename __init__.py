"""Redelivery: a deterministic simulator and model checker for Redis Streams consumer groups.

Write your consumer once, with redis-py; simulate it; confirm what you find on a real Redis; see it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .models.server import Server
    from .sim.against import compare
    from .sim.around import around
    from .sim.catalogue import find
    from .sim.check.assertions import assert_holds, assert_violates
    from .sim.check.check import check
    from .sim.client_policies import ClientPolicy, preset
    from .sim.errors import BadInput, HandlerFailed, RedeliveryError, ScenarioError
    from .sim.faults import ClockDrift, ClockJump, Crash, Delay, FailHandler, Lose, Pause, Reset, SlowHandler
    from .sim.history import History
    from .sim.history import read as read_history
    from .sim.link_faults import HalfOpen, HostPartition, Partition, SlowLink
    from .sim.loop.campaign import verify
    from .sim.loop.target import Target
    from .sim.loop.work import work
    from .sim.plan import Plan, Process, Restart
    from .sim.requests import activity, atomic, choose, gather, handle, now, pick, publish, sleep, timeout
    from .sim.run import Run
    from .sim.scenario import Scenario, Variant, Without
    from .sim.server_faults import CutReplica, Evict, Failover, Flush, ServerRestart
    from .sim.simulating import simulate
    from .sim.tape import Tape
    from .sim.views.story import tell
    from .sim.views.timeline import draw, svg
    from .sim.watch import Monitor, Property, Violation

__version__ = "0.1.0"

_WHERE = {
    "Server": "models.server",
    "compare": "sim.against", "around": "sim.around", "find": "sim.catalogue",
    "assert_holds": "sim.check.assertions", "assert_violates": "sim.check.assertions",
    "check": "sim.check.check",
    "BadInput": "sim.errors", "RedeliveryError": "sim.errors", "ScenarioError": "sim.errors",
    "History": "sim.history",
    "ClientPolicy": "sim.client_policies", "preset": "sim.client_policies", "HandlerFailed": "sim.errors",
    "ClockDrift": "sim.faults", "ClockJump": "sim.faults", "Crash": "sim.faults", "Delay": "sim.faults",
    "FailHandler": "sim.faults", "Lose": "sim.faults", "Pause": "sim.faults", "Reset": "sim.faults",
    "SlowHandler": "sim.faults",
    "HalfOpen": "sim.link_faults", "HostPartition": "sim.link_faults", "Partition": "sim.link_faults",
    "SlowLink": "sim.link_faults",
    "CutReplica": "sim.server_faults", "Evict": "sim.server_faults", "Failover": "sim.server_faults",
    "Flush": "sim.server_faults", "ServerRestart": "sim.server_faults",
    "Plan": "sim.plan", "Process": "sim.plan", "Restart": "sim.plan",
    "activity": "sim.requests", "atomic": "sim.requests", "timeout": "sim.requests",
    "choose": "sim.requests", "gather": "sim.requests", "handle": "sim.requests", "now": "sim.requests",
    "pick": "sim.requests",
    "publish": "sim.requests", "sleep": "sim.requests",
    "Run": "sim.run", "simulate": "sim.simulating",
    "Scenario": "sim.scenario", "Variant": "sim.scenario", "Without": "sim.scenario", "Tape": "sim.tape",
    "Target": "sim.loop.target", "verify": "sim.loop.campaign", "work": "sim.loop.work",
    "tell": "sim.views.story", "draw": "sim.views.timeline", "svg": "sim.views.timeline",
    "Monitor": "sim.watch", "Property": "sim.watch", "Violation": "sim.watch",
}  # fmt: skip

__all__ = [
    "BadInput", "ClientPolicy", "ClockDrift", "ClockJump", "Crash", "CutReplica", "Delay", "Evict", "FailHandler",
    "Failover", "Flush", "HalfOpen", "HandlerFailed", "History", "HostPartition", "Lose", "Monitor", "Partition",
    "Pause", "Plan", "Process", "Property", "RedeliveryError", "Reset", "Restart", "Run", "Scenario", "ScenarioError",
    "Server", "ServerRestart", "SlowHandler", "SlowLink", "Tape", "Target", "Variant", "Violation", "Without",
    "activity", "around", "assert_holds", "assert_violates", "atomic", "check", "choose", "compare", "draw", "find",
    "gather", "handle", "now", "pick", "preset", "publish", "read_history", "simulate", "sleep", "svg", "tell",
    "timeout", "verify", "work",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Loads a public name on first use, so that importing the package costs next to nothing."""
    if name == "read_history":
        return import_module(".sim.history", __name__).read
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_WHERE[name]}", __name__), name)
    globals()[name] = value
    return value
