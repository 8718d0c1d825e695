"""Draw the pictures of README and docs anew from the packaged facts: ``docs/img/*.svg``, as in the brief."""

from __future__ import annotations

from pathlib import Path

import monazite as mz
from monazite.draw import svg
from monazite.views import flow_map

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "img"


def main() -> None:
    """Write the pictures; equal facts give equal bytes."""
    answer = mz.load().assess("QUAD")
    views = {
        "chokepoint": answer.view("chokepoint"),
        "map": flow_map(answer.table, commodity="ndpr_oxide", sources=answer.sources),
    }
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, view in views.items():
        (IMAGES / f"{name}.svg").write_text(svg(view), encoding="utf-8")


if __name__ == "__main__":
    main()
