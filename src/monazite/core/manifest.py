"""What an answer was computed from: enough to compute it again."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

__all__ = ["Manifest", "content_hash", "package_versions"]


@dataclass(frozen=True)
class Manifest:
    """Input hash, versions, seed, base year and method of an answer.

    Parameters
    ----------
    input_hash
        Hash of everything that went in (see `content_hash`).
    versions
        Package name to version.
    seed
        Seed of the random draws, or None where nothing is drawn.
    base_year
        Base year of the world, or one per chain.
    method
        Name and version of the method, such as ``"assess/1"``.
    extra
        Anything more that must be known to repeat the answer (plain JSON values).

    Examples
    --------
    >>> made = Manifest.create(inputs=[b"facts"], base_year=2024, method="assess/1")
    >>> sorted(made.to_dict())
    ['base_year', 'extra', 'input_hash', 'method', 'seed', 'versions']
    """

    input_hash: str
    versions: Mapping[str, str]
    seed: int | None
    base_year: int | Mapping[str, int] | None
    method: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def create(
        cls,
        *,
        inputs: Iterable[object],
        method: str,
        base_year: int | Mapping[str, int] | None = None,
        seed: int | None = None,
        packages: Iterable[str] = ("numpy", "scipy", "polars"),
        extra: Mapping[str, Any] | None = None,
    ) -> Manifest:
        """Make a manifest for the inputs given: hash them and read the versions in use."""
        return cls(
            input_hash=content_hash(*inputs),
            versions=package_versions(packages),
            seed=seed,
            base_year=base_year,
            method=method,
            extra=dict(extra or {}),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; equal inputs on equal versions give equal dictionaries."""
        return {
            "input_hash": self.input_hash,
            "versions": dict(sorted(self.versions.items())),
            "seed": self.seed,
            "base_year": dict(self.base_year) if isinstance(self.base_year, Mapping) else self.base_year,
            "method": self.method,
            "extra": dict(self.extra),
        }


def content_hash(*parts: object) -> str:
    """Hash bytes, text and plain JSON values to 16 hex digits.

    The parts are framed by their length, so that ("ab", "c") and ("a", "bc") differ.

    Examples
    --------
    >>> content_hash("ab", "c") == content_hash("a", "bc")
    False
    >>> content_hash({"b": 1, "a": 2}) == content_hash({"a": 2, "b": 1})
    True
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, bytes):
            data = part
        elif isinstance(part, str):
            data = part.encode()
        else:
            data = json.dumps(part, sort_keys=True, default=str).encode()
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()[:16]


def package_versions(packages: Iterable[str] = ()) -> dict[str, str]:
    """Versions of Monazite, of Python and of the packages named; one that is absent is left out.

    Examples
    --------
    >>> sorted(package_versions(["numpy"]))
    ['monazite', 'numpy', 'python']
    """
    found = {"monazite": str(import_module("monazite").__version__), "python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
