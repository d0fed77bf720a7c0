"""Translations, read straight from .po files and believed only after each entry was checked against the source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from gettext import c2py
from pathlib import Path

from outreach.content import plurals
from outreach.content.checker import files, header
from outreach.content.checker import forms as plural_forms
from outreach.content.checker.files import MOST_BYTES
from outreach.content.checker.findings import Fault, Pair
from outreach.content.checks import faults
from outreach.content.pofile import Entry, parse
from outreach.errors import BadFile

__all__ = ["MOST_BYTES", "Catalog", "Unit", "identity", "load"]


@dataclass(frozen=True)
class Unit:
    """Words of the source: the key is the msgctxt; `plural` is empty where the number does not matter."""

    key: str
    text: str
    plural: str = ""
    place: str = ""


@dataclass(frozen=True)
class Catalog:
    """What one locale says. `forms` holds usable entries only: no fuzzy one, none whose English has changed since.
    `entries`: the keys of all that stand in the file."""

    locale: str
    forms: Mapping[str, tuple[str, ...]]
    choose: Callable[[int], int]
    entries: frozenset[str] = frozenset()

    def form(self, key: str, number: int = 0) -> str | None:
        """The translation of a unit for a number, or None where there is none to be used."""
        forms = self.forms.get(key)
        if forms is None or len(forms) == 1:
            return forms[0] if forms else None
        return forms[self.choose(number)]


def load(path: Path, locale: str, units: Mapping[str, Unit]) -> Catalog:
    """Read and check one catalog. Raises BadFile with the line, the key, what is wrong and what would be right."""
    text = _text(path)
    entries = parse(path, text)
    if not files.ended(text):
        raise BadFile(path, text.rstrip().count("\n") + 1, *files.BROKEN_OFF)
    said = _header(path, entries)
    for family in (
        header.language(said, locale), header.charset(said), header.plural(said.get("plural-forms", ""), locale)
    ):  # fmt: skip
        _refuse(path, 1, family)
    count, choose = plurals.rule(locale)[0], _chooser(locale)
    matched = plural_forms.numbers(choose, count)
    lone = {index: numbers[0] for index, numbers in matched.items() if len(numbers) == 1}
    forms: dict[str, tuple[str, ...]] = {}
    seen: dict[tuple[str, str], int] = {}
    for entry in entries[1:]:
        first = seen.setdefault((entry.key, entry.source), entry.line)
        if first != entry.line:
            what = f"{entry.key}: the same entry stands in line {first} already."
            raise BadFile(path, entry.line, what, "Keep one of the two.")
        if _usable(path, locale, entry, units.get(entry.key), count, lone):
            forms[entry.key] = entry.forms
    return Catalog(locale, forms, choose, frozenset(entry.key for entry in entries))


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
        _refuse(path, 0, [files.too_big(size)])
    for line, fault in files.faults(raw):
        _refuse(path, line, [fault])
    return files.decoded(raw)


def _refuse(path: Path, line: int, faults: Iterable[Fault], key: str = "") -> None:
    """Raise the first fault that blocks."""
    for fault in faults:
        if fault.blocking:
            raise BadFile(path, line, f"{key}: {fault.what}" if key else fault.what, fault.remedy)


def _header(path: Path, entries: list[Entry]) -> dict[str, str]:
    if not entries or entries[0].source or entries[0].key or not entries[0].forms[0]:
        raise BadFile(path, 1, "the header (the entry with an empty msgid) is missing.", "Begin with it.")
    if entries[0].fuzzy:
        raise BadFile(path, entries[0].line, "the header is marked fuzzy.", "Remove the mark once the header is right.")
    return header.fields(entries[0].forms[0])


def _usable(path: Path, locale: str, entry: Entry, unit: Unit | None, count: int, lone: Mapping[int, int]) -> bool:
    """Whether an entry may be sent; what is neither usable nor honestly unfinished is refused."""
    forms = entry.forms
    if unit is None or entry.fuzzy or not any(forms) or (entry.source, entry.plural) != (unit.text, unit.plural):
        return False
    _refuse(path, entry.line, plural_forms.complete(unit.plural, forms, count), entry.key)
    for index, form in enumerate(forms):
        number = lone.get(index) if unit.plural else None
        pair = Pair(unit.text, unit.plural, form, number is not None, number, entry.key, locale)
        _refuse(path, entry.line, faults(pair), entry.key)
    return True
