"""The gallery is what its generator gives, and shows every variant that breaks."""

from __future__ import annotations

from pathlib import Path

from redelivery.sim.catalogue import find, shipped
from redelivery.sim.gallery_page import page

GALLERY = Path(__file__).resolve().parents[2] / "GALLERY.md"


def test_the_gallery_is_what_the_generator_gives() -> None:
    text = GALLERY.read_text(encoding="utf-8")
    assert text == page(), "run: python -m redelivery.sim.gallery_page"
    assert len(text.encode()) < 200_000
    for scenario in shipped():
        broken = [name for name, variant in scenario.variants.items() if variant.violates is not None]
        assert (f"\n## {scenario.name}\n" in text) == bool(broken)


def test_a_picture_shows_where_it_broke_and_says_it_in_a_sentence() -> None:
    text = page([find("zombie-renewal-steals-back")])
    assert "worker-a lost entry 1 to worker-b and takes it back without waiting for it to be idle." in text
    lines = text.splitlines()
    lane = next(line for line in lines if line.lstrip().startswith("worker-a |"))
    broken = next(line for line in lines if "^ no-steal-back broken" in line)
    assert broken.index("^") == lane.index(">"), "it breaks at the moment at which the worker goes on"
