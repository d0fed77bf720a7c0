"""The staff's language: the console's own catalogs, apart from what patients are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from gettext import c2py
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po

from outreach.errors import Sentence
from outreach.settings import ROOT

SOURCE = "en"
CATALOG = "console.po"


@dataclass(frozen=True)
class Tongue:
    """One language of the console. What has no translation is said in English: staff must never meet an empty place."""

    locale: str
    words: dict[tuple[str, str], tuple[str, ...]]
    plural: str = "(n != 1)"

    @cached_property
    def _choose(self) -> Callable[[int], int]:
        chosen: Callable[[int], int] = c2py(self.plural)
        return chosen

    def gettext(self, text: str) -> str:
        """`text` in this language; a Sentence with its values filled in."""
        if isinstance(text, Sentence):
            return self._form("", text.msgid) % {name: self._value(value) for name, value in text.values.items()}
        return self._form("", text)

    def ngettext(self, one: str, many: str, number: int) -> str:
        forms = self.words.get(("", one))
        if forms is None:
            return one if number == 1 else many
        index = self._choose(number)
        return forms[index] if index < len(forms) and forms[index] else many

    def pgettext(self, context: str, text: str) -> str:
        return self._form(context, text)

    def npgettext(self, context: str, one: str, many: str, number: int) -> str:
        forms = self.words.get((context, one))
        return self.ngettext(one, many, number) if forms is None else forms[self._choose(number)]

    def _form(self, context: str, text: str) -> str:
        forms = self.words.get((context, str(text)))
        return forms[0] if forms and forms[0] else str(text)

    def _value(self, value: Any) -> Any:
        return self.gettext(value) if isinstance(value, Sentence) else value


@cache
def tongue(locale: str) -> Tongue:
    """The console in this language; English where there is no catalog for it."""
    path = ROOT / "locales" / locale / "LC_MESSAGES" / CATALOG
    return _read(path, locale) if locale != SOURCE and locale in offered() else Tongue(SOURCE, {})


@cache
def offered() -> tuple[str, ...]:
    """The languages that staff can choose, English first."""
    found = sorted(path.parent.parent.name for path in (ROOT / "locales").glob(f"*/LC_MESSAGES/{CATALOG}"))
    return (SOURCE, *(locale for locale in found if locale != SOURCE))


def asked_for(accepted: str) -> str:
    """The language for somebody who has not signed in: the first of the browser's that the console has, else English.

    `accepted`: the header Accept-Language, such as "es-MX,es;q=0.9,en;q=0.8".
    """
    wanted = []
    for place, part in enumerate(accepted[:500].split(",")):
        tag, _, rest = part.partition(";")
        try:
            weight = float(rest.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        wanted.append((-weight, place, tag.strip().lower().partition("-")[0]))
    known = {locale.lower().partition("_")[0]: locale for locale in offered()}
    return next((known[tag] for weight, _, tag in sorted(wanted) if tag in known and weight), SOURCE)


def _read(path: Path, locale: str) -> Tongue:
    with path.open("rb") as file:
        catalog = read_po(file, locale=locale, abort_invalid=True)
    words = {}
    for message in catalog:
        if message.id and message.string and not message.fuzzy:
            one = message.id[0] if isinstance(message.id, (list, tuple)) else message.id
            forms = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
            words[message.context or "", one] = tuple(forms)
    return Tongue(locale, words, catalog.plural_expr)
