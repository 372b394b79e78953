"""XGROUP. Source: xgroupCommand."""

from __future__ import annotations

from .. import ids
from ..facts import ConsumerRemoved, GroupCreated, GroupRemoved
from ..group import UNKNOWN, Group
from ..replies import OK, Reply, Simple
from ..stream import Stream
from .adding import create_stream
from .call import INVALID_ID, Call, CommandError, need_integer, shown
from .delivering import cursor_moved, ensure_consumer
from .stream_ids import strict_id

KEY_REQUIRED = (
    b"ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the "
    b"MKSTREAM option to create an empty stream automatically."
)
HELP = (
    b"XGROUP <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    b"CREATE <key> <groupname> <id|$> [option]",
    b"CREATECONSUMER <key> <groupname> <consumer>",
    b"DELCONSUMER <key> <groupname> <consumer>",
    b"DESTROY <key> <groupname>",
    b"SETID <key> <groupname> <id|$>",
    b"HELP",
)


def subcommand_error(call: Call) -> CommandError:
    """A subcommand that is unknown, or of the wrong shape."""
    name = shown(call.argv[1])
    if call.dialect.new_error_texts:
        text = b"unknown subcommand or wrong number of arguments for '%b'" % name[:128]
    else:
        text = b"Unknown subcommand or wrong number of arguments for '%b'" % name
    return CommandError(b"ERR %b. Try %b HELP." % (text, call.argv[0].upper()))


def xgroup_by_hand(call: Call) -> Reply:
    """XGROUP before it had real subcommands: the key is looked at first, whatever the subcommand."""
    argv = call.argv
    word, argc = shown(argv[1]).upper(), len(argv)
    make_stream = word == b"CREATE" and argc == 6
    if make_stream and shown(argv[5]).upper() != b"MKSTREAM":
        raise subcommand_error(call)
    if word == b"HELP" and argc == 2:
        return help_text(call)
    if argc >= 4:
        _check_key_and_group(call, word, make_stream)
    if word == b"CREATE" and argc in (5, 6):
        return _create(call, UNKNOWN)
    if word == b"SETID" and argc == 5:
        return _set_id(call, UNKNOWN)
    if word == b"DESTROY" and argc == 4:
        return destroy(call)
    if word == b"CREATECONSUMER" and argc == 5 and call.dialect.group_creates_consumers:
        return create_consumer(call)
    if word == b"DELCONSUMER" and argc == 5:
        return delete_consumer(call)
    raise subcommand_error(call)


def create(call: Call) -> Reply:
    """XGROUP CREATE key group id|$ [MKSTREAM] [ENTRIESREAD n]"""
    make_stream, entries_read = _options(call)
    _check_key_and_group(call, b"CREATE", make_stream)
    if len(call.argv) > 8:
        raise subcommand_error(call)
    return _create(call, entries_read)


def set_id(call: Call) -> Reply:
    """XGROUP SETID key group id|$ [ENTRIESREAD n]"""
    _, entries_read = _options(call)
    _check_key_and_group(call, b"SETID", False)
    if len(call.argv) not in (5, 7):
        raise subcommand_error(call)
    return _set_id(call, entries_read)


def destroy(call: Call) -> Reply:
    """XGROUP DESTROY key group"""
    key, name = call.argv[2], call.argv[3]
    _check_key_and_group(call, b"DESTROY", False)
    stream = call.stream_for_write(key)
    assert stream is not None
    group = stream.groups.pop(name, None)
    if group is None:
        return 0
    call.facts.append(GroupRemoved(key, stream.born, name, group.epoch, group.pel.keys(), "XGROUP DESTROY"))
    call.server.signal(key)
    return 1


def create_consumer(call: Call) -> Reply:
    """XGROUP CREATECONSUMER key group consumer"""
    _check_key_and_group(call, b"CREATECONSUMER", False)
    stream, group = _found(call)
    known = call.argv[4] in group.consumers
    if not known:
        ensure_consumer(call, call.argv[2], stream, group, call.argv[4])
    return int(not known)


def delete_consumer(call: Call) -> Reply:
    """XGROUP DELCONSUMER key group consumer: its pending entries are forgotten, not given to others."""
    _check_key_and_group(call, b"DELCONSUMER", False)
    stream, group = _found(call)
    consumer = group.consumers.get(call.argv[4])
    if consumer is None:
        return 0
    pending = consumer.pel.keys()
    for entry_id in pending:
        group.release(entry_id)
    del group.consumers[consumer.name]
    call.facts.append(ConsumerRemoved(call.argv[2], stream.born, group.name, consumer.name, pending))
    return len(pending)


def help_text(call: Call) -> Reply:
    """XGROUP HELP; the wording differs between releases, so comparisons mask it."""
    return tuple(Simple(line) for line in HELP)


def _create(call: Call, entries_read: int) -> Reply:
    key, name, text = call.argv[2], call.argv[3], call.argv[4]
    stream = call.stream_for_write(key)
    last_id = 0 if stream is None else stream.last_id
    cursor = last_id if shown(text) == b"$" else strict_id(text)
    if stream is None:
        stream = create_stream(call, key)
    if name in stream.groups:
        raise CommandError(b"BUSYGROUP Consumer Group name already exists")
    group = Group(name, cursor, _capped(call, stream, entries_read), call.server.next_birth())
    stream.groups[name] = group
    stream.slowest = None
    said = None if entries_read == UNKNOWN else entries_read
    call.facts.append(GroupCreated(key, stream.born, name, group.epoch, cursor, said))
    return OK


def _set_id(call: Call, entries_read: int) -> Reply:
    stream, group = _found(call)
    text = call.argv[4]
    cursor = stream.last_id if shown(text) == b"$" else ids.parse(text, 0, strict=False)
    if cursor is None:
        raise CommandError(INVALID_ID)
    before, group.cursor = group.cursor, cursor
    group.entries_read = _capped(call, stream, entries_read)
    group.epoch = call.server.next_birth()
    call.facts.append(cursor_moved(call, call.argv[2], stream, group, before, "SETID"))
    return OK


def _capped(call: Call, stream: Stream, entries_read: int) -> int:
    if call.dialect.entries_read_capped and entries_read > stream.entries_added:
        return stream.entries_added
    return entries_read


def _options(call: Call) -> tuple[bool, int]:
    make_stream, entries_read = False, UNKNOWN
    argv = call.argv
    at = 5
    while at < len(argv):
        word = call.takes(argv[at])
        if word == b"MKSTREAM":
            make_stream = True
            at += 1
        elif word == b"ENTRIESREAD" and at + 1 < len(argv):
            entries_read = need_integer(argv[at + 1])
            if entries_read < UNKNOWN:
                raise CommandError(b"ERR value for ENTRIESREAD must be positive or -1")
            at += 2
        else:
            raise subcommand_error(call)
    return make_stream, entries_read


def _check_key_and_group(call: Call, word: bytes, make_stream: bool) -> None:
    key, name = call.argv[2], call.argv[3]
    stream = call.stream(key)
    if make_stream:
        return
    if stream is None:
        raise CommandError(KEY_REQUIRED)
    in_group = word in (b"SETID", b"DELCONSUMER")
    in_group = in_group or (word == b"CREATECONSUMER" and call.dialect.group_creates_consumers)
    if in_group and name not in stream.groups:
        raise no_group(key, name)


def no_group(key: bytes, name: bytes) -> CommandError:
    """The error of a subcommand whose group is missing."""
    return CommandError(b"NOGROUP No such consumer group '%b' for key name '%b'" % (shown(name), shown(key)))


def _found(call: Call) -> tuple[Stream, Group]:
    """The stream and the group, which the checks before have found."""
    stream = call.stream_for_write(call.argv[2])
    group = None if stream is None else stream.group_for_write(call.argv[3])
    assert stream is not None
    assert group is not None
    return stream, group
