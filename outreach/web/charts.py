"""Plots as SVG inside a page: stacked bars, told in words too; colours by class, for dark mode and a strict CSP.

Across, everything stands in percent of the room there is: a plot is as wide as its page, its words keep their size, and
nothing is cut off or scrolled on a telephone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

HEIGHT, TOP, BOTTOM = 260, 12, 30
SCALE = 52
"""How wide the column of the scale's numbers is."""
MOST_LABELS = 8
SERIES = 6
"""So many series have a colour of their own; what is more is added up before."""
_RECT = Markup('<rect x="{:.2f}%" y="{:.1f}" width="{:.2f}%" height="{:.1f}" class="s{}"><title>{}</title></rect>')
_LINE = Markup('<line x1="0" x2="100%" y1="{:.1f}" y2="{:.1f}" class="rule"/>')
_TICK = Markup('<text x="{:.2f}%" y="{}" class="tick{}">{}</text>')


@dataclass(frozen=True)
class Bars:
    """`series` names what is stacked from the bottom up; `bars` holds (label, value of each series)."""

    title: str
    about: str
    series: Sequence[str]
    bars: Sequence[tuple[str, Sequence[int]]]


def stacked(bars: Bars, number: Callable[[int], str] = "{:,}".format) -> Markup:
    """The plot, of which a page has one. Title and description are read out; each piece tells its figure, written by
    `number`."""
    top = ceiling(max((sum(values) for _, values in bars.bars), default=0))
    steps = [top * quarter // 4 for quarter in range(5)]
    pieces = [
        Markup('<div class="plot"><svg class="scale" width="{}" height="{}" aria-hidden="true">').format(SCALE, HEIGHT),
        *(Markup('<text x="{}" y="{:.1f}">{}</text>').format(SCALE - 6, _y(one, top) + 4, number(one))
          for one in steps),
        Markup('</svg><svg class="bars" width="100%" height="{}" role="img" aria-labelledby="plot-t plot-d">').format(
            HEIGHT
        ),
        Markup('<title id="plot-t">{}</title><desc id="plot-d">{}</desc>').format(bars.title, bars.about),
        *(_LINE.format(_y(one, top), _y(one, top)) for one in steps),
    ]  # fmt: skip
    wide = 100 / max(len(bars.bars), 1)
    every = -(-len(bars.bars) // MOST_LABELS) or 1
    for place, (label, values) in enumerate(bars.bars):
        pieces += _bar(bars.series, label, values, place * wide, wide, top, number)
        if place % every == 0:  # on a telephone every second one is hidden
            second = " second" if place // every % 2 else ""
            pieces.append(_TICK.format((place + 0.5) * wide, HEIGHT - 10, second, label))
    return Markup("\n").join([*pieces, Markup("</svg></div>")])


def ceiling(value: int) -> int:
    """The next round number at which a scale of four steps ends: 4, 8, 20, 40, 80, 200 ..."""
    power = 1
    while True:
        for step in (4, 8, 20):
            if step * power >= value:
                return step * power
        power *= 10


def _bar(
    names: Sequence[str], label: str, values: Sequence[int], x: float, wide: float, top: int,
    number: Callable[[int], str],
) -> list[Markup]:  # fmt: skip
    pieces, below = [], 0
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        if value:
            y = _y(below + value, top)
            said = escape(f"{label}, {name}: {number(value)}")
            pieces.append(_RECT.format(x + wide * 0.12, y, wide * 0.76, _y(below, top) - y, place % SERIES + 1, said))
        below += value
    return pieces


def _y(value: float, top: int) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top
