"""Publishing and subscribing. Source: pubsub.c.

In RESP3 messages, and the answers to SUBSCRIBE and its like, are pushes: they stand beside the replies. A session
that publishes to itself gets its own message before the reply of PUBLISH up to 7.0, and after it from 7.2 on.
"""

from __future__ import annotations

from ..facts import Published, Subscribed, Unsubscribed
from ..replies import NIL, QUEUED, Frames, Push, Reply
from ..session import Session
from .call import Call, CommandError
from .groups import subcommand_error

HELP = (
    b"PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    b"CHANNELS [<pattern>]",
    b"NUMPAT",
    b"NUMSUB [<channel> ...]",
    b"HELP",
)

SUBSCRIBER_COMMANDS = frozenset({"SUBSCRIBE", "UNSUBSCRIBE", "PSUBSCRIBE", "PUNSUBSCRIBE", "PING", "QUIT", "RESET"})
"""What a subscriber may send in RESP2: whatever else it got for an answer could not be told from a message."""


def subscribe(call: Call) -> Reply:
    """SUBSCRIBE channel ..."""
    return _subscribe(call, b"subscribe", pattern=False)


def psubscribe(call: Call) -> Reply:
    """PSUBSCRIBE pattern ..."""
    return _subscribe(call, b"psubscribe", pattern=True)


def unsubscribe(call: Call) -> Reply:
    """UNSUBSCRIBE [channel ...]: from all of them without a name, in an order that is not to be relied on.

    It is called in an open transaction, too, and puts itself into the queue, where it is not refused.
    """
    return _unsubscribe(call, b"unsubscribe", pattern=False)


def punsubscribe(call: Call) -> Reply:
    """PUNSUBSCRIBE [pattern ...]"""
    return _unsubscribe(call, b"punsubscribe", pattern=True)


def publish(call: Call) -> Reply:
    """PUBLISH channel message: how many got it, a subscriber once for each way in which it is subscribed."""
    server, session = call.server, call.session
    channel, message = call.argv[1], call.argv[2]
    receivers = server.pubsub.receivers(channel)
    own: list[Reply] = []
    for receiver, pattern in receivers:
        if pattern is None:
            push = Push((b"message", channel, message))
        else:
            push = Push((b"pmessage", pattern, channel, message))
        if receiver == session.id and call.dialect.push_precedes_reply:
            own.append(push)
        else:
            server.push(receiver, push, call.now_ms)
    call.facts.append(Published(channel, message, session.id, tuple([receiver for receiver, _ in receivers])))
    if call.may_block:
        server.drop_slow_subscribers(call.facts)
    return Frames((*own, len(receivers))) if own else len(receivers)


def channels(call: Call) -> Reply:
    """PUBSUB CHANNELS [pattern]: in an order that is not to be relied on."""
    if len(call.argv) > 3:
        raise subcommand_error(call)
    return tuple(call.server.pubsub.channels(call.argv[2] if len(call.argv) == 3 else None))


def numsub(call: Call) -> Reply:
    """PUBSUB NUMSUB [channel ...]"""
    found: list[Reply] = []
    for channel in call.argv[2:]:
        found += [channel, call.server.pubsub.subscribers_of(channel)]
    return tuple(found)


def numpat(call: Call) -> Reply:
    """PUBSUB NUMPAT"""
    return call.server.pubsub.patterns(each=call.dialect.numpat_counts_subscriptions)


def help_text(call: Call) -> Reply:
    """PUBSUB HELP; the wording differs between releases, so comparisons mask it."""
    return HELP


def pubsub_by_hand(call: Call) -> Reply:
    """PUBSUB before it had real subcommands."""
    word, argc = call.argv[1].partition(b"\0")[0].upper(), len(call.argv)
    if word == b"HELP" and argc == 2:
        return help_text(call)
    if word == b"CHANNELS" and argc <= 3:
        return channels(call)
    if word == b"NUMSUB":
        return numsub(call)
    if word == b"NUMPAT" and argc == 2:
        return numpat(call)
    raise subcommand_error(call)


def leave_all(call: Call, cause: str) -> None:
    """Ends every subscription of the session, without an answer."""
    for pattern in (False, True):
        for name in call.server.pubsub.names(call.session.id, pattern=pattern):
            call.server.pubsub.remove(call.session.id, name, pattern=pattern)
            call.facts.append(Unsubscribed(call.session.id, name, pattern, cause))
    _counted(call, call.session)


def _subscribe(call: Call, word: bytes, *, pattern: bool) -> Reply:
    session, pubsub = call.session, call.server.own_pubsub()
    answers: list[Reply] = []
    for name in call.argv[1:]:
        if pubsub.add(session.id, name, pattern=pattern):
            call.facts.append(Subscribed(session.id, name, pattern))
        answers.append(Push((word, name, pubsub.count(session.id))))
    _counted(call, session)
    return answers[0] if len(answers) == 1 else Frames(tuple(answers))


def _unsubscribe(call: Call, word: bytes, *, pattern: bool) -> Reply:
    session, pubsub = call.session, call.server.pubsub
    in_exec = session.queue is None and not call.may_block
    if call.dialect.unsubscribe_needs_subscription and not (in_exec or session.subscriptions):
        session.broken = True
        raise CommandError(b"NOSUB '%b' command executed not in subscribed mode" % word)
    if session.queue is not None:
        session.queue.append(tuple(call.argv))
        return QUEUED
    answers: list[Reply] = []
    for name in call.argv[1:] or pubsub.names(session.id, pattern=pattern):
        if pubsub.remove(session.id, name, pattern=pattern):
            call.facts.append(Unsubscribed(session.id, name, pattern, call.command.name))
        answers.append(Push((word, name, pubsub.count(session.id))))
    if not answers:
        answers.append(Push((word, NIL, pubsub.count(session.id))))
    _counted(call, session)
    return answers[0] if len(answers) == 1 else Frames(tuple(answers))


def _counted(call: Call, session: Session) -> None:
    session.subscriptions = call.server.pubsub.count(session.id)
    session.apart = bool(session.database or session.subscriptions)
