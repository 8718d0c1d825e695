"""Build hook: the page is built into the package when it is absent; an editable install goes without."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE = Path("src/monazite/server/page/index.html")
STEPS = (
    ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"),
    ("run", "--silent", "build", "--", "--logLevel", "error"),
)


class PageHook(BuildHookInterface[Any]):
    """Builds ``ui/`` with node, once, so that users of a wheel need none."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build the page where it is wanted and absent."""
        root = Path(self.root)
        if version == "editable" or (root / PAGE).is_file():
            return
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError(
                "The web page is not built yet, and building it needs node 20.19 or later and npm. "
                "Install a released wheel, which holds the page, or install node and try again."
            )
        for step in STEPS:
            subprocess.run([npm, *step], cwd=root / "ui", check=True)
        if not (root / PAGE).is_file():
            raise RuntimeError(f"building ui/ made no {PAGE}")
