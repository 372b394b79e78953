"""A timeout in seconds, as the server reads it: a long double of C (64 bits of mantissa), times 1000.

Sources: string2ld, getTimeoutFromObjectOrReply.
"""

from __future__ import annotations

from typing import Final, NamedTuple

MANTISSA_BITS: Final = 64
LENGTH_MAX: Final = 5 * 1024 - 1
EXPONENT_MAX: Final = 4932
"""Decimal exponents beyond which a long double overflows, or is nothing."""

INFINITE_MS: Final = 2**63
"""What a timeout that has no end, or is too large for its type, comes to."""


class _Ratio(NamedTuple):
    above: int
    below: int


def milliseconds(text: bytes, *, rounds_up: bool) -> int | None:
    """The milliseconds of a number of seconds, ``None`` where it is no number.

    Older servers cut off what is left of a millisecond, later ones round up.
    """
    if len(text) > LENGTH_MAX:
        return None
    negative = text[:1] == b"-"
    digits = text[1:] if text[:1] in (b"-", b"+") else text
    if digits.lower() in (b"inf", b"infinity"):
        return -INFINITE_MS if negative else INFINITE_MS
    ratio = _hexadecimal(digits[2:]) if digits[:2].lower() == b"0x" else _decimal(digits)
    if ratio is None:
        return None
    seconds = _rounded(ratio)
    ms = _rounded(_Ratio(seconds.above * 1000, seconds.below))
    above = -ms.above if negative else ms.above
    if rounds_up:
        return -(-above // ms.below)
    return abs(above) // ms.below * (-1 if negative else 1)


def _decimal(text: bytes) -> _Ratio | None:
    mantissa, mark, exponent = text.lower().partition(b"e")
    whole, _, part = mantissa.partition(b".")
    if not (whole + part).isdigit() or (mark and not _is_exponent(exponent)):
        return None
    power = (int(exponent) if mark else 0) - len(part)
    value = int(whole + part)
    if value and not -EXPONENT_MAX < power + len(b"%d" % value) <= EXPONENT_MAX:
        return None  # the server sees that it overflows, or that nothing is left of it
    if not value:
        return _Ratio(0, 1)
    return _Ratio(value * 10**power, 1) if power >= 0 else _Ratio(value, 10**-power)


def _hexadecimal(text: bytes) -> _Ratio | None:
    mantissa, mark, exponent = text.lower().partition(b"p")
    whole, _, part = mantissa.partition(b".")
    if not (whole + part) or (whole + part).strip(b"0123456789abcdef") or (mark and not _is_exponent(exponent)):
        return None
    power = (int(exponent) if mark else 0) - 4 * len(part)
    value = int(whole + part, 16)
    if abs(power) > 16_000:
        return None
    return _Ratio(value << power, 1) if power >= 0 else _Ratio(value, 1 << -power)


def _is_exponent(text: bytes) -> bool:
    digits = text[1:] if text[:1] in (b"-", b"+") else text
    return digits.isdigit() and len(digits) < 10


def _rounded(value: _Ratio) -> _Ratio:
    """The nearest number of so many bits; of two, the even one."""
    if not value.above:
        return value
    shift = MANTISSA_BITS - (value.above.bit_length() - value.below.bit_length())
    while True:
        above = value.above << shift if shift > 0 else value.above
        below = value.below << -shift if shift < 0 else value.below
        whole, rest = divmod(above, below)
        if whole.bit_length() <= MANTISSA_BITS:
            break
        shift -= 1
    if 2 * rest > below or (2 * rest == below and whole & 1):
        whole += 1
    return _Ratio(whole << -shift, 1) if shift < 0 else _Ratio(whole, 1 << shift)
