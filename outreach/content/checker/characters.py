"""Characters that nobody sees, that were broken on the way, or that make an SMS dear."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from outreach.content.checker.findings import Fault, Pair, bare
from outreach.domain.segments import BASIC, EXTENSION

# Overrides, isolates and marks are ours to add; zero-width spaces hide inside words.
_HIDDEN = frozenset("\u200b\u2060\ufeff\u2028\u2029\u00ad\u200e\u200f\u061c") | {
    chr(code) for code in [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
}
_JOINERS = frozenset("\u200c\u200d")
JOINING = frozenset((
    "ar", "bn", "ckb", "fa", "gu", "hi", "km", "kn", "ml", "mr", "my", "ne", "pa", "ps", "si", "ta", "te", "ur",
))  # fmt: skip
"""Languages whose spelling needs U+200C or U+200D."""
_UNSPACED = frozenset(["th", "km", "lo", "my"])
_RTL = frozenset(["ar", "fa", "he", "ur", "ckb", "ps", "yi"])
_MARKS = frozenset("\u200e\u200f\u061c")
_DECOMPOSED = re.compile("[\u0300-\u036f\u1100-\u11ff]")
# UTF-8 read as Latin-1 or Windows-1252: Ã³ for ó, â€™ for ’. Cyrillic and Arabic come in longer runs.
_MOJIBAKE = re.compile("[ÃÂ][\u0080-\u00bf]|â€.|(?:[ÐÑØÙ][\u0080-\u00bf\u2018-\u203a\u0152\u0178]){2}|\ufffd")
_CURLY = {"‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " "}
_BREAKING = re.compile("[\u202f\u2009]")


def faults(pair: Pair) -> Iterator[Fault]:
    """What is wrong with the characters of one form."""
    yield from _invisible(pair)
    if not unicodedata.is_normalized("NFC", pair.form) and (pair.ours or _DECOMPOSED.search(pair.form)):
        what = "accents are written as separate characters (NFD)."
        yield Fault("character.decomposed", what, "Type the letters again, or save as NFC.")
    found = _MOJIBAKE.search(pair.form)
    if found and found[0] not in pair.english:
        shown = pair.form[max(found.start() - 6, 0) : found.end() + 3]
        remedy = "The file was once read in the wrong encoding: type the word again and save as UTF-8."
        yield Fault("character.mojibake", f"{shown!r} is no word but broken letters.", remedy)
    if pair.ours and _BREAKING.search(pair.form):
        yield Fault("character.narrow_space", "a narrow no-break space (U+202F) stands there.", "Type a plain space.")
    yield from _dear(pair)


def _invisible(pair: Pair) -> Iterator[Fault]:
    if pair.form.isprintable():
        return  # told in a microsecond of nearly every form: whatever is looked for below is not printable
    language = pair.locale.partition("_")[0]
    for at, char in enumerate(pair.form):
        wrong = char in _HIDDEN or (unicodedata.category(char) in ("Cc", "Cs", "Cn", "Co") and char != "\n")
        if wrong and not pair.ours:
            wrong = not (
                char in pair.english or char in "\t\u00ad"
                or (char in _MARKS and language in _RTL) or (char == "\u200b" and language in _UNSPACED)
            )  # fmt: skip
        if char in _JOINERS and language not in JOINING and not _joins_pictures(pair.form, at):
            wrong = True
        if wrong:
            what = f"an invisible character U+{ord(char):04X} stands at position {at}."
            yield Fault(_rule(char), what, "Delete it: retype the words around it.")


def _rule(char: str) -> str:
    if unicodedata.category(char) in ("Cc", "Zl", "Zp"):
        return "character.control"
    return "character.direction" if unicodedata.bidirectional(char) != "BN" else "character.hidden"


def _joins_pictures(form: str, at: int) -> bool:
    return 0 < at < len(form) - 1 and all(
        unicodedata.category(form[near]) in ("So", "Mn", "Sk") for near in (at - 1, at + 1)
    )


def _dear(pair: Pair) -> Iterator[Fault]:
    if not pair.sms or not any(char in _CURLY for char in pair.form):
        return
    plain = "".join(_CURLY.get(char, char) for char in bare(pair.form))
    if all(char in BASIC or char in EXTENSION for char in plain):
        dear = "".join(sorted({char for char in pair.form if char in _CURLY}))
        remedy = "Write straight quotes (' and \"), a plain hyphen and three dots."
        yield Fault(
            "character.dear", f"{dear} alone makes this SMS take 70 characters a segment, not 160.", remedy, False
        )
