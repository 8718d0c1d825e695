"""Draw the README's picture anew from the packaged facts: ``docs/img/chokepoint.svg``, as in the brief."""

from __future__ import annotations

from pathlib import Path

import monazite as mz
from monazite.draw import svg

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "img"


def main() -> None:
    """Write the picture; equal facts give equal bytes."""
    view = mz.load().assess("QUAD").view("chokepoint")
    IMAGES.mkdir(parents=True, exist_ok=True)
    (IMAGES / "chokepoint.svg").write_text(svg(view), encoding="utf-8")


if __name__ == "__main__":
    main()
