"""Texts in cells of a spreadsheet: none of them is taken for a formula, and each can be had back as it was."""

from __future__ import annotations

# What a spreadsheet, also a Japanese or Chinese one, begins a formula with; a tab or a line end shifts it into another
# cell first, and some programs skip a NUL.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
BOM = "\ufeff"


def defused(text: str) -> str:
    """A text that could begin a formula gets a ' in front, as spreadsheets themselves do; `charged` takes it back."""
    return "'" + text if text.startswith(("'", *_FORMULA)) else text


def charged(text: str) -> str:
    """The text that was defused. A ' that somebody typed before a letter stays."""
    return text[1:] if text.startswith("'") and text[1:].startswith(("'", *_FORMULA)) else text
