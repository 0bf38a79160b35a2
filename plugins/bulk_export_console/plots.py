"""Draw the audit's charts as SVG.

Shapes carry classes, never colours or styles: the style sheet knows light and dark.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

_WIDTH, _HEIGHT, _BASE = 320, 100, 80
_TOP = 16


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        label: what stands below it, when there is room.
        parts: `(css class, amount)` from the bottom up.
        words: what it says when pointed at.
    """

    label: str
    parts: tuple[tuple[str, float], ...]
    words: str


def bars(title: str, columns: Sequence[Bar], shown: Callable[[float], str]) -> Markup:
    """A chart of vertical bars.

    Args:
        title: what a screen reader says of it, its figures included.
        columns: the bars, left to right.
        shown: writes the largest amount at the top.
    """
    highest = max((sum(amount for _, amount in column.parts) for column in columns), default=0) or 1
    step = _WIDTH / max(1, len(columns))
    shapes = [
        Markup('<line class="axis" x1="0" y1="{0}" x2="{1}" y2="{0}"/>').format(_BASE + 0.5, _WIDTH),
    ]
    if any(amount for column in columns for _, amount in column.parts):
        shapes.append(Markup('<text class="tick" x="0" y="10">{}</text>').format(shown(highest)))
    for index, column in enumerate(columns):
        shapes.append(_bar(column, index * step, step, highest))
        if index in (0, len(columns) - 1):
            anchor, x = ("end", _WIDTH) if index else ("start", 0)
            shapes.append(
                Markup('<text class="tick" x="{}" y="{}" text-anchor="{}">{}</text>').format(
                    x, _HEIGHT - 4, anchor, column.label
                )
            )
    return _svg(title, _HEIGHT, shapes)


def _bar(column: Bar, left: float, step: float, highest: float) -> Markup:
    shapes, y = [Markup("<g><title>{}</title>").format(column.words)], float(_BASE)
    # An invisible full-height area, so that small bars can be pointed at too.
    shapes.append(Markup('<rect class="area" x="{:.2f}" y="0" width="{:.2f}" height="{}"/>').format(left, step, _BASE))
    for name, amount in column.parts:
        if amount:
            height = max(1.0, (_BASE - _TOP) * amount / highest)
            y -= height
            shapes.append(
                Markup('<rect class="{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}" rx="1"/>').format(
                    f"fill-{name}", left + step * 0.15, y, step * 0.7, height
                )
            )
    return Markup("").join([*shapes, Markup("</g>")])


def gauge(title: str, used: float, held: float, limit: float) -> Markup:
    """A horizontal bar: quota used and held, of the limit.

    The limit is its full length.
    """
    scale = _WIDTH / max(limit, used, 1)
    charged = max(0.0, used - held)
    shapes = [Markup('<rect class="track" x="0" y="4" width="{}" height="16" rx="4"/>').format(_WIDTH)]
    for name, start, amount in (("success", 0.0, charged), ("running", charged, held)):
        if amount:
            shapes.append(
                Markup('<rect class="fill-{}" x="{:.2f}" y="4" width="{:.2f}" height="16" rx="4"/>').format(
                    name, start * scale, max(1.0, amount * scale)
                )
            )
    return _svg(title, 24, shapes)


def _svg(title: str, height: int, shapes: Sequence[Markup]) -> Markup:
    opening = Markup('<svg class="plot" role="img" aria-label="{}" viewBox="0 0 {} {}">').format(title, _WIDTH, height)
    return Markup("").join([opening, *shapes, Markup("</svg>")])
