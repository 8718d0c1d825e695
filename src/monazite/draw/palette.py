"""The one palette: every colour by name, with its value on light and on dark paper.

A specification carries the light values, so that a picture on its own is right in any viewer. No two tokens
share a light value: each can be told from its hex alone, and the page's copy of a picture names the token
instead (see `draw.page`). The page's own style sheet uses the same names.

Hues follow the palette of the UK Government Analysis Function. Rules, each proved by a test in both themes:
text has at least 4.5:1 on what it stands on, marks 3:1 on paper; the blues grow stronger with the share, that
is darker on light paper and brighter on dark paper.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["PALETTE", "colour", "named", "stylesheet"]

#: token: (light, dark)
PALETTE: Mapping[str, tuple[str, str]] = {
    # paper and ink
    "paper": ("#FFFFFF", "#14191E"),
    "faint": ("#F3F6F8", "#1D242B"),
    "line": ("#C9D1D7", "#3A454F"),
    "grey": ("#8A949C", "#7C8994"),
    "muted": ("#56636D", "#A7B3BD"),
    "ink": ("#1F2A33", "#E8EDF1"),
    # series and places, in the order in which they are given out
    "hue-1": ("#12436D", "#82B4E8"),
    "hue-2": ("#28A197", "#34B3A8"),
    "hue-3": ("#801650", "#E487B6"),
    "hue-4": ("#A285D1", "#B99EE6"),
    "hue-5": ("#8A6A00", "#D0AA3C"),
    "hue-6": ("#3D3D3D", "#C9C6C1"),
    # the same for words in the colour of their line
    "hue-1-text": ("#12436E", "#82B4E9"),
    "hue-2-text": ("#17776F", "#3DBDB2"),
    "hue-3-text": ("#801651", "#E487B7"),
    "hue-4-text": ("#7452AB", "#BFA6E9"),
    "hue-5-text": ("#7D6000", "#D2AE45"),
    "hue-6-text": ("#3D3D3E", "#C9C6C2"),
    # shortage, and what is unexplained
    "accent": ("#D4500F", "#F0813F"),
    "accent-text": ("#B8430B", "#F59257"),
    "accent-ground": ("#FDF2EA", "#2A201A"),
    # steps of shares
    "blue-1": ("#E3EEF8", "#1E2E3E"),
    "blue-2": ("#B3D1EC", "#27486A"),
    "blue-3": ("#6BACE6", "#2E669C"),
    "blue-4": ("#2073BC", "#6BABE4"),
    "blue-5": ("#12436C", "#BFDFFC"),
    "on-pale": ("#1F2A34", "#F1F6FA"),  # words on the first three blues
    "on-deep": ("#FFFFFE", "#0E1419"),  # words on the last two
    "hatch-pale": ("#12436B", "#9CC6EE"),  # hatching, as words
    "hatch-deep": ("#FFFFFD", "#0F151A"),
    "frame": ("#2073BD", "#6BABE5"),  # around the cells of shares
    # what leaves a chain
    "loss": ("#838D96", "#828E98"),
    "stock": ("#8B969E", "#8D9BA6"),
    "scrap": ("#6F9C97", "#6FA59F"),
    # maps
    "sea": ("#F4F7F9", "#1A2128"),
    "land": ("#DDE2E4", "#323C45"),
    "border": ("#FDFEFE", "#1B2229"),
    # the page around the pictures
    "link": ("#12538F", "#8DBEF0"),
    "focus": ("#B8430C", "#F59258"),
    "mark": ("#FFF4CF", "#3B3417"),
    "pale": ("#D8E6F3", "#24384B"),
}

_LIGHT = {light.lower(): token for token, (light, _) in PALETTE.items()}
_HEX = re.compile(r"#[0-9a-fA-F]{6}\b")


def colour(token: str) -> str:
    """Return the light value of a token: what a specification carries.

    Examples
    --------
    >>> colour("ink")
    '#1F2A33'
    """
    return PALETTE[token][0]


def named(node: Any, *, dark: bool | None = None) -> Any:
    """Return plain JSON values with every colour of the palette named, wherever in a text it stands.

    Parameters
    ----------
    node
        Plain JSON values.
    dark
        None: ``var(--token)``. True: the dark value, for a picture without a style sheet. False: the light.

    Examples
    --------
    >>> named({"fill": "#1f2a33", "note": "no colour"})
    {'fill': 'var(--ink)', 'note': 'no colour'}
    >>> named(["#FFFFFF", "var(--ink)"], dark=True)
    ['#14191E', '#E8EDF1']
    """
    if isinstance(node, str):
        return _VAR.sub(_shade(dark=dark), _HEX.sub(_name, node)) if "#" in node or "var(" in node else node
    if isinstance(node, Mapping):
        return {key: named(value, dark=dark) for key, value in node.items()}
    if isinstance(node, list):
        return [named(value, dark=dark) for value in node]
    return node


_VAR = re.compile(r"var\(--([a-z0-9-]+)\)")


def _name(found: re.Match[str]) -> str:
    token = _LIGHT.get(found[0].lower())
    return found[0] if token is None else f"var(--{token})"


def _shade(*, dark: bool | None) -> Any:
    def shade(found: re.Match[str]) -> str:
        if dark is None or found[1] not in PALETTE:
            return found[0]
        return PALETTE[found[1]][int(dark)]

    return shade


def stylesheet() -> str:
    """Return the style sheet that gives every token its value: light, dark, and light again on paper.

    The reader's system decides; ``data-theme="light"`` or ``"dark"`` on the root element overrules it.

    Examples
    --------
    >>> stylesheet().startswith(":root {")
    True
    """
    light = _block(0, "light")
    dark = _block(1, "dark")
    return (
        f":root {{{light}}}\n"
        f"@media (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {{{dark}}} }}\n"
        f":root[data-theme=dark] {{{dark}}}\n"
        f"@media print {{ :root, :root:not([data-theme=light]), :root[data-theme=dark] {{{light}}} }}\n"
    )


def _block(side: int, scheme: str) -> str:
    values = "".join(f" --{token}: {pair[side]};" for token, pair in PALETTE.items())
    return f" color-scheme: {scheme};{values} "
