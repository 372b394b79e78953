"""A contact sheet: many pictures on one, in columns, each as it is but smaller."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

WIDTH_PX = 880
"""How wide each picture becomes: half of what it is drawn at, so that its text can still be read."""
GAP_PX = 24
FRAME = (217, 217, 217)


def contact_sheet(pictures: Sequence[bytes], columns: int, paper: str = "#FFFFFF") -> bytes:
    """PNG pictures as one PNG: each goes to the column that is shortest so far, so that the order is kept roughly."""
    from PIL import Image, ImageOps

    tiles = []
    for data in pictures:
        with Image.open(BytesIO(data)) as whole:
            high = round(whole.height * WIDTH_PX / whole.width)
            small = whole.convert("RGB").resize((WIDTH_PX, high), Image.Resampling.LANCZOS)
        tiles.append(ImageOps.expand(small, border=2, fill=FRAME))
    wide = WIDTH_PX + 4 + GAP_PX
    ends = [GAP_PX] * columns
    places = []
    for tile in tiles:
        column = ends.index(min(ends))
        places.append((GAP_PX + column * wide, ends[column]))
        ends[column] += tile.height + GAP_PX
    page = Image.new("RGB", (GAP_PX + columns * wide, max(ends)), paper)
    for tile, place in zip(tiles, places, strict=True):
        page.paste(tile, place)
    out = BytesIO()
    page.save(out, format="PNG")
    return out.getvalue()
