"""Translations, read straight from .po files and believed only after each entry was checked against the source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from gettext import c2py
from pathlib import Path

from outreach.content import plurals
from outreach.content.checks import faults
from outreach.content.pofile import Entry, parse
from outreach.errors import BadFile

MOST_BYTES = 2_000_000
_MARKERS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")


@dataclass(frozen=True)
class Unit:
    """Words of the source: the key is the msgctxt; `plural` is empty where the number does not matter."""

    key: str
    text: str
    plural: str = ""
    place: str = ""


@dataclass(frozen=True)
class Catalog:
    """What one locale says. `forms` holds usable entries only: no fuzzy one, none whose English has changed since."""

    locale: str
    forms: Mapping[str, tuple[str, ...]]
    choose: Callable[[int], int]

    def form(self, key: str, number: int = 0) -> str | None:
        """The translation of a unit for a number, or None where there is none to be used."""
        forms = self.forms.get(key)
        if forms is None or len(forms) == 1:
            return forms[0] if forms else None
        return forms[self.choose(number)]


def load(path: Path, locale: str, units: Mapping[str, Unit]) -> Catalog:
    """Read and check one catalog. Raises BadFile with the line, the key, what is wrong and what would be right."""
    entries = parse(path, _text(path))
    header = _header(path, entries)
    _check_header(path, locale, header)
    count = _plural_forms(path, locale, header.get("plural-forms", ""))
    choose = _chooser(locale)
    matched = Counter(choose(number) for number in range(1001))
    lone = {index for index, numbers in matched.items() if numbers == 1}
    forms: dict[str, tuple[str, ...]] = {}
    seen: dict[tuple[str, str], int] = {}
    for entry in entries[1:]:
        first = seen.setdefault((entry.key, entry.source), entry.line)
        if first != entry.line:
            what = f"{entry.key}: the same entry stands in line {first} already."
            raise BadFile(path, entry.line, what, "Keep one of the two.")
        if _usable(path, entry, units.get(entry.key), count, lone):
            forms[entry.key] = entry.forms
    return Catalog(locale, forms, choose)


def identity(locale: str, units: Mapping[str, Unit]) -> Catalog:
    """The source language, which needs no catalog."""
    forms = {unit.key: (unit.text, unit.plural) if unit.plural else (unit.text,) for unit in units.values()}
    return Catalog(locale, forms, _chooser(locale))


def _chooser(locale: str) -> Callable[[int], int]:
    rule: Callable[[int], int] = c2py(plurals.rule(locale)[1])
    return rule


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= MOST_BYTES else b""
    except OSError as error:
        raise BadFile(path, 0, f"the catalog cannot be read ({error.strerror}).", "Check the file.") from error
    if size > MOST_BYTES:
        raise BadFile(
            path, 0, f"the catalog has {size} bytes.", f"At most {MOST_BYTES} are read; is it the right file?"
        )
    if raw.startswith(b"\xef\xbb\xbf"):
        raise BadFile(path, 1, "the file begins with a byte order mark.", "Save it as UTF-8 without BOM.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise BadFile(path, line, "the text is not UTF-8.", "Save the file as UTF-8.") from error
    for number, line_text in enumerate(text.split("\n"), 1):
        if line_text.startswith(_MARKERS):
            raise BadFile(
                path, number, "a merge conflict was left in the file.", "Choose one side and delete the marks."
            )
    return text.replace("\r\n", "\n")


def _header(path: Path, entries: list[Entry]) -> dict[str, str]:
    if not entries or entries[0].source or entries[0].key or not entries[0].forms[0]:
        raise BadFile(path, 1, "the header (the entry with an empty msgid) is missing.", "Begin with it.")
    if entries[0].fuzzy:
        raise BadFile(path, entries[0].line, "the header is marked fuzzy.", "Remove the mark once the header is right.")
    lines = (line.partition(":") for line in entries[0].forms[0].split("\n"))
    return {name.strip().lower(): value.strip() for name, colon, value in lines if colon}


def _check_header(path: Path, locale: str, header: dict[str, str]) -> None:
    if header.get("language") != locale:
        what = f"the header says Language {header.get('language', 'nothing')!r}, the folder {locale!r}."
        raise BadFile(path, 1, what, f"Write Language: {locale}, or move the file.")
    if "charset=utf-8" not in header.get("content-type", "").replace(" ", "").lower():
        raise BadFile(
            path, 1, "the header does not say charset=utf-8.", "Write Content-Type: text/plain; charset=utf-8."
        )


def _plural_forms(path: Path, locale: str, written: str) -> int:
    expected = plurals.HEADERS.get(locale)
    if expected is None:
        raise BadFile(path, 1, f"no plural rule is known for {locale!r}.", "Add it to outreach/content/plurals.py.")
    if plurals.squeezed(written) != plurals.squeezed(expected):
        raise BadFile(path, 1, f"the plural rule is not that of {locale}.", f"Write Plural-Forms: {expected};")
    return plurals.rule(locale)[0]


def _usable(path: Path, entry: Entry, unit: Unit | None, count: int, lone: Container[int]) -> bool:
    """Whether an entry may be sent; what is neither usable nor honestly unfinished is refused."""
    if unit is None or entry.fuzzy or not any(entry.forms) or (entry.source, entry.plural) != (unit.text, unit.plural):
        return False
    wanted = count if unit.plural else 1
    if len(entry.forms) != wanted or not all(entry.forms):
        what = f"{entry.key}: {sum(map(bool, entry.forms))} of {wanted} forms are there."
        raise BadFile(path, entry.line, what, "Translate every form, or empty them all.")
    for index, form in enumerate(entry.forms):
        for what, remedy in faults(unit.text, unit.plural, form, bool(unit.plural) and index in lone):
            raise BadFile(path, entry.line, f"{entry.key}: {what}", remedy)
    return True
