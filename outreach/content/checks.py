"""What makes a translated unit unfit to be sent: each fault with its remedy, in a translator's words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

PLACEHOLDER = re.compile(r"%(?:\((\w+)\)s|(%)|)")
_MARKUP = re.compile(r"<\s*[/!?a-zA-Z]|&#?\w+;|\{\{|\{%|\{#|`|\]\(|https?://")
# Overrides, isolates and marks are ours to add; zero-width spaces hide inside words. U+200C and U+200D are spelling.
_HIDDEN = frozenset("\u200b\u2060\ufeff\u2028\u2029\u00ad\u200e\u200f\u061c") | {
    chr(code) for code in [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
}
# Carriers act on these words in English only: a translated one would not stop anything.
_KEPT = ("STOP", "START", "HELP")
RESERVED = frozenset({"context", "num"})

Fault = tuple[str, str]


def names(text: str) -> Counter[str]:
    """The placeholders of a text, each with how often it stands there."""
    return Counter(found[1] for found in PLACEHOLDER.finditer(text) if found[1])


def faults(source: str, plural: str, form: str, lone: bool = False) -> Iterator[Fault]:
    """Everything wrong with one translated form of a unit; nothing when it may be sent. `lone`: the form stands for one
    number only (Arabic "two"), and so need not show it."""
    yield from _placeholder_faults(source, plural, form, lone)
    yield from _character_faults(form)
    found = _MARKUP.search(form)
    if found:
        yield f"{found[0]!r} is markup or an address.", "Translations hold words only; the template adds the rest."
    yield from _content_faults(source, plural, form)


def _placeholder_faults(source: str, plural: str, form: str, lone: bool) -> Iterator[Fault]:
    for found in PLACEHOLDER.finditer(form):
        if not found[1] and not found[2]:
            shown = form[found.start() : found.start() + 12]
            yield f"{shown!r} is neither a placeholder nor a percent sign.", "Write %(name)s or %%."
    wanted, given = names(plural or source), names(form)
    for name in sorted(given.keys() - wanted.keys()):
        yield f"the placeholder %({name})s is not in the English text.", f"Use: {_listed(wanted)}."
    for name in sorted(wanted.keys() - given.keys()):
        if not (lone and name not in names(source)):
            yield f"the placeholder %({name})s is missing.", f"Put %({name})s where its value belongs."
    for name in sorted(name for name in given if given[name] > max(wanted[name], 1)):
        yield f"the placeholder %({name})s stands there {given[name]} times.", "Use it once."


def _listed(wanted: Counter[str]) -> str:
    return ", ".join(f"%({name})s" for name in sorted(wanted)) or "none"


def _character_faults(form: str) -> Iterator[Fault]:
    for at, char in enumerate(form):
        if char in _HIDDEN or (unicodedata.category(char) in ("Cc", "Cs", "Cn", "Co") and char != "\n"):
            yield f"an invisible character U+{ord(char):04X} stands at position {at}.", "Delete it."
    if not unicodedata.is_normalized("NFC", form):
        yield "accents are written as separate characters (NFD).", "Type the letters again, or save as NFC."
    if form != form.strip() or "  " in form:
        yield "there is a space too many at an end or between two words.", "Leave single spaces only."


def _content_faults(source: str, plural: str, form: str) -> Iterator[Fault]:
    for word in _KEPT:
        if re.search(rf"\b{word}\b", source) and not re.search(rf"\b{word}\b", form):
            yield f"the word {word} is missing.", f"Keep {word} in Latin capitals: the carrier acts on it."
    wanted, given = _digits(plural or source), _digits(form)
    if wanted != given and not plural:
        yield f"the numbers differ: English {wanted}, here {given}.", "Write the same numbers with the digits 0 to 9."


def _digits(text: str) -> list[str]:
    return sorted(re.findall(r"\d+", PLACEHOLDER.sub(" ", text)))
