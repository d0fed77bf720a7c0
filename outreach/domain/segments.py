"""How a text travels as SMS: normal form, encoding, units, segments, and what forces the dear encoding."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

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
_ODD = ("\u202f", "\u00a0", "\u2009", "\t")

# Controls but LF, lone surrogates, line and paragraph separators, noncharacters.
_UNSENDABLE = regex.compile(r"(?!\n)[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]")


@dataclass(frozen=True)
class Segments:
    """`units`: septets or UTF-16 code units; `forcing`: (position, character) of what is not GSM-7."""

    encoding: str
    units: int
    segments: int
    forcing: tuple[tuple[int, str], ...] = ()


# What may stand in a text that is as it should be, though str.isprintable() says no: line ends and our bidi marks.
_UNSEEN = re.compile("[\n\u200f\u2068\u2069]")
_DEAR = re.compile(f"[^{re.escape(''.join(sorted(BASIC | EXTENSION)))}]")
_CHEAP = "".join(BASIC).encode("ascii", "ignore")
_CLUSTER = regex.compile(r"\X")
_EXTENDED = re.compile(f"[{re.escape(''.join(sorted(EXTENSION)))}]")


def normalise(text: str) -> str:
    """The one form that is counted and sent: NFC, plain spaces, LF. Refuses what no phone can show."""
    if not text or text.isspace():
        raise BadInput("The text is empty; an SMS needs at least one visible character.")
    for odd in _ODD:
        if odd in text:
            text = text.replace(odd, " ")
    # Printable leaves no CR and nothing unsendable: true of nearly every text, and told in a microsecond.
    if text.isprintable() or _UNSEEN.sub("", text).isprintable():
        return unicodedata.normalize("NFC", text)
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    if found := _UNSENDABLE.search(text):
        char = f"U+{ord(found[0]):04X}"
        raise BadInput(f"Character {char} at position {found.start()} cannot be sent in a message; remove it.")
    return text


def size(text: str) -> tuple[str, int, int]:
    """Encoding, units and segments of a text as it stands (normalise it first).

    A grapheme cluster, a surrogate pair and an escaped GSM-7 character are never split over two segments: Twilio's own
    calculator does the same, and the plain ceil(n/67) counts less than is billed.
    """
    one, many = SIZES[GSM7]
    if text.isascii() and not text.encode().translate(None, _CHEAP):
        return GSM7, len(text), _even(len(text), one, many)
    if _DEAR.search(text):
        return (UCS2, *_sized(text, *SIZES[UCS2]))
    if not _EXTENDED.search(text):
        return GSM7, len(text), _even(len(text), one, many)
    widths = [2 if char in EXTENSION else 1 for char in text]
    return GSM7, sum(widths), _pack(widths, one, many)


def count(text: str) -> Segments:
    """The size of a text, and each character that forces it into the dear encoding."""
    return Segments(*size(text), tuple((found.start(), found[0]) for found in _DEAR.finditer(text)))


def _sized(text: str, one: int, many: int) -> tuple[int, int]:
    units = _utf16(text)
    if units <= one:
        return units, 1
    segments = _cut(text, many) if units == len(text) else 0
    return units, segments or _pack(_ucs2_widths(text), one, many)


def _cut(text: str, many: int) -> int:
    """The segments of a text whose characters are of one unit each, looking at where it is cut only; 0 where a cluster
    is longer than a segment."""
    lone, start, segments = _lone(), 0, 1
    while len(text) - start > many:
        at = start + many
        if not lone.fullmatch(text, at - 1, at + 1):
            at = _before(text, start, at)
            if at <= start:
                return 0
        start, segments = at, segments + 1
    return segments


def _before(text: str, start: int, at: int) -> int:
    """The last border of clusters up to `at`; `start` is one."""
    lone = _lone()
    sure = next((one for one in range(at - 1, start, -1) if lone.fullmatch(text, one - 1, one + 1)), start)
    for cluster in _CLUSTER.finditer(text, sure):
        if cluster.end() > at:
            return int(cluster.start())
    return at


def _even(units: int, one: int, many: int) -> int:
    return 1 if units <= one else -(-units // many)


@cache
def _lone() -> re.Pattern[str]:
    """Texts of characters of one unit that never join a cluster: between two of them a segment may end."""
    alone = regex.compile(r"[\p{GCB=Other}\p{GCB=Control}\p{GCB=LF}]+")
    runs = alone.finditer("".join(map(chr, [*range(0x20, 0xD800), *range(0xE000, 0x10000)])))
    return re.compile("[\n" + "".join(f"\\u{ord(run[0][0]):04x}-\\u{ord(run[0][-1]):04x}" for run in runs) + "]*")


def _ucs2_widths(text: str) -> list[int]:
    most = SIZES[UCS2][1]
    widths: list[int] = []
    for cluster in _CLUSTER.findall(text):
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
