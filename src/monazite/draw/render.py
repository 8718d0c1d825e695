"""From a specification to SVG or PNG, without a browser and without a network.

`vl-convert` numbers gradients and clip paths per process; here the ids are renumbered in the order of their
appearance and given the picture's prefix, so that a picture is the same to the byte in any process, and
several pictures may stand in one document.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from monazite.core.errors import MonaziteError

__all__ = ["VEGA_LITE", "png", "svg", "vega"]

#: version of Vega-Lite that draws
VEGA_LITE = "6.4"

_ID = re.compile(r'\bid="([^"]+)"')
_NOISE = re.compile(r' (?:aria-[a-z]+|role|class|version|xmlns:xlink)="[^"]*"')
_ROOT = re.compile(r"<svg\b[^>]*>")
_SIZE = re.compile(r'width="([\d.]+)" height="([\d.]+)"')
_EMPTY = re.compile(r'<path(?: [a-z-]+="[^"]*")* d=""(?: [a-z-]+="[^"]*")*/>')
_BACKGROUND = re.compile(r'<path d="M[-\d.,hvZ]*"/>')
_PREFIX = re.compile(r"[^A-Za-z0-9_-]+")


def _converter() -> Any:
    try:
        import vl_convert
    except ImportError as error:
        raise MonaziteError("error.extra_missing", package="vl-convert-python", extra="report") from error
    return vl_convert


def svg(spec: dict[str, Any], *, prefix: str, title: str = "", description: str | None = None) -> str:
    r"""Draw a specification as SVG.

    Parameters
    ----------
    spec
        Vega-Lite specification with its data inside; data from elsewhere are refused.
    prefix
        Stem of all ids in the picture, unique in the document it will stand in.
    title, description
        Name and alt text; by default the description of the specification.

    Returns
    -------
    str
        One ``<svg role="img">`` element with ``<title>`` and ``<desc>``, the same for the same input in any
        process.

    Raises
    ------
    MonaziteError
        The extra ``report`` is not installed.

    Examples
    --------
    >>> from monazite.draw import theme
    >>> spot = theme.layer({"type": "point"}, [{"x": 5, "y": 5}], x="x", y="y")
    >>> drawn = svg(theme.canvas("dot", 10, 10, [spot], description="A dot."), prefix="dot", title="Dot")
    >>> drawn[:23], "<desc id=\"dot-desc\">A dot.</desc>" in drawn
    ('<svg xmlns="http://www.', True)
    """
    raw = str(_converter().vegalite_to_svg(spec, vl_version=VEGA_LITE, allowed_base_urls=[]))
    prefix = _PREFIX.sub("-", prefix).strip("-") or "picture"
    body = raw[raw.index("<svg") :]
    size = _SIZE.search(body)
    width, height = size.groups() if size else ("640", "400")
    inner = _ROOT.sub("", body, count=1)
    inner = _BACKGROUND.sub("", _EMPTY.sub("", _NOISE.sub("", inner)))
    inner = _rename(inner, prefix)
    name, text = (
        escape(title),
        escape(description if description is not None else str(spec.get("description", ""))),
    )
    root = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" aria-labelledby="{prefix}-title" aria-describedby="{prefix}-desc">'
    )
    return f'{root}<title id="{prefix}-title">{name}</title><desc id="{prefix}-desc">{text}</desc>{inner}'


def _rename(text: str, prefix: str) -> str:
    """Number ids in the order of their appearance, and all that refers to them alike."""
    names = {old: f"{prefix}-{number}" for number, old in enumerate(dict.fromkeys(_ID.findall(text)))}
    text = _ID.sub(lambda match: f'id="{names[match[1]]}"', text)
    text = re.sub(r"url\(#([^)]+)\)", lambda match: f"url(#{names.get(match[1], match[1])})", text)
    return re.sub(r'href="#([^"]+)"', lambda match: f'href="#{names.get(match[1], match[1])}"', text)


def vega(spec: dict[str, Any]) -> dict[str, Any]:
    """Compile a specification to Vega, as `VEGA_LITE` does.

    Raises
    ------
    MonaziteError
        The extra ``report`` is not installed.
    """
    return dict(_converter().vegalite_to_vega(spec, vl_version=VEGA_LITE))


def png(spec: dict[str, Any], *, scale: float = 2.0) -> bytes:
    """Draw a specification as PNG.

    Parameters
    ----------
    spec
        Vega-Lite specification with its data inside.
    scale
        Pixels per unit of the specification.

    Raises
    ------
    MonaziteError
        The extra ``report`` is not installed.
    """
    return bytes(_converter().vegalite_to_png(spec, vl_version=VEGA_LITE, scale=scale, allowed_base_urls=[]))
