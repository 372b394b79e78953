"""The story of a scenario: intent, evidence, advice, the smallest counterexample, and its pictures."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from redelivery.sim.catalogue import find
from redelivery.sim.check.exemplar import exemplar
from redelivery.sim.cli import main
from redelivery.sim.run import simulate
from redelivery.sim.tape import parse
from redelivery.sim.views.contact import GAP_PX, WIDTH_PX, contact_sheet

NAME = "xread-dollar-in-a-loop"


def call(*arguments: str) -> object:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    return stop.value.code


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert call("show", *arguments, "--json") == 0
    value: dict[str, object] = json.loads(capsys.readouterr().out)
    return value


def test_what_breaks_is_told_by_its_smallest_counterexample() -> None:
    run = exemplar(find("crash-before-ack"), "broken")
    whole = simulate(find("crash-before-ack"), "broken")
    assert "no-orphan" in {violation.property for violation in run.violations}
    assert run.params["entries"] < whole.params["entries"]
    assert len(run.history) < len(whole.history)
    again = simulate(find("crash-before-ack"), tape=parse(str(run.tape)))
    assert list(again.history.lines()) == list(run.history.lines())


def test_what_holds_is_told_by_its_default_run() -> None:
    assert str(exemplar(find(NAME), "repaired").tape) == str(simulate(find(NAME), "repaired").tape)


def test_a_variant_that_holds_in_another_dialect_is_told_by_its_default_run() -> None:
    scenario = find("blocked-on-deleted-key")
    assert exemplar(scenario, "at-dollar-before-7").verdict == "violated"
    assert exemplar(scenario, "at-dollar-before-7", dialect="redis-8.6").verdict == "holds"


def test_the_page_says_everything(capsys: pytest.CaptureFixture[str]) -> None:
    scenario = find(NAME)
    value = shown(capsys, NAME)
    assert (value["variant"], value["verdict"], value["dialect"]) == ("broken", "violated", "redis-8.6")
    assert [each["name"] for each in value["variants"]] == list(scenario.variants)  # type: ignore[attr-defined]
    assert call("show", NAME) == 0
    page = " ".join(capsys.readouterr().out.split())
    for text in (
        scenario.summary, scenario.evidence, scenario.advice, "smallest counterexample",
        "without going on after the last id: added-implies-handled breaks", str(value["tape"]),
    ):  # fmt: skip
        assert text in page


def test_a_seed_tells_another_run(capsys: pytest.CaptureFixture[str]) -> None:
    value = shown(capsys, NAME, "--seed", "7", "--variant", "repaired")
    assert value["tape"] == str(simulate(find(NAME), "repaired", seed=7).tape)


def test_pictures_of_every_variant_are_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "pictures"
    value = shown(capsys, NAME, "--pictures", str(folder), "--form", "txt")
    assert value["pictures"] == [str(folder / f"{NAME}-{name}.txt") for name in find(NAME).variants]
    texts = [Path(path).read_text() for path in value["pictures"]]
    assert "Violated, as declared." in texts[0]
    assert all("Violated" not in text for text in texts[1:])


def test_a_sheet_has_all_that_breaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "sheet.png"
    value = shown(capsys, NAME, "--sheet", str(sheet))
    assert value["pictures"] == [str(sheet)]
    with Image.open(sheet) as page:
        assert page.width == GAP_PX + WIDTH_PX + 4 + GAP_PX


def test_tiles_fill_the_shortest_column() -> None:
    def tile(high: int) -> bytes:
        out = BytesIO()
        Image.new("RGB", (WIDTH_PX, high), (0, 0, 0)).save(out, format="PNG")
        return out.getvalue()

    tiles = [tile(high) for high in (100, 300, 50, 60)]
    with Image.open(BytesIO(contact_sheet(tiles, 2))) as page:
        assert page.size == (GAP_PX + 2 * (WIDTH_PX + 4 + GAP_PX), GAP_PX + 300 + 4 + GAP_PX)
    assert contact_sheet(tiles, 2) == contact_sheet(tiles, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "show takes a SCENARIO, or --sheet FILE"),
        (("--sheet", "sheet.svg"), "its ending must be .png"),
        ((NAME, "--sheet", "no/such/folder/sheet.png"), "cannot write the sheet"),
        ((NAME, "--variant", "brokn"), "did you mean 'broken'?"),
        ((NAME, "--param", "entreis=3"), "did you mean 'entries'?"),
        (("group-wrld",), "did you mean 'group-world'?"),
    ],
)
def test_bad_input_is_told_in_one_line(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("show", *arguments) == 2
    said = capsys.readouterr().err.strip()
    assert message in said
    assert len(said.splitlines()) == 1


def test_pictures_do_not_replace_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("mine")
    assert call("show", NAME, "--pictures", str(tmp_path / "taken")) == 2
    assert "cannot write pictures to" in capsys.readouterr().err
