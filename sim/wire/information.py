"""INFO: what clients and monitors read of a server. What is of a process or of memory is told as 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .server import SocketServer

DEFAULT = (
    "server", "clients", "memory", "persistence", "stats", "replication", "cpu", "errorstats", "cluster", "keyspace",
)  # fmt: skip
ON_DEMAND = ("commandstats",)
"""Sections that are told where they are asked for, or everything is."""
RUN_ID = b"redelivery".ljust(40, b"0")


def sections(host: SocketServer, now_ms: int, wanted: list[bytes]) -> bytes:
    """The sections that are asked for, all where none is."""
    names = [word.decode(errors="replace") for word in wanted]
    if not names or {"all", "default", "everything"} & set(names):
        names = [*DEFAULT, *(ON_DEMAND if {"all", "everything"} & set(names) else ())]
    out = []
    for name in (*DEFAULT, *ON_DEMAND):
        if name in names:
            lines = b"".join([b"%b:%b\r\n" % pair for pair in _section(host, name, now_ms)])
            title = b"CPU" if name == "cpu" else name.capitalize().encode()
            out.append(b"# %b\r\n%b" % (title, lines))
    return b"\r\n".join(out)


def _section(host: SocketServer, name: str, now_ms: int) -> list[tuple[bytes, bytes]]:
    """A section's names and values."""
    if name == "server":
        return _server(host, now_ms)
    if name == "clients":
        blocked = sum(c.session.wait is not None for c in host.connections.values())
        return [
            (b"connected_clients", b"%d" % len(host.connections)),
            (b"maxclients", b"%d" % host.settings.number(b"maxclients")),
            (b"blocked_clients", b"%d" % blocked),
            (b"tracking_clients", b"0"),
            *_blocking_keys(host),
        ]
    if name == "memory":
        return [
            (b"used_memory", b"0"), (b"used_memory_human", b"0B"), (b"used_memory_peak", b"0"),
            (b"maxmemory", b"%d" % host.settings.number(b"maxmemory")), (b"maxmemory_policy", b"noeviction"),
        ]  # fmt: skip
    if name == "persistence":
        return [
            (b"loading", b"0"), (b"async_loading", b"0"),
            (b"rdb_changes_since_last_save", b"%d" % host.changes),
            (b"rdb_bgsave_in_progress", b"0"), (b"rdb_last_save_time", b"%d" % (host.durable.saved_ms // 1000)),
            (b"rdb_last_bgsave_status", b"ok"), (b"aof_enabled", b"%d" % host.durable.logs),
            (b"aof_rewrite_in_progress", b"0"), (b"aof_last_write_status", b"ok"),
        ]  # fmt: skip
    if name == "stats":
        return [
            (b"total_connections_received", b"%d" % host.accepted),
            (b"total_commands_processed", b"%d" % host.commands),
            (b"rejected_connections", b"%d" % host.refused),
            *([(b"total_error_replies", b"%d" % host.tally.errors)] if host.dialect.has((6, 2)) else []),
            (b"pubsub_channels", b"%d" % len(host.model.pubsub.channels(None))),
            (b"pubsub_patterns", b"%d" % host.model.pubsub.patterns(each=False)),
        ]
    if name == "replication":
        return [
            (b"role", b"master"), (b"connected_slaves", b"0"), (b"master_failover_state", b"no-failover"),
            (b"master_replid", RUN_ID), (b"master_replid2", b"0" * 40), (b"master_repl_offset", b"0"),
            (b"second_repl_offset", b"-1"), (b"repl_backlog_active", b"0"),
        ]  # fmt: skip
    if name == "errorstats":
        return host.tally.of_errors() if host.dialect.has((6, 2)) else []
    if name == "commandstats":
        return host.tally.of_commands(with_errors=host.dialect.has((6, 2)))
    if name == "cluster":
        return [(b"cluster_enabled", b"0")]
    if name == "keyspace":
        told = []
        for index, database in sorted(host.model.databases.items()):
            if database.keys:
                line = b"keys=%d,expires=%d,avg_ttl=0" % (len(database.keys), len(database.expires))
                told.append((b"db%d" % index, line))
        return told
    return [(b"used_cpu_sys", b"0.000000"), (b"used_cpu_user", b"0.000000")]


def _blocking_keys(host: SocketServer) -> list[tuple[bytes, bytes]]:
    """On how many keys somebody waits, and on how many somebody who is told when they go (since 7.2)."""
    if not host.dialect.has((7, 2)):
        return []
    queues = [queue for database in host.model.databases.values() for queue in database.waiting.values()]
    waits = [[host.model.sessions[number].wait for number in queue] for queue in queues]
    told = sum(any(wait is not None and wait.group is not None for wait in queue) for queue in waits)
    return [(b"total_blocking_keys", b"%d" % len(queues)), (b"total_blocking_keys_on_nokey", b"%d" % told)]


def _server(host: SocketServer, now_ms: int) -> list[tuple[bytes, bytes]]:
    line, _, release = host.dialect.name.encode().partition(b"-")
    redis = b"7.2.4" if line == b"valkey" else release + b".0"
    own = [(b"server_name", b"valkey"), (b"valkey_version", release + b".0")] if line == b"valkey" else []
    up_s = max(now_ms - host.started_ms, 0) // 1000
    return [
        (b"redis_version", redis), *own, (b"redis_git_sha1", b"00000000"), (b"redis_git_dirty", b"0"),
        (b"redis_build_id", b"redelivery"), (b"redis_mode", b"standalone"), (b"os", b"Redelivery"),
        (b"arch_bits", b"64"), (b"multiplexing_api", b"asyncio"), (b"process_id", b"1"), (b"run_id", RUN_ID),
        (b"tcp_port", b"%d" % host.port), (b"server_time_usec", b"%d" % (now_ms * 1000)),
        (b"uptime_in_seconds", b"%d" % up_s), (b"uptime_in_days", b"%d" % (up_s // 86400)), (b"hz", b"10"),
        (b"config_file", b""),
    ]  # fmt: skip
