"""Bugs in lists and in Pub/Sub, which streams are compared with."""

from __future__ import annotations

from redelivery.models.commands import lists, pubsub

from .faults import LISTENING, LISTS, Bug, Lines

BUGS = (
    Bug("removes-from-the-head", "LREM with a negative count removes from the head",
        "mis-modelled: from the tail",
        Lines(lists.lrem, "hits[:count] if count > 0 else hits[count:]", "hits[: abs(count)]"), taste=LISTS),
    Bug("popping-nothing-is-nil", "LPOP of a missing key is the same nil with a count and without",
        "mis-modelled: with a count it is the nil of an array",
        Lines(lists._pop, "return NIL if count is None else NIL_ARRAY", "return NIL"), taste=LISTS),
    Bug("one-message-a-subscriber", "who is subscribed to a channel and to its pattern gets a message once",
        "mis-modelled: once for each way",
        Lines(pubsub.publish, "server.pubsub.receivers(channel)",
              "list(dict(reversed(server.pubsub.receivers(channel))).items())"), taste=LISTENING),
)  # fmt: skip
