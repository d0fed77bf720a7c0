"""Two languages that nobody speaks: long accented English, and English in Arabic letters, to see what breaks.

They are never in config/languages.yaml, so that no patient is ever offered one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from gettext import c2py
from typing import Any

from outreach.content import plurals
from outreach.content.catalogs import Catalog, Unit
from outreach.content.compose import Words
from outreach.content.formats import Language
from outreach.content.sources import Part
from outreach.content.voice import Voice

ACCENTED, RTL = "en_XA", "ar_XB"
LANGUAGES = {
    ACCENTED: Language(ACCENTED, "Accented English", "Áççéñţéđ Éñğļîšĥ", "ltr", "en_US", 12),
    RTL: Language(RTL, "Right-to-left English", "ادلشش", "rtl", "ar", 12),
}
_COUNTS = {ACCENTED: "en", RTL: "ar"}
"""Whose plural forms they take: Arabic has all six."""
# What stays: placeholders, %%, and words that carriers act on.
_KEPT = re.compile(r"%\(\w+\)s|%%|\b(?:STOP|START|HELP)\b")
_ACCENTS = str.maketrans("ACDEGHIKLNORSTUWYZacdeghiklnorstuwyz", "ÁÇĐÉĞĤÎĶĻÑÖŔŠŢÛŴÝŽáçđéğĥîķļñöŕšţûŵýž")
_ARABIC = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ابچدعفگهيجكلمنوپقرستثڤوخىز")
_PADDING = ("ñéẋţ", "ŵöŕđš", "ļöñğéŕ", "ţĥáñ")
_GROWTH = 0.37
"""How much longer German or Filipino is than English: 35 to 40 %."""


def accented(text: str) -> str:
    """English with accents on its letters and words added at its end: what is cut off, hard-coded or too narrow."""
    said = _spoken(text, lambda piece: piece.translate(_ACCENTS))
    wanted, more = len(text) * (1 + _GROWTH), list[str]()
    while len(said) + sum(len(one) + 1 for one in more) < wanted:
        more.append(_PADDING[len(more) % len(_PADDING)])
    room = max(0, round(wanted) - len(said))
    padding = (" " + " ".join(more))[:room].rstrip() if more else ""
    end = said[-1] if said and said[-1] in ".?!:" else ""
    return said.removesuffix(end) + padding + end if end else said + padding


def mirrored(text: str) -> str:
    """English in Arabic letters, which no sentence ever meant; it runs from the right, and its values stand in it."""
    return _spoken(text, lambda piece: piece.lower().translate(_ARABIC).replace("?", "؟").replace(",", "،"))


def words(parts: Mapping[str, Part], units: Mapping[str, Unit]) -> Words:
    """Both languages, for a preview or a trial; not those of patients."""
    voices = {locale: Voice(LANGUAGES[locale], catalog(locale, units), parts, units) for locale in LANGUAGES}
    return Words(parts, units, voices)


def catalog(locale: str, units: Mapping[str, Unit]) -> Catalog:
    """What one of them says."""
    said, count = _SAID[locale], plurals.rule(_COUNTS[locale])[0]
    forms = {unit.key: _forms(unit, said, count) for unit in units.values()}
    choose: Callable[[int], int] = c2py(plurals.rule(_COUNTS[locale])[1])
    return Catalog(locale, forms, choose)


def po(locale: str, units: Mapping[str, Unit]) -> str:
    """The same as a catalog's file."""
    lines = [
        f"# {locale}: made by a program to look for what breaks. Nobody may send it.",
        'msgid ""', 'msgstr ""', f'"Language: {locale}\\n"', '"MIME-Version: 1.0\\n"',
        '"Content-Type: text/plain; charset=utf-8\\n"', '"Content-Transfer-Encoding: 8bit\\n"',
        f'"Plural-Forms: {plurals.HEADERS[_COUNTS[locale]]};\\n"',
    ]  # fmt: skip
    for key, forms in catalog(locale, units).forms.items():
        unit = units[key]
        lines += ["", f'msgctxt "{key}"', f"msgid {_quoted(unit.text)}"]
        lines += [f"msgid_plural {_quoted(unit.plural)}"] if unit.plural else []
        names = [f"msgstr[{n}]" for n in range(len(forms))] if unit.plural else ["msgstr"]
        lines += [f"{name} {_quoted(form)}" for name, form in zip(names, forms, strict=True)]
    return "\n".join([*lines, ""])


def _forms(unit: Unit, said: Callable[[str], str], count: int) -> tuple[str, ...]:
    if not unit.plural:
        return (said(unit.text),)
    # Where English says "one", the form for one says it; every other is the plural.
    one = 1 if count == 6 else 0
    return tuple(said(unit.text if index == one else unit.plural) for index in range(count))


def _spoken(text: str, change: Callable[[str], str]) -> str:
    out, end = "", 0
    for found in _KEPT.finditer(text):
        out += change(text[end : found.start()]) + found[0]
        end = found.end()
    return out + change(text[end:])


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


_SAID: dict[str, Callable[[str], Any]] = {ACCENTED: accented, RTL: mirrored}
