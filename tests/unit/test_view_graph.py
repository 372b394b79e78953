"""State graphs: recorded, counted, collapsed, written to files, drawn."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redelivery.sim.catalogue import find
from redelivery.sim.check.check import machine_of
from redelivery.sim.check.graph_shape import FAIR, UNFAIR, collapsed, loops, small_enough, statistics, with_loops
from redelivery.sim.check.graphing import state_graph
from redelivery.sim.check.recorder import Recorder
from redelivery.sim.check.reductions import DEFAULT
from redelivery.sim.check.report import Edge, Node, StateGraph
from redelivery.sim.check.schedules import Start, search
from redelivery.sim.choices import Replayed
from redelivery.sim.errors import BadInput
from redelivery.sim.run import simulate
from redelivery.sim.views.graph_files import ENDINGS, dot, graphml, write
from redelivery.sim.views.graph_layout import layers, place
from redelivery.sim.views.palette import DARK, LIGHT


def node(key: str, depth: int, *violated: str, **labels: str) -> Node:
    return Node(key, depth, tuple(labels.items()), violated)


DIAMOND = StateGraph(
    "own", "broken", "a",
    (
        node("a", 0, phase="early", down="nobody"), node("b", 1, phase="early", down="x"),
        node("c", 1, phase="early", down="nobody"), node("d", 2, "no-orphan", phase="late", down="x"),
    ),
    (
        Edge("a", "b", "x crashes", "x", fault=True), Edge("a", "c", "y: XADD s * n 1", "y"),
        Edge("b", "d", "y: XADD s * n 1", "y"), Edge("c", "d", "x crashes", "x", fault=True),
        Edge("d", "c", "x: rise", "x"), Edge("d", "d", "the server gives up a blocked read"),
    ),
)  # fmt: skip
"""Two ways to one state, from which one leads back."""


def recorded(variant: str, runs: int, **params: str) -> StateGraph:
    recorder = Recorder("crash-before-ack", variant)
    search(Start(find("crash-before-ack"), variant, params=params), runs=runs, only="ids-increase", visitor=recorder)
    return recorder.graph()


# ---- recording ----


def test_runs_become_a_graph_in_which_each_is_a_way() -> None:
    graph = recorded("broken", 20, entries="1")
    keys = {n.key for n in graph.nodes}
    assert len(keys) == len(graph.nodes)
    assert len(set(graph.edges)) == len(graph.edges)
    assert {end for edge in graph.edges for end in (edge.source, edge.target)} == keys
    depth = {n.key: n.depth for n in graph.nodes}
    assert depth[graph.initial] == 0
    for edge in graph.edges:
        assert depth[edge.target] <= depth[edge.source] + 1
    for seed in range(20):
        run = simulate(find("crash-before-ack"), "broken", seed=seed, params={"entries": "1"})
        start = Start(run.scenario, "broken", params={"entries": "1"})
        world, at, tape = start.world(record=False), graph.initial, Replayed(run.tape.choices)
        while steps := world.enabled():
            world.take(steps[tape.choose(len(steps), "step")], tape)
            after = world.fingerprint().hex()
            assert after in {edge.target for edge in graph.edges if edge.source == at}
            at = after


def test_what_breaks_and_what_strikes_is_marked() -> None:
    graph = recorded("broken", 20, entries="1")
    broken = [n for n in graph.nodes if "no-orphan" in n.violated]
    assert broken
    sources = {edge.source for edge in graph.edges}
    assert all(n.key not in sources for n in broken), "an orphan is one at the end"
    faults = [edge for edge in graph.edges if edge.fault]
    assert faults
    assert {edge.step for edge in faults} == {f"{edge.process} crashes" for edge in faults}
    labels = dict(next(n for n in graph.nodes if n.key == faults[0].target).labels)
    assert labels["down"] == faults[0].process
    assert labels["faults left"] == "0"


def test_a_graph_that_has_grown_too_large_says_that_it_is_not_complete() -> None:
    recorder = Recorder("x", "broken", states_max=30)
    search(Start(find("crash-before-ack"), "broken"), runs=3, only="ids-increase", visitor=recorder)
    assert len(recorder.graph(complete=True).nodes) == 30
    assert not recorder.graph(complete=True).complete
    known = {n.key for n in recorder.graph().nodes}
    assert all(edge.source in known and edge.target in known for edge in recorder.graph().edges)


# ---- numbers ----


def test_the_numbers_of_a_graph() -> None:
    assert statistics(DIAMOND) == {
        "states": 4, "edges": 6, "complete": True, "depth": 2, "diameter": 2,
        "out_degree": {"least": 1, "median": 2, "p95": 2, "most": 2, "mean": 1.5},
        "components": {"number": 3, "largest": 2, "loops": 2}, "dead_ends": 0, "violated": {"no-orphan": 1},
    }  # fmt: skip
    empty = statistics(StateGraph("own", "x", "", (), ()))
    assert (empty["states"], empty["depth"], empty["out_degree"]["mean"]) == (0, 0, 0.0)


# ---- collapsing ----


def test_states_with_equal_labels_become_one() -> None:
    small = collapsed(DIAMOND, ["down"])
    assert [n.key for n in small.nodes] == ["down: nobody", "down: x", "down: x; broken: no-orphan"]
    assert small.nodes[0].labels == (("states", "2"), ("down", "nobody"))
    assert small.initial == "down: nobody"
    assert Edge("down: nobody", "down: x", "x crashes", "x", fault=True) in small.edges
    assert collapsed(DIAMOND, []).nodes[0].key == "all"
    assert collapsed(DIAMOND).edges[0].step == "x crashes"


def test_steps_that_become_one_keep_the_words_that_they_share() -> None:
    nodes = (node("a", 0, p="1"), node("b", 1, p="2"), node("c", 1, p="2"), node("d", 2, p="3"), node("e", 2, p="3"))
    edges = (
        Edge("a", "b", "x: XADD s * n 1", "x"), Edge("a", "c", "x: XADD s * n 2", "x"),
        Edge("b", "d", "x: slept", "x"), Edge("c", "e", "y: slept", "y"), Edge("c", "d", "x: begin", "x"),
    )  # fmt: skip
    assert [(e.step, e.process) for e in collapsed(StateGraph("o", "v", "a", nodes, edges)).edges] == [
        ("x: XADD s * n …", "x"), ("x: 2 kinds of steps", "x"), ("y: slept", "y"),
    ]  # fmt: skip


def test_labels_that_make_too_many_classes_are_left_out() -> None:
    names = [f"{a}{b}" for a, b in product(range(4), range(5))]
    nodes = tuple(node(name, 0, first=name[0], second=name[1]) for name in names)
    graph = StateGraph("o", "v", "00", nodes, ())
    assert small_enough(graph, 20) is graph
    assert len(small_enough(graph, 19).nodes) == 4
    assert small_enough(graph, 19).nodes[0].labels == (("states", "5"), ("first", "0"))
    assert len(small_enough(graph, 3).nodes) == 1


def test_the_label_that_tells_where_it_breaks_goes_first() -> None:
    names = [f"{a}{b}" for a, b in product(range(5), range(5))]
    told = tuple(node(name, 0, *(["bad"] if name[1] == "4" else []), first=name[0], second=name[1]) for name in names)
    small = small_enough(StateGraph("o", "v", "00", told, ()), 5)
    assert [n.labels for n in small.nodes] == [(("states", "5"), ("second", str(n))) for n in range(5)]


@pytest.mark.parametrize(
    ("scenario", "variant", "told"),
    [
        ("failover-loses-ack", "broken", {"entry 2": "waits", "struck": "failover"}),
        ("failover-loses-ack", "broken", {"entry 2": "pending, worker", "deliveries": "2 ×2"}),
        ("crash-before-ack", "broken", {"entry 1": "pending, worker-b", "down": "worker-b", "struck": "crash"}),
        ("trim-undelivered-slow-group", "broken", {"entry 3 in reports": "pending, reports, gone"}),
        ("list-pop-crash", "broken", {"at work": "worker-a"}),
    ],
)  # fmt: skip
def test_a_state_tells_what_became_of_the_entries(scenario: str, variant: str, told: dict[str, str]) -> None:
    start = Start(find(scenario), variant)
    graph = state_graph(machine_of(lambda: start.world(record=False), DEFAULT), scenario, variant)
    assert any(told.items() <= dict(state.labels).items() for state in graph.nodes)
    assert all(edge.step != "worker-a crashes" or edge.fault for edge in graph.edges)


@settings(max_examples=60)
@given(data=st.data())
def test_collapsing_keeps_every_way_and_every_violation(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 12))
    label = st.sampled_from(["p", "q"])
    nodes = tuple(
        node(str(i), i, *(["bad"] if data.draw(st.booleans()) else []), one=data.draw(label), two=data.draw(label))
        for i in range(n)
    )
    ends = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))
    edges = tuple(Edge(str(a), str(b), f"step {a}") for a, b in data.draw(st.lists(ends, max_size=20, unique=True)))
    graph = StateGraph("o", "v", "0", nodes, edges)
    small = collapsed(graph, data.draw(st.sampled_from([None, ["one"], []])))
    assert sum(int(dict(n.labels)["states"]) for n in small.nodes) == n
    assert {v for n in small.nodes for v in n.violated} == {v for n in nodes for v in n.violated}
    whole, part = nx.DiGraph([(e.source, e.target) for e in edges]), nx.DiGraph()
    part.add_nodes_from(n.key for n in small.nodes)
    part.add_edges_from((e.source, e.target) for e in small.edges)
    assert len(part) == len(small.nodes), "no step leads out of the graph"
    if whole:
        assert nx.number_weakly_connected_components(part) <= len(small.nodes)


# ---- files ----


def test_graphml_is_read_back_by_networkx(tmp_path: Path) -> None:
    write(DIAMOND, tmp_path / "g.graphml")
    net = nx.read_graphml(tmp_path / "g.graphml", force_multigraph=True)
    assert set(net) == {"a", "b", "c", "d"}
    assert net.nodes["d"] == {
        "depth": 2, "initial": False, "end": False, "violated": "no-orphan", "loop": FAIR, "phase": "late", "down": "x",
    }  # fmt: skip
    assert net.nodes["a"]["initial"] is True
    steps = {(a, b, data["step"], data["process"], data["fault"]) for a, b, data in net.edges(data=True)}
    assert steps == {(e.source, e.target, e.step, e.process, e.fault) for e in DIAMOND.edges}


def test_json_holds_everything(tmp_path: Path) -> None:
    write(DIAMOND, tmp_path / "g.json")
    value = json.loads((tmp_path / "g.json").read_text())
    assert (value["redelivery"], value["version"], value["initial"]) == ("state graph", 1, "a")
    assert value["statistics"] == statistics(DIAMOND)
    assert value["nodes"][3] == {
        "key": "d", "depth": 2, "labels": {"phase": "late", "down": "x"}, "violated": ["no-orphan"],
        "loop": FAIR, "end": False,
    }  # fmt: skip
    assert [Edge(**edge) for edge in value["edges"]] == list(DIAMOND.edges)


def test_dot_marks_what_is_broken_and_what_is_a_fault() -> None:
    lines = dot(DIAMOND).splitlines()
    assert lines[0] == 'digraph "own, broken" {'
    told = r'label="phase: late\ndown: x\nno-orphan", style=filled, fillcolor="#FFB499", color="#3333CC"'
    assert f"  s3 [{told}];" in lines
    assert '  s0 -> s1 [label="x crashes", style=dashed];' in lines
    assert '  s3 -> s3 [label="the server gives up a blocked read"];' in lines
    assert lines[-1] == "}"
    ended = StateGraph("own", "v", "a", DIAMOND.nodes[:2], DIAMOND.edges[:1])
    assert any(line.startswith("  s1 ") and "peripheries=2" in line for line in dot(ended).splitlines())


def test_what_a_payload_holds_breaks_no_file() -> None:
    odd = StateGraph("o", "v", "a", (node("a", 0, x='"\\\x00<&>'),), (Edge("a", "a", 'XADD "x"\n\\', "p"),))
    assert r'label="x: \"\\�<&>"' in dot(odd)
    assert nx.parse_graphml(graphml(odd)).nodes["a"]["x"] == '"\\�<&>'


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_same_graph_gives_the_same_bytes(ending: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(recorded("broken", 6), tmp_path / (name + ending))
    assert (tmp_path / ("one" + ending)).read_bytes() == (tmp_path / ("two" + ending)).read_bytes()


def test_a_picture_has_the_paper_that_is_asked_for(tmp_path: Path) -> None:
    for name in ("light", "dark"):
        write(DIAMOND, tmp_path / f"{name}.svg", name)
    papers = [theme.paper.lower() in (tmp_path / f"{theme.name}.svg").read_text().lower() for theme in (LIGHT, DARK)]
    assert papers == [True, True]
    assert DARK.paper.lower() not in (tmp_path / "light.svg").read_text().lower()


def test_a_page_holds_every_state_and_says_nothing_that_could_run(tmp_path: Path) -> None:
    odd = replace(DIAMOND, nodes=(node("a", 0, x="</script><b>"), *DIAMOND.nodes[1:]))
    write(odd, tmp_path / "g.html")
    page = (tmp_path / "g.html").read_text()
    assert "</script><b>" not in page
    value = json.loads(page.partition('id="recording">')[2].partition("</script>")[0])
    assert [state["key"] for state in value["states"]] == ["a", "b", "c", "d"]
    assert value["states"][0]["labels"] == [["x", "</script><b>"]]
    assert sorted((way["from"], way["to"]) for way in value["ways"]) == sorted(
        {("abcd".index(e.source), "abcd".index(e.target)) for e in DIAMOND.edges if e.source != e.target}
    )


def test_bad_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"its ending must be one of \.graphml, \.dot, \.json, \.svg"):
        write(DIAMOND, tmp_path / "g.gif")
    with pytest.raises(BadInput, match=r"cannot write the graph to .*: No such file"):
        write(DIAMOND, tmp_path / "no" / "g.dot")


# ---- the picture ----


def svg_of(graph: StateGraph, folder: Path) -> str:
    write(graph, folder / "g.svg")
    return (folder / "g.svg").read_text()


def test_the_picture_has_a_row_for_each_depth() -> None:
    assert [[n.key for n in row] for row in layers(DIAMOND)] == [["a"], ["b", "c"], ["d"]]


def test_rows_are_put_in_order_so_that_fewer_arrows_cross() -> None:
    nodes = (node("a", 0), node("b", 0), node("c", 1), node("d", 1))
    crossed = StateGraph("o", "v", "a", nodes, (Edge("a", "d", "s"), Edge("b", "c", "s")))
    assert [[n.key for n in row] for row in layers(crossed)] == [["a", "b"], ["d", "c"]]


def test_violations_are_coloured_and_their_names_told(tmp_path: Path) -> None:
    from redelivery.sim.views.palette import TROUBLE_TINT

    assert TROUBLE_TINT.lower() in svg_of(DIAMOND, tmp_path).lower()
    fine = StateGraph("own", "v", "a", DIAMOND.nodes[:3], DIAMOND.edges[:2])
    assert TROUBLE_TINT.lower() not in svg_of(fine, tmp_path).lower()


def texts(graph: StateGraph, states: int) -> list[str]:
    from redelivery.sim.views.graph_picture import paint

    figure: Any = paint(graph, states, len(graph.edges))
    return [text.get_text() for text in figure.axes[0].texts]


def test_the_picture_says_what_it_shows() -> None:
    told = texts(DIAMOND, 4)
    assert {"own, broken", "4 states, 6 steps", "✗ no-orphan", "phase: late", "crashes", "XADD"} <= set(told)
    assert "↻ gives up a blocked read" in told
    assert "down: nobody" not in told, "what goes without saying is not said"
    part = StateGraph("own", "broken", "a", DIAMOND.nodes, DIAMOND.edges, complete=False)
    assert any(
        text == "1,000 states, 6 steps seen; there are more; drawn as 4 classes of states with equal labels"
        for text in texts(part, 1000)
    )


def test_loops_are_told_from_loops_that_hold_somebody_up() -> None:
    nodes = (node("a", 0), node("b", 1), node("c", 2))
    round_and_round = (Edge("a", "b", "x: XLEN s", "x"), Edge("b", "a", "x: slept", "x"))
    fair = StateGraph("o", "v", "a", nodes[:2], round_and_round)
    assert loops(fair) == {"a": FAIR, "b": FAIR}
    owed = (Edge("a", "c", "y: XADD s * n 1", "y"), Edge("b", "c", "y: XADD s * n 1", "y"))
    assert loops(StateGraph("o", "v", "a", nodes, (*round_and_round, *owed))) == {"a": UNFAIR, "b": UNFAIR}
    assert set(loops(StateGraph("o", "v", "a", nodes, (*round_and_round, owed[0]))).values()) == {FAIR}
    strikes = tuple(replace(edge, fault=True) for edge in owed)
    assert set(loops(StateGraph("o", "v", "a", nodes, (*round_and_round, *strikes))).values()) == {FAIR}
    assert with_loops(fair).nodes[0].labels[0] == ("loop", FAIR)
    straight = StateGraph("o", "v", "a", nodes, owed[:1])
    assert with_loops(straight) is straight
    assert "↻ in a fair loop" in texts(with_loops(fair), 2)


def test_a_step_that_breaks_something_is_kept_apart_also_inside_a_class(tmp_path: Path) -> None:
    nodes = (node("a", 0, p="1"), node("b", 1, p="1"), node("c", 1, p="1"))
    edges = (Edge("a", "b", "x: XADD s * n 1", "x"), Edge("a", "c", "x: XADD s * n 2 (no-orphan broken)", "x"))
    small = collapsed(StateGraph("o", "v", "a", nodes, edges))
    assert small.edges == (Edge("p: 1", "p: 1", "x: XADD s * n 2 (no-orphan broken)", "x"),)
    told = texts(small, 3)
    assert "↻ XADD (no-orphan broken)" in told
    assert "✗ no-orphan" in told


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_nothing_covers_anything_however_many_arrows_there_are(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 9))
    nodes = tuple(node(str(i), i % 4) for i in range(n))
    ends = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))
    drawn = data.draw(st.lists(ends, max_size=14, unique=True))
    graph = StateGraph("o", "v", "0", nodes, tuple(Edge(str(a), str(b), "step") for a, b in drawn))
    done = place(graph, lambda each: (1.0 + int(each.key) / 5, 0.5), lambda steps: (0.8, 0.3))
    places = [*done.boxes.values(), *(way.words for way in done.ways)]
    for one, other in combinations(places, 2):
        aside = abs(one.x - other.x) - (one.width + other.width) / 2
        apart = abs(one.y - other.y) - (one.height + other.height) / 2
        assert aside > 0 or apart > 0
    for each in places:
        assert each.x - each.width / 2 >= -1e-6
        assert each.x + each.width / 2 <= done.width + 1e-6
        assert 0 <= each.y - each.height / 2 < each.y + each.height / 2 <= done.height + 1e-6


def test_the_words_of_many_steps_are_left_out() -> None:
    nodes = tuple(node(str(i), i % 7) for i in range(20))
    edges = tuple(Edge(str(a), str(b), "x: XLEN s", "x") for a, b in product(range(20), range(4)) if a != b)
    assert "XLEN" not in texts(StateGraph("o", "v", "0", nodes, edges), 20)


def test_an_empty_graph_can_be_drawn(tmp_path: Path) -> None:
    assert "<svg" in svg_of(StateGraph("o", "v", "", (), ()), tmp_path)
