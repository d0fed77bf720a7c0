"""Inbound text folded for matching: NFKC, invisible characters, marks, punctuation and emoji gone, letters unified."""

from __future__ import annotations

import re
import unicodedata

MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u20d0-\u20f0\ufe00-\ufe0f]"
)
LETTERS = str.maketrans(
    {
        "ı": "i",
        "đ": "d",
        "ø": "o",
        "ł": "l",
        "æ": "ae",
        "œ": "oe",
        "ى": "ي",
        "ی": "ي",
        "ې": "ي",
        "ک": "ك",
        "ٱ": "ا",
        "ہ": "ه",
        "ۃ": "ه",
        "ة": "ه",
        "ـ": "",
    }
)
MOST = 8192
_DRAWN_OUT = re.compile(r"([a-z])\1{2,}")


def fold(text: str, *, marks: bool = False) -> str:
    """Text as it is matched: words in one form, separated by single spaces. `marks` keeps accents and tones."""
    if text.isascii():
        text = text.lower().translate(_FOLDED)
    else:
        text = unicodedata.normalize("NFKC", text).replace("İ", "i").casefold()
        if not marks:
            # Decomposed, the marks can be dropped: é becomes e, and أ ؤ ئ lose their hamza.
            text = MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(LETTERS)
        text = unicodedata.normalize("NFC", text).translate(_FOLDED)
    return _DRAWN_OUT.sub(r"\1", " ".join(text.split()))


def symbols(text: str) -> str:
    """The emoji and other pictures of a text in their order, without the variants of skin and style."""
    return "".join(char for char in text if unicodedata.category(char) == "So")


def one_off(one: str, other: str) -> bool:
    """Whether a letter is wrong, missing or too many, or two stand the wrong way round."""
    short, long = sorted((one, other), key=len)
    at = next((place for place, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(long) != len(short):
        return short[at:] == long[at + 1 :]
    swapped = long[at + 1 : at + 2] + long[at : at + 1]
    return short[at + 1 :] == long[at + 1 :] or (short[at : at + 2] == swapped and short[at + 2 :] == long[at + 2 :])


class _Folded(dict[int, str]):
    """What each letter becomes, found out once: a few thousand are all that messages and words are written in."""

    def __missing__(self, code: int) -> str:
        found = _folded(chr(code))
        if len(self) < MOST:
            self[code] = found
        return found


def _folded(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.digit(char))
    if category == "Cf" or char == "ـ" or "\ufe00" <= char <= "\ufe0f" or category == "Me":
        return ""
    return " " if category[0] in "PSZC" else char


_FOLDED = _Folded()
