"""Who makes the decisions: drawn ones are stable, replayed ones fit or are refused, enumerated ones miss nothing."""

from __future__ import annotations

from collections import Counter
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redelivery.sim.choices import Choices, Drawn, Enumerated, Replayed
from redelivery.sim.errors import BadInput

Tree: TypeAlias = "tuple[Tree, ...]"
"""What there is to decide: an inner node is a decision among its children, a leaf is the end of a run."""

TREES = st.recursive(st.just(()), lambda trees: st.lists(trees, min_size=1, max_size=3).map(tuple), max_leaves=12)


def walk(tree: Tree, choices: Choices) -> Tree:
    """One run: from the root to a leaf, as ``choices`` decide."""
    while tree:
        tree = tree[choices.choose(len(tree), "child")]
    return tree


def tapes(tree: Tree) -> list[list[int]]:
    """Every tape of a tree, in lexicographic order; a decision that has one answer is none."""
    if not tree:
        return [[]]
    if len(tree) == 1:
        return tapes(tree[0])
    return [[answer, *rest] for answer, child in enumerate(tree) for rest in tapes(child)]


# ---- drawn ----


@pytest.mark.parametrize(
    ("seed", "drawn"),
    [(0, [1, 2, 2, 2, 51, 0, 0, 5]), (7, [0, 0, 3, 0, 53, 0, 0, 0]), (-3, [0, 1, 1, 6, 62, 0, 0, 0])],
)
def test_a_seed_draws_what_it_always_drew(seed: int, drawn: list[int]) -> None:
    choices = Drawn(seed)
    assert [choices.choose(n, "any") for n in (2, 3, 5, 10, 100, 2, 1, 7)] == drawn
    assert choices.answers == [*drawn[:6], drawn[7]], "a decision with one answer is not on the tape"


def test_a_seed_draws_by_weight_what_it_always_drew() -> None:
    choices = Drawn(1)
    assert [choices.choose(3, "any", [1, 2, 7]) for _ in range(12)] == [1, 2, 2, 1, 2, 2, 2, 2, 0, 0, 2, 2]


def test_weights_say_how_often_an_answer_comes() -> None:
    choices = Drawn(5)
    counts = Counter(choices.choose(4, "any", [1, 0, 3, 6]) for _ in range(5000))
    assert counts[1] == 0
    for answer, share in ((0, 500), (2, 1500), (3, 3000)):
        assert share * 0.85 < counts[answer] < share * 1.15


def test_without_weights_every_answer_comes_as_often_as_the_others() -> None:
    choices = Drawn(5)
    counts = Counter(choices.choose(5, "any") for _ in range(5000))
    assert sorted(counts) == [0, 1, 2, 3, 4]
    assert all(850 < count < 1150 for count in counts.values())


@given(seed=st.integers(-(2**70), 2**70), sizes=st.lists(st.integers(1, 50), max_size=30))
def test_what_was_drawn_can_be_replayed(seed: int, sizes: list[int]) -> None:
    drawn = Drawn(seed)
    answers = [drawn.choose(n, "any") for n in sizes]
    assert all(0 <= answer < n for answer, n in zip(answers, sizes, strict=True))
    replayed = Replayed(drawn.answers)
    assert [replayed.choose(n, "any") for n in sizes] == answers
    assert (replayed.answers, replayed.unused) == (drawn.answers, 0)


# ---- replayed ----


def test_past_its_end_a_tape_says_zero_and_the_answers_are_the_longer_tape() -> None:
    choices = Replayed([1])
    assert [choices.choose(n, "any") for n in (2, 1, 3, 4)] == [1, 0, 0, 0]
    assert choices.answers == [1, 0, 0]


def test_what_is_left_of_a_tape_is_counted() -> None:
    choices = Replayed([1, 1, 1])
    assert choices.unused == 3
    choices.choose(1, "no decision")
    assert choices.unused == 3
    choices.choose(2, "any")
    assert choices.unused == 2


@pytest.mark.parametrize("answer", [2, 7, -1])
def test_an_answer_that_there_is_not_is_refused_with_the_decision(answer: int) -> None:
    choices = Replayed([1, answer])
    choices.choose(2, "first")
    with pytest.raises(BadInput) as raised:
        choices.choose(2, "latency")
    expected = f"the tape does not fit this run: decision 2 (latency) has 2 answers, the tape says {answer}"
    assert str(raised.value) == expected


def test_the_largest_answer_is_taken() -> None:
    assert Replayed([2]).choose(3, "any") == 2


# ---- enumerated ----


def all_runs(tree: Tree) -> list[list[int]]:
    choices = Enumerated()
    found = []
    while True:
        walk(tree, choices)
        found.append(choices.answers)
        if not choices.advance():
            return found


def test_enumeration_visits_a_small_tree_in_order() -> None:
    leaf: Tree = ()
    assert all_runs(((leaf, leaf), leaf, ((leaf, (leaf,), leaf),))) == [[0, 0], [0, 1], [1], [2, 0], [2, 1], [2, 2]]


@given(TREES)
def test_enumeration_visits_every_tape_exactly_once_in_lexicographic_order(tree: Tree) -> None:
    assert all_runs(tree) == tapes(tree)


def test_after_the_last_run_there_is_none() -> None:
    choices = Enumerated()
    assert [choices.choose(2, "any"), choices.advance(), choices.choose(2, "any"), choices.advance()] == [
        0,
        True,
        1,
        False,
    ]
    assert not choices.advance()
