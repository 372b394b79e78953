"""What can go wrong with a real server.

Every message is one line, whole and clear by itself: a command line prints it as it is and ends with code 2.
"""

from __future__ import annotations

from ..errors import RedeliveryError

__all__ = ["ClockIgnored", "ClockUnavailable", "NoReply", "RealServerError", "ServerClosed"]


class RealServerError(RedeliveryError):
    """A real server cannot be found, started, reached or used."""


class ClockUnavailable(RealServerError):
    """A server cannot be driven under the virtual clock here; it can still be driven in real time."""


class ClockIgnored(RealServerError):
    """A server was started under the virtual clock and goes by another: nothing that it says can be compared."""


class ServerClosed(RealServerError):
    """The server closed the connection."""


class NoReply(RealServerError):
    """The server did not answer within the time, by the real clock, that it was given."""
