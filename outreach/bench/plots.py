"""Bar charts as SVG, written by hand: a plotting library would be the largest thing this project depends on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 56, 44
COLOURS = ("#17594f", "#d98e04")  # apart also without colour: one is dark, one is light
INK, FAINT, PAPER = "#1c2624", "#c9d2cf", "#ffffff"


@dataclass(frozen=True)
class Chart:
    """Stacked bars: `parts` names what is stacked, `bars` holds (label, value of each part)."""

    title: str
    unit: str
    across: str
    parts: Sequence[str]
    bars: Sequence[tuple[str, Sequence[float]]]


def svg(chart: Chart) -> str:
    """The chart as one SVG document; says itself in words to those who do not see it."""
    top = ceiling(max(sum(values) for _, values in chart.bars))
    told = "; ".join(f"{label}: {sum(values):,.3g} {chart.unit}" for label, values in chart.bars)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        f' font-size="13" fill="{INK}" role="img" aria-labelledby="title desc">',
        f'<title id="title">{escape(chart.title)}</title><desc id="desc">{escape(told)}</desc>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
        f'<text x="{LEFT}" y="22" font-size="15" font-weight="bold">{escape(chart.title)}</text>',
        *_legend(chart),
        *_scale(top, chart.unit),
    ]
    width = (WIDTH - LEFT - RIGHT) / len(chart.bars)
    for number, bar in enumerate(chart.bars):
        lines += _bar(bar, LEFT + number * width, width, top)
    lines.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(chart.across)}</text>'
    )
    return "\n".join([*lines, "</svg>", ""])


def ceiling(value: float) -> float:
    """The next round number: 1, 2, 2.5 or 5 times a power of ten."""
    power = 1.0
    while power * 10 <= value:
        power *= 10
    while power > value > 0:
        power /= 10
    return next((power * step for step in (1, 2, 2.5, 5) if power * step >= value), power * 10)


def _legend(chart: Chart) -> list[str]:
    lines, x = [], LEFT
    for name, colour in zip(chart.parts, COLOURS, strict=False):
        lines.append(f'<rect x="{x}" y="32" width="12" height="12" fill="{colour}"/>')
        lines.append(f'<text x="{x + 18}" y="43">{escape(name)}</text>')
        x += 40 + 8 * len(name)
    return lines


def _scale(top: float, unit: str) -> list[str]:
    lines = []
    for quarter in range(5):
        y = _y(top * quarter / 4, top)
        lines.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{FAINT}"/>')
        said = f"{top * quarter / 4:,.4g}" + (f" {unit}" if quarter == 4 else "")
        lines.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" font-size="11">{escape(said)}</text>')
    return lines


def _bar(bar: tuple[str, Sequence[float]], x: float, width: float, top: float) -> list[str]:
    label, values = bar
    lines, below = [], 0.0
    for value, colour in zip(values, COLOURS, strict=False):
        y, height = _y(below + value, top), _y(below, top) - _y(below + value, top)
        lines.append(
            f'<rect x="{x + width * 0.2:.1f}" y="{y:.1f}" width="{width * 0.6:.1f}" height="{height:.1f}"'
            f' fill="{colour}"/>'
        )
        below += value
    middle = x + width / 2
    lines.append(f'<text x="{middle:.1f}" y="{_y(below, top) - 5:.1f}" text-anchor="middle">{below:,.3g}</text>')
    lines.append(f'<text x="{middle:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{escape(label)}</text>')
    return lines


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top
