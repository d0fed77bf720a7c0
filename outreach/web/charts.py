"""Plots as SVG inside a page: stacked bars, told in words too; colours by class, for dark mode and a strict CSP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 8, 12, 30
MOST_LABELS = 8
SERIES = 6
"""So many series have a colour of their own; what is more is added up before."""
_RECT = Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" class="s{}"><title>{}</title></rect>')


@dataclass(frozen=True)
class Bars:
    """`series` names what is stacked from the bottom up; `bars` holds (label, value of each series)."""

    title: str
    about: str
    series: Sequence[str]
    bars: Sequence[tuple[str, Sequence[int]]]


def stacked(bars: Bars) -> Markup:
    """The plot, of which a page has one. Title and description are read out; each piece tells its figure."""
    top = ceiling(max((sum(values) for _, values in bars.bars), default=0))
    pieces = [
        Markup('<svg class="plot" viewBox="0 0 {} {}" role="img" aria-labelledby="plot-t plot-d">').format(
            WIDTH, HEIGHT
        ),
        Markup('<title id="plot-t">{}</title><desc id="plot-d">{}</desc>').format(bars.title, bars.about),
        *_scale(top),
    ]
    wide = (WIDTH - LEFT - RIGHT) / max(len(bars.bars), 1)
    every = -(-len(bars.bars) // MOST_LABELS) or 1
    for place, (label, values) in enumerate(bars.bars):
        x = LEFT + place * wide
        pieces += _bar(bars.series, label, values, x, wide, top)
        if place % every == 0:
            pieces.append(
                Markup('<text x="{:.1f}" y="{}" class="tick">{}</text>').format(x + wide / 2, HEIGHT - 10, label)
            )
    return Markup("\n").join([*pieces, Markup("</svg>")])


def ceiling(value: int) -> int:
    """The next round number at which a scale of four steps ends: 4, 8, 20, 40, 80, 200 ..."""
    power = 1
    while True:
        for step in (4, 8, 20):
            if step * power >= value:
                return step * power
        power *= 10


def _scale(top: int) -> list[Markup]:
    lines = []
    for quarter in range(5):
        y = _y(top * quarter / 4, top)
        line = Markup('<line x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}" class="rule"/>')
        said = Markup('<text x="{}" y="{:.1f}" class="scale">{}</text>')
        lines += [line.format(LEFT, WIDTH - RIGHT, y, y), said.format(LEFT - 6, y + 4, f"{top * quarter // 4:,}")]
    return lines


def _bar(names: Sequence[str], label: str, values: Sequence[int], x: float, wide: float, top: int) -> list[Markup]:
    pieces, below = [], 0
    for number, (name, value) in enumerate(zip(names, values, strict=True)):
        if value:
            y = _y(below + value, top)
            said = escape(f"{label}, {name}: {value:,}")
            pieces.append(_RECT.format(x + wide * 0.12, y, wide * 0.76, _y(below, top) - y, number % SERIES + 1, said))
        below += value
    return pieces


def _y(value: float, top: int) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top
