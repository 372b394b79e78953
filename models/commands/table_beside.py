"""The commands on values that are kept beside streams: strings, hashes, sets, sorted sets.

Programs that use streams use them: for counters, locks, and what was done already. They are compared with real servers
by tests of their own.
"""

from __future__ import annotations

from . import collections, sorted_sets, strings
from .call import Command, Option
from .table import BESIDE, FAST, ONE, READ, WRITE

CHANGES = WRITE | BESIDE
EACH = (1, -1, 1)
ADDING = (
    Option("NX"), Option("XX"), Option("GT", since=(6, 2)), Option("LT", since=(6, 2)), Option("CH"), Option("INCR"),
)  # fmt: skip
PLAIN = (Option("WITHSCORES"),)
LIMIT = Option("LIMIT", ("start", "count"))
RANGING = (
    Option("BYSCORE", since=(6, 2)), Option("REV", since=(6, 2)), Option("LIMIT", ("start", "count"), since=(6, 2)),
)  # fmt: skip

ROWS: tuple[Command, ...] = (
    Command("SETNX", 3, strings.setnx, CHANGES | FAST, ONE),
    Command("SETEX", 4, strings.setex, CHANGES, ONE),
    Command("PSETEX", 4, strings.setex, CHANGES, ONE),
    Command("GETDEL", 2, strings.getdel, CHANGES | FAST, ONE, since=(6, 2)),
    Command("GETSET", 3, strings.getset, CHANGES | FAST, ONE),
    Command("MGET", -2, strings.mget, READ | FAST, EACH),
    Command("MSET", -3, strings.mset, CHANGES, (1, -1, 2)),
    Command("INCR", 2, strings.incr, CHANGES | FAST, ONE),
    Command("DECR", 2, strings.decr, CHANGES | FAST, ONE),
    Command("INCRBY", 3, strings.incrby, CHANGES | FAST, ONE),
    Command("DECRBY", 3, strings.decrby, CHANGES | FAST, ONE),
    Command("APPEND", 3, strings.append, CHANGES | FAST, ONE),
    Command("STRLEN", 2, strings.strlen, READ | FAST, ONE),
    Command("HSET", -4, collections.hset, CHANGES | FAST, ONE),
    Command("HMSET", -4, collections.hset, CHANGES | FAST, ONE),
    Command("HSETNX", 4, collections.hsetnx, CHANGES | FAST, ONE),
    Command("HGET", 3, collections.hget, READ | FAST, ONE),
    Command("HMGET", -3, collections.hmget, READ | FAST, ONE),
    Command("HGETALL", 2, collections.hgetall, READ, ONE),
    Command("HKEYS", 2, collections.hkeys, READ, ONE),
    Command("HVALS", 2, collections.hvals, READ, ONE),
    Command("HLEN", 2, collections.hlen, READ | FAST, ONE),
    Command("HEXISTS", 3, collections.hexists, READ | FAST, ONE),
    Command("HDEL", -3, collections.hdel, CHANGES | FAST, ONE),
    Command("HINCRBY", 4, collections.hincrby, CHANGES | FAST, ONE),
    Command("SADD", -3, collections.sadd, CHANGES | FAST, ONE),
    Command("SREM", -3, collections.srem, CHANGES | FAST, ONE),
    Command("SMEMBERS", 2, collections.smembers, READ, ONE),
    Command("SISMEMBER", 3, collections.sismember, READ | FAST, ONE),
    Command("SMISMEMBER", -3, collections.smismember, READ | FAST, ONE, since=(6, 2)),
    Command("SCARD", 2, collections.scard, READ | FAST, ONE),
    Command("ZADD", -4, sorted_sets.zadd, CHANGES | FAST, ONE, ("key",), ADDING),
    Command("ZINCRBY", 4, sorted_sets.zincrby, CHANGES | FAST, ONE),
    Command("ZSCORE", 3, sorted_sets.zscore, READ | FAST, ONE),
    Command("ZCARD", 2, sorted_sets.zcard, READ | FAST, ONE),
    Command("ZREM", -3, sorted_sets.zrem, CHANGES | FAST, ONE),
    Command("ZCOUNT", 4, sorted_sets.zcount, READ | FAST, ONE),
    Command("ZPOPMIN", -2, sorted_sets.zpopmin, CHANGES | FAST, ONE),
    Command("ZPOPMAX", -2, sorted_sets.zpopmin, CHANGES | FAST, ONE),
    Command("ZRANGE", -4, sorted_sets.zrange, READ, ONE, ("key", "start", "end"), (*PLAIN, *RANGING)),
    Command("ZRANGEBYSCORE", -4, sorted_sets.zrangebyscore, READ, ONE, ("key", "start", "end"), (*PLAIN, LIMIT)),
    Command("ZREVRANGEBYSCORE", -4, sorted_sets.zrangebyscore, READ, ONE, ("key", "end", "start"), (*PLAIN, LIMIT)),
    Command("ZREMRANGEBYSCORE", 4, sorted_sets.zremrangebyscore, CHANGES, ONE),
)
