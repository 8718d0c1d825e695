"""Take out of a package lock what names hosts (whom to fund): it must carry versions and hashes alone.

Usage: python tools/plain_lock.py ui/package-lock.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    """Rewrite the lock file named on the command line."""
    file = Path(sys.argv[1])
    lock = json.loads(file.read_text(encoding="utf-8"))
    for package in lock["packages"].values():
        for name in ("funding", "resolved"):
            package.pop(name, None)
    file.write_text(json.dumps(lock, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
