"""Texts that commands are made of: names, borderline and malformed IDs and numbers, values, junk.

The first of each pool is the plainest.
"""

from __future__ import annotations

KEYS = (b"s", b"s", b"s", b"s", b"t", b"t", b"u", b"text", b"", b"n\0l", b"c\r\nr")
LISTS = (b"l", b"l", b"l", b"l", b"m", b"m", b"n", b"s", b"text", b"")
CHANNELS = (b"n.1", b"n.1", b"n.2", b"a", b"b", b"-", b"", b"\xff", b"*", b"x\0y")
PATTERNS = (b"n.*", b"n.*", b"n.*", b"[a-c]", b"\\*", b"[^n-z]?*", b"x*y", b"[\x80-\xff")
"""Hardly a channel is meant by two of them: in which order a subscriber gets it twice depends on a hash."""
GROUPS = (b"g", b"g", b"g", b"g", b"h", b"h", b"", b"g\0x", b"no\r\n")
PRODUCERS = (b"p", b"p", b"q", b"p\0q", b"no\r\n")
IIDS = (b"i", b"i", b"j", b"k", b"l", b"m", b"i\0")
CONSUMERS = (b"a", b"a", b"b", b"b", b"c", b"", b"z\0")

MAX = b"18446744073709551615"
ODD_IDS = (
    b"", b"-", b"+", b"$", b">", b"*", b"0", b"0-0", b"(", b"(0-0", b"(0", b"(-", b"01-1", b"+5-1", b" 6-1",
    b"8-+1", b"9- -1", b"9--1", b"10-", b"-10", b"10-0x1", b"1-2-3", b"10.5-1", b"11-1 ", b"12-1\0x",
    b"\t3-\v4", b"5-*", b"0-*", b"-5-*", MAX, b"18446744073709551616-0", MAX + b"-" + MAX,
    b"(" + MAX + b"-" + MAX,
    b"9223372036854775808-0", b"x", b"~", b"=", b"-0-1", b"1--0", b"-9223372036854775809",
    b"1-" + b"0" * 124 + b"1", b"1-" + b"0" * 125 + b"1", b"0-1\r\n",
    b"*\0", b"$\0", b">\0", b"+\0", b"-\0", b"(\0", b"5-*\0",
)  # fmt: skip
ODD_NUMBERS = (
    b"", b"x", b"-1", b"-0", b"00", b"01", b"+1", b" 1", b"1 ", b"1.0", b"1e3", b"9223372036854775807",
    b"9223372036854775808", b"-9223372036854775808", b"-9223372036854775809", MAX, b"-100000", b"2\0",
    b"10000000000000000",
)  # fmt: skip
ODD_BOUNDS = ODD_IDS + (b"(" + MAX + b"-" + MAX, b"(0-0", b"(0", b"(") * 3
"""For the ends of ranges: more of those that exclude the first or the last ID that there can be."""

VALUES = (
    b"f", b"v", b"name", b"1", b"-1", b"127", b"128", b"4095", b"-4097", b"32768", b"8388608", b"2147483648",
    b"-9223372036854775808", b"9223372036854775808", b"", b"x\r\ny", b"\0",
)  # fmt: skip
LONG_PIECES = (b"v", b"\r\n", b"\0")
LONG_SIZES = (40, 62, 63, 64, 65, 127, 128, 300, 1000, 4096, 20000)
JUNK = (
    b"", b"x", b"COUNT", b"count", b"MAXLEN", b"~", b"=", b"BLOCK", b"STREAMS", b"0", b"-1", b"a\0b",
    b"a\r\nb", b"FULL", b"FORCE", b"JUSTID", b"LIMIT", b"GROUP", b"IDLE", b"MKSTREAM", b"\xff\xfe",
    b"q" * 200,
    b"count\0x", b"~\0", b"*\0", b"JUSTID\0", b"MAXLEN\0\0", b"$\0",
)  # fmt: skip
TIMEOUTS = (b"0", b"0.001", b"0.0015", b"0.02", b"1", b"5", b"1e-3", b"0x1p-4", b"2.5e0", b"100")
ODD_TIMEOUTS = (
    b"x", b"-1", b"", b" 1", b"1 ", b"nan", b"1e", b".", b"-0.0001", b"1..5", b"0x", b"1e-6000", b"1e6000", b"-inf",
)  # fmt: skip
NO_COMMANDS = (b"NOSUCH", b"no\r\nsuch", b"no\0such", b"x" * 140)
NO_SUBCOMMANDS = (b"NOSUCH", b"", b"CR\nEATE")
