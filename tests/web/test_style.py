"""The stylesheets of the console and of patients' pages: contrast in both schemes, no sides, nothing from elsewhere."""

from __future__ import annotations

import re

import pytest

from outreach.web.console.styleguide import schemes
from outreach.web.views import STATIC

CSS = (STATIC / "style.css").read_text("utf-8")
PATIENTS = (STATIC / "patient.css").read_text("utf-8")
BOTH = pytest.mark.parametrize("css", [CSS, PATIENTS], ids=["console", "patients"])
TEXT, LARGE_OR_PART = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11
GROUNDS = ("--paper", "--card", "--soft")
PAIRS = [
    *((ink, ground, TEXT) for ink in ("--ink", "--muted", "--accent", "--bad") for ground in GROUNDS),
    *(("--" + kind, f"--{kind}-bg", TEXT) for kind in ("good", "wait", "bad", "warn", "quiet")),
    *((ink, f"--{kind}-bg", TEXT) for ink in ("--ink", "--accent") for kind in ("good", "wait", "bad", "warn")),
    ("--on-accent", "--accent", TEXT),
    ("--edge", "--card", LARGE_OR_PART),
    ("--edge", "--paper", LARGE_OR_PART),
    ("--accent", "--paper", LARGE_OR_PART),
]

PATIENTS_PAIRS = [
    *((ink, ground, TEXT) for ink in ("--ink", "--muted", "--accent", "--bad") for ground in ("--paper", "--card")),
    *(
        (ink, ground, TEXT)
        for ink in ("--ink", "--accent")
        for ground in ("--note", "--good-bg", "--bad-bg", "--warn-bg")
    ),
    *(("--" + kind, f"--{kind}-bg", LARGE_OR_PART) for kind in ("good", "bad", "warn")),
    ("--note-edge", "--note", LARGE_OR_PART),
    ("--on", "--accent", TEXT),
]


def luminance(colour: str) -> float:
    if len(colour) == 4:
        colour = "#" + "".join(2 * digit for digit in colour[1:])
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("css", "pairs"), [(CSS, PAIRS), (PATIENTS, PATIENTS_PAIRS)], ids=["console", "patients"])
def test_every_pair_of_colours_can_be_read(css: str, pairs: list[tuple[str, str, float]], scheme: str) -> None:
    colours = schemes(css)[scheme]
    poor = {
        f"{front} on {back}": round(ratio(colours[front], colours[back]), 2)
        for front, back, least in pairs
        if ratio(colours[front], colours[back]) < least
    }
    assert not poor


@BOTH
def test_both_schemes_name_the_same_colours(css: str) -> None:
    found = schemes(css)
    assert found["light"].keys() == found["dark"].keys()


def test_black_on_white_is_twenty_one_to_one() -> None:
    assert round(ratio("#000000", "#ffffff"), 2) == 21


@BOTH
def test_nothing_is_said_by_left_and_right(css: str) -> None:
    """Right-to-left pages are the same stylesheet, mirrored by the browser."""
    sided = re.findall(
        r"[\s;{](?:(?:margin|padding|border)-(?:left|right)[\w-]*|left|right|text-align: (?:left|right))\s*[:;}]", css
    )
    four = re.findall(r"(?:padding|margin): ([^\s;]+) ([^\s;]+) ([^\s;]+) ([^\s;}]+)", css)
    assert not sided
    assert not [values for values in four if values[1] != values[3]]


@BOTH
def test_a_stylesheet_asks_nobody_else(css: str) -> None:
    assert not re.findall(r"url\(|@import|https?:", css)


@pytest.mark.parametrize("query", ["print", "prefers-reduced-motion", "prefers-color-scheme: dark", "forced-colors"])
def test_the_stylesheet_minds_how_it_is_read(query: str) -> None:
    assert re.search(rf"@media[^{{]*{query}", CSS)


def test_the_stylesheet_is_small() -> None:
    assert len(CSS.encode()) < 30_000
