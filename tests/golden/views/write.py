"""Write the golden data of the views anew: when a change of a view is meant. Read the difference."""

from __future__ import annotations

import importlib.util
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    path = HERE.parents[1] / "unit" / "test_views_pictures.py"
    spec = importlib.util.spec_from_file_location("test_views_pictures", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, view in module.pictures().items():
        view.data.drop(module.NAMES, strict=False).write_csv(HERE / f"{name}_data.csv")


if __name__ == "__main__":
    main()
