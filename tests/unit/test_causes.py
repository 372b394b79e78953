"""Why an entry is not acknowledged, or was handled twice: the chain from event to event, and the answer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redelivery.models import facts as f
from redelivery.models import ids
from redelivery.models.replies import Reply
from redelivery.sim import events as e
from redelivery.sim.catalogue import find, shipped
from redelivery.sim.causes.why import Explanation, explain
from redelivery.sim.errors import BadInput
from redelivery.sim.history import History
from redelivery.sim.run import simulate

START_MS = 1_700_000_000_000
S, G = b"orders", b"workers"
ENTRY = ids.make(START_MS, 0)
TEXT = ids.show(ENTRY)


def effect(ms: int, who: str, argv: str, *facts: f.Fact, reply: Reply = 1, call: int = 1) -> e.Effect:
    return e.Effect(ms, who, call, 1, ms, START_MS + ms, (tuple(argv.encode().split()),), (reply,), facts)


def created(cursor: int = 0, ms: int = 0, group: bytes = G) -> e.Effect:
    return effect(ms, "", "XGROUP CREATE", f.GroupCreated(S, 1, group, 1, cursor))


def added(ms: int = 0, entry: int = ENTRY, stream: bytes = S, born: int = 1) -> e.Effect:
    return effect(ms, "shop", "XADD", f.Added(stream, born, entry, (b"n", b"1")))


def given_to(who: str, ms: int = 1, *, noack: bool = False, call: int = 2, consumer: str = "") -> e.Effect:
    fact = f.Delivered(S, 1, G, 1, (consumer or who).encode(), ENTRY, 1, noack, None)
    return effect(ms, who, "XREADGROUP", fact, call=call)


def claimed(who: str, ms: int, before: str, call: int = 3) -> e.Effect:
    fact = f.Claimed(S, 1, G, who.encode(), ENTRY, before.encode(), ms - 1, 5, 2, START_MS + ms)
    return effect(ms, who, "XAUTOCLAIM", fact, call=call)


def acked(who: str, ms: int, owner: str = "", call: int = 4) -> e.Effect:
    return effect(ms, who, "XACK", f.Acked(S, 1, G, ENTRY, (owner or who).encode()), call=call)


def asked(*events: e.Event, at_ms: int | None = None) -> Explanation:
    return explain(History({}, [*events, e.Ended(max(event.at_ms for event in events))]), "1", at_ms=at_ms)


def kinds(explained: Explanation) -> list[str]:
    return [link.kind for link in explained.chain]


BEGUN = (created(), added(), given_to("a"), e.Handling(1, "a", S, G, TEXT))


def test_handled_and_acknowledged() -> None:
    explained = asked(*BEGUN, e.Handled(5, "a", S, G, TEXT), acked("a", 6))
    assert kinds(explained) == ["added", "delivered", "handling", "handled", "acknowledged"]
    assert [link.event for link in explained.chain] == [1, 2, 3, 4, 5]
    assert explained.answer == "Entry 1 is acknowledged since 6 ms."
    assert (explained.state, explained.handled) == ("acknowledged", 1)


def test_at_a_time_only_what_was_before_it_counts() -> None:
    events = (*BEGUN, e.Handled(5, "a", S, G, TEXT), acked("a", 6))
    assert asked(*events, at_ms=4).answer == "Entry 1 is not acknowledged at 4 ms: a is still handling it."
    assert asked(*events, at_ms=5).answer == (
        "Entry 1 is not acknowledged at 5 ms: a has handled it, and has not acknowledged it."
    )
    assert asked(*events, at_ms=99).answer == "Entry 1 is acknowledged since 6 ms."
    late = asked(created(), added(10), at_ms=5)
    assert (late.state, late.answer, late.chain) == ("absent", "Entry 1 is not there yet at 5 ms.", ())


def test_a_crash_and_nobody_claims() -> None:
    polls = [effect(100 * n, "b", "XREADGROUP", call=10 + n) for n in range(1, 4)]
    explained = asked(
        *BEGUN, e.Crashed(20, "a", "fault", "x"), e.Started(30, "a", "a-2", "a", 2), *polls,
        effect(400, "b", "XAUTOCLAIM", call=20),
    )  # fmt: skip
    assert kinds(explained) == ["added", "delivered", "handling", "crashed", "restarted", "nobody-claimed"]
    assert explained.chain[-1].text == (
        "nobody takes it up: 3 XREADGROUP by b and 1 XAUTOCLAIM by b did not return it; it is idle for 399 ms"
    )
    assert explained.chain[-1].event == 9
    assert explained.answer.endswith("a crashed while it had it pending, and nobody has claimed it for 399 ms.")


def test_a_crash_and_nobody_even_asks() -> None:
    explained = asked(*BEGUN, e.Crashed(20, "a", "raised", "KeyError: 'n'"))
    assert explained.chain[-2].text == "a raises \"KeyError: 'n'\" while it handles it; entry 1 stays pending for a"
    assert explained.chain[-1].text == "nobody asks for it any more; it is idle for 19 ms"


def test_claimed_while_it_is_still_being_handled() -> None:
    explained = asked(
        *BEGUN, claimed("b", 50, "a"), e.Handling(50, "b", S, G, TEXT), e.Handled(60, "b", S, G, TEXT), acked("b", 61),
        e.Handled(70, "a", S, G, TEXT), effect(71, "a", f"XACK orders workers {TEXT.decode()}", reply=0, call=9),
    )  # fmt: skip
    assert kinds(explained) == [
        "added", "delivered", "handling", "claimed", "handling", "handled", "acknowledged", "handled", "late-ack",
    ]  # fmt: skip
    assert explained.chain[3].text == "b claims entry 1 from a after 49 ms idle (delivery 2), while a still handles it"
    assert explained.chain[4].text == "b begins to handle it while a is still at it"
    assert explained.answer == (
        "Entry 1 is acknowledged since 61 ms. It was handled twice, at the same time: by a (1 ms to 70 ms) and "
        "b (50 ms to 60 ms)."
    )


def test_an_acknowledgement_of_another_entry_is_no_late_one() -> None:
    for argv in ("XACK orders workers 5-0", f"XACK other workers {TEXT.decode()}", f"XACK orders x {TEXT.decode()}"):
        assert "late-ack" not in kinds(asked(*BEGUN, effect(9, "a", argv, reply=0, call=9)))


def test_the_acknowledgement_took_effect_and_its_reply_was_lost() -> None:
    explained = asked(*BEGUN, e.Handled(5, "a", S, G, TEXT), acked("a", 6, call=7), e.Lost(6, "a", 7, "reply"))
    assert kinds(explained)[-1] == "ack-reply-lost"
    assert explained.answer == "Entry 1 is acknowledged since 6 ms, though the reply was lost."


def test_the_reply_that_carried_it_was_lost() -> None:
    lost = [e.Lost(2, "a", 7, "reply"), e.Lost(2, "a", 99, "reply")]
    explained = asked(created(), added(), given_to("a", call=7), *lost)
    assert explained.chain[2].text == "the reply of that XREADGROUP is lost: a never sees entry 1"
    assert explained.answer == (
        "Entry 1 is not acknowledged at 2 ms: a has it pending and never saw it: the reply was lost, and nobody "
        "claimed it for 1 ms."
    )


def test_trimmed_while_it_was_pending_and_then_forgotten() -> None:
    trim = effect(9, "janitor", "XTRIM", f.Trimmed(S, 1, (ENTRY,), "XTRIM"))
    explained = asked(*BEGUN, trim)
    assert explained.chain[3].text == "janitor trims entry 1 by XTRIM while it is pending for a"
    assert explained.answer == (
        "Entry 1 is not acknowledged at 9 ms: a is still handling it (and the entry itself is trimmed)."
    )
    explained = asked(*BEGUN, trim, effect(20, "b", "XAUTOCLAIM", f.Forgotten(S, 1, G, ENTRY, b"a", "XAUTOCLAIM")))
    assert explained.chain[4].text == "XAUTOCLAIM of b finds entry 1 gone from the stream, and drops it from the group"
    assert explained.state == "dropped"


def test_gone_before_it_was_delivered() -> None:
    delete = effect(9, "janitor", "XDEL", f.Deleted(S, 1, (ENTRY,), "XDEL"))
    explained = asked(created(), added(), delete)
    assert explained.chain[-1].text == "janitor deletes entry 1 by XDEL before workers got it"
    assert (explained.state, explained.answer) == ("gone", "Entry 1 was deleted before group workers got it.")


@pytest.mark.parametrize(("cause", "what"), [("failover", "failover"), ("restart", "restart"), ("snapshot", "restart")])
def test_lost_with_the_server(cause: str, what: str) -> None:
    fallen = e.ServerLost(9, START_MS + 9, cause, 1, (f.Deleted(S, 1, (ENTRY,), cause),))
    explained = asked(created(), added(), fallen)
    assert (explained.chain[-1].kind, explained.chain[-1].text) == (
        cause, f"entry 1 is lost in the {what} before workers got it"
    )  # fmt: skip
    assert explained.state == "gone"
    assert explained.answer == f"Entry 1 was lost in the {what} before group workers got it."


def test_the_acknowledgment_was_lost_with_the_server() -> None:
    again = f.Reinstated(S, 1, G, b"a", ENTRY, None, 1, START_MS + 2, "failover")
    fallen = e.ServerLost(9, START_MS + 9, "failover", 1, (again,))
    explained = asked(*BEGUN, e.Handled(4, "a", S, G, TEXT), acked("a", 5), fallen)
    assert explained.state == "pending"
    assert "it was acknowledged, and the server has forgotten that; it is idle for" in explained.answer


def test_a_group_that_starts_after_it_or_moves_past_it() -> None:
    late = asked(added(), created(ENTRY, ms=5))
    start = TEXT.decode()
    assert late.chain[1].text == f"the setup creates group workers only now, to read from {start} on: past entry 1"
    assert late.answer == "Entry 1 is never delivered to group workers: its cursor is past it."
    ahead = asked(created(ENTRY + 5), added())
    assert kinds(ahead) == ["added", "skipped"]
    moved = f.CursorMoved(S, 1, G, 2, 0, ENTRY, None, None, "SETID")
    skipped = asked(created(), added(), effect(7, "admin", "XGROUP SETID", moved))
    assert kinds(skipped) == ["added", "skipped"]
    assert skipped.chain[1].text.startswith("admin moves the cursor of group workers by SETID, from 0-0 to ")
    back = f.CursorMoved(S, 1, G, 3, ENTRY, 0, None, None, "SETID")
    rewound = asked(*BEGUN, acked("a", 5), effect(7, "admin", "XGROUP SETID", back))
    assert kinds(rewound)[-1] == "rewound"
    assert rewound.state == "undelivered"
    assert "was not given it again" in rewound.answer


def test_not_delivered_yet() -> None:
    explained = asked(created(), added(), effect(5, "b", "XREADGROUP", call=5))
    assert explained.chain[-1].text == "1 XREADGROUP by b, none of them a claim, did not come to it"
    assert explained.answer == "Entry 1 is not acknowledged at 5 ms: group workers was not given it yet."


def test_dropped_with_its_consumer_or_its_group_or_given_for_good() -> None:
    gone = effect(9, "admin", "XGROUP", f.ConsumerRemoved(S, 1, G, b"a", (ENTRY,)))
    assert asked(*BEGUN, gone).state == "dropped"
    other = effect(9, "admin", "XGROUP", f.ConsumerRemoved(S, 1, G, b"b", ()))
    assert asked(*BEGUN, other).state == "pending"
    destroyed = effect(9, "admin", "XGROUP", f.GroupRemoved(S, 1, G, 1, (ENTRY,), "DESTROY"))
    assert asked(*BEGUN, destroyed).chain[-1].text == "admin removes group workers by DESTROY"
    assert asked(*BEGUN, destroyed).state == "dropped"
    noack = asked(created(), added(), given_to("a", noack=True))
    assert (noack.state, noack.answer) == ("given", "Entry 1 was given with NOACK: nobody has to acknowledge it.")


def test_renewed_reread_and_a_clock_that_jumps() -> None:
    reread = effect(9, "a", "XREADGROUP", f.Reread(S, 1, G, b"a", ENTRY, 2), call=6)
    jump = e.ClockJumped(10, "redis", -5000)
    explained = asked(*BEGUN, claimed("a", 8, "a"), reread, jump, e.ClockJumped(11, "a", 7))
    assert kinds(explained) == ["added", "delivered", "handling", "renewed", "reread", "clock"]
    assert explained.chain[5].text == "the server's clock jumps by −5 s, and the idle time of entry 1 with it"


def test_another_process_under_the_same_name_is_told_apart() -> None:
    explained = asked(created(), added(), given_to("a", consumer="one"), claimed("b", 9, "one"))
    assert explained.chain[1].text == "a is given entry 1 as one (delivery 1)"
    assert explained.chain[2].text == "b claims entry 1 from one after 8 ms idle (delivery 2)"


# ---- which entry ----


def test_an_entry_by_its_number_or_its_id() -> None:
    history = History({}, [created(), added(), added(5, ENTRY + 1), e.Ended(9)])
    assert explain(history, TEXT.decode()) == explain(history, "1")
    assert explain(history, "2").subject.entry.id == ENTRY + 1


def test_what_is_not_clear_is_asked_for() -> None:
    twice = History({}, [created(), added(), added(5, stream=b"bills"), e.Ended(9)])
    with pytest.raises(BadInput, match="is in several streams: give --stream, one of: orders, bills"):
        explain(twice, TEXT.decode())
    assert explain(twice, TEXT.decode(), stream="bills").answer == (
        "Entry B1 is in no group's hands: no group reads its stream."
    )
    groups = History({}, [created(), created(group=b"audit"), added(), e.Ended(9)])
    with pytest.raises(BadInput, match="has several groups: give --group, one of: workers, audit"):
        explain(groups, "1")
    assert explain(groups, "1", group="audit").subject.group == b"audit"


def test_an_unknown_entry_names_the_nearest() -> None:
    history = History({}, [created(), *(added(n, ENTRY + n) for n in range(5)), e.Ended(9)])
    with pytest.raises(BadInput) as told:
        explain(history, ids.show(ENTRY + 10).decode())
    assert str(told.value) == (
        f"the history has no entry '{START_MS}-10'; the nearest are {START_MS}-4 (entry 5), {START_MS}-3 (entry 4) and "
        f"{START_MS}-2 (entry 3)"
    )
    with pytest.raises(BadInput, match="it speaks of no entry at all"):
        explain(History(), "1")
    with pytest.raises(BadInput, match="has no entry 'x'"):
        explain(history, "x")


def test_an_entry_of_a_key_that_was_made_again_is_the_newest() -> None:
    history = History({}, [created(), added(), added(50, born=2), e.Ended(60)])
    assert explain(history, TEXT.decode()).subject.entry.born == 2


def test_a_history_that_stops_in_the_middle_says_so() -> None:
    explained = explain(History({}, list(BEGUN)), "1")
    assert explained.truncated
    assert explained.answer.endswith("a is still handling it. The history stops at event 3, before its run was over.")
    assert not explain(History({}, list(BEGUN)), "1", at_ms=0).answer.endswith("over.")


# ---- against whole runs ----


@settings(max_examples=40)
@given(
    case=st.sampled_from([(s.name, v) for s in shipped() for v in s.variants]), seed=st.integers(0, 500),
    at_ms=st.none() | st.integers(0, 12_000),
)  # fmt: skip
def test_every_entry_of_every_run_has_a_chain_that_agrees_with_the_facts(
    case: tuple[str, str], seed: int, at_ms: int | None
) -> None:
    history = simulate(find(case[0]), case[1], seed=seed).history
    groups: dict[tuple[bytes, int], list[bytes]] = {}
    pending: dict[tuple[bytes, bytes, int], bool] = {}
    entries: dict[tuple[bytes, int], int] = {}
    for event in history:
        for fact in getattr(event, "facts", ()):
            if isinstance(fact, f.GroupCreated):
                groups.setdefault((fact.stream, fact.born), []).append(fact.group)
            elif isinstance(fact, f.Added):
                entries[fact.stream, fact.id] = fact.born
            if at_ms is None or event.at_ms <= at_ms:
                if isinstance(fact, f.Delivered | f.Claimed | f.Reinstated):
                    pending[fact.stream, fact.group, fact.id] = True
                elif isinstance(fact, f.Acked | f.Forgotten):
                    pending[fact.stream, fact.group, fact.id] = False
                elif isinstance(fact, f.GroupRemoved):
                    pending.update({key: False for key in pending if key[:2] == (fact.stream, fact.group)})
                elif isinstance(fact, f.ConsumerRemoved):
                    pending.update({(fact.stream, fact.group, entry): False for entry in fact.pending})
    for (stream, entry), born in entries.items():
        for group in groups.get((stream, born), []):
            explained = explain(
                history, ids.show(entry).decode(), stream=stream.decode(), group=group.decode(), at_ms=at_ms
            )
            numbers = [link.event for link in explained.chain]
            assert numbers == sorted(numbers)
            assert all(0 <= n < len(history) for n in numbers)
            assert (explained.state == "pending") == pending.get((stream, group, entry), False)
            handled = sum(
                event[2:] == (stream, group, ids.show(entry))
                for event in history
                if isinstance(event, e.Handled) and (at_ms is None or event.at_ms <= at_ms)
            )
            assert explained.handled == handled
