"""Bars for figures, as SVG: small enough to keep beside them."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Final

_WIDTH: Final = 640
_LABELS: Final = 190
_ROW: Final = 26
_TOP: Final = 40
_FIGURES: Final = 70


def bars(title: str, figures: Mapping[str, float]) -> str:
    """Return a horizontal bar for each figure, the longest as wide as there is room."""
    longest = max(figures.values(), default=0.0) or 1.0
    room = _WIDTH - _LABELS - _FIGURES
    rows = []
    for number, (name, value) in enumerate(figures.items()):
        top = _TOP + number * _ROW
        width = max(1.0, room * value / longest)
        rows.append(
            f'<text x="{_LABELS - 8}" y="{top + 15}" text-anchor="end">{html.escape(name)}</text>'
            f'<rect x="{_LABELS}" y="{top + 3}" width="{width:.1f}" height="16" fill="#3b6ea5"/>'
            f'<text x="{_LABELS + width + 6:.1f}" y="{top + 15}">{value:.2f}</text>'
        )
    height = _TOP + len(figures) * _ROW + 10
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        'font-family="sans-serif" font-size="12">\n'
        f"<title>{html.escape(title)}</title>\n"
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>\n'
        f'<text x="10" y="24" font-size="14">{html.escape(title)}</text>\n'
        + "\n".join(rows)
        + "\n</svg>\n"
    )
