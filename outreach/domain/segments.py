"""How a text travels as SMS: normal form, encoding, units, segments, and what forces the dear encoding."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import regex

from outreach.errors import BadInput

# 3GPP TS 23.038, default alphabet in table order; ESC (0x1B) is never text and stands for nothing here.
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
GSM7, UCS2 = "GSM-7", "UCS-2"
SIZES = {GSM7: (160, 153), UCS2: (70, 67)}

# CLDR writes "9:30 AM" with U+202F; one such space triples the price of an English SMS.
_SPACES = str.maketrans(dict.fromkeys("\u00a0\u202f\u2009\t", " "))

# Controls but LF, lone surrogates, line and paragraph separators, noncharacters.
_UNSENDABLE = regex.compile(r"(?!\n)[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]")


@dataclass(frozen=True)
class Segments:
    """`units`: septets or UTF-16 code units; `forcing`: (position, character) of what is not GSM-7."""

    encoding: str
    units: int
    segments: int
    forcing: tuple[tuple[int, str], ...] = ()


def normalise(text: str) -> str:
    """The one form that is counted and sent: NFC, plain spaces, LF. Refuses what no phone can show."""
    if not text.strip():
        raise BadInput("The text is empty; an SMS needs at least one visible character.")
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").translate(_SPACES))
    if found := _UNSENDABLE.search(text):
        char = f"U+{ord(found[0]):04X}"
        raise BadInput(f"Character {char} at position {found.start()} cannot be sent in a message; remove it.")
    return text


def count(text: str) -> Segments:
    """Segments of a text as it stands (normalise it first).

    A grapheme cluster, a surrogate pair and an escaped GSM-7 character are never split over two segments: Twilio's own
    calculator does the same, and the plain ceil(n/67) counts less than is billed.
    """
    forcing = tuple((at, char) for at, char in enumerate(text) if char not in BASIC and char not in EXTENSION)
    encoding = UCS2 if forcing else GSM7
    widths = _ucs2_widths(text) if forcing else [2 if char in EXTENSION else 1 for char in text]
    return Segments(encoding, sum(widths), _pack(widths, *SIZES[encoding]), forcing)


def _ucs2_widths(text: str) -> list[int]:
    most = SIZES[UCS2][1]
    widths: list[int] = []
    for cluster in regex.findall(r"\X", text):
        whole = _utf16(cluster)
        widths += [whole] if whole <= most else [_utf16(char) for char in cluster]
    return widths


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _pack(widths: Iterable[int], one: int, many: int) -> int:
    widths = list(widths)
    if sum(widths) <= one:
        return 1
    segments, room = 1, many
    for width in widths:
        if width > room:
            segments, room = segments + 1, many
        room -= width
    return segments
