"""What translators work on, as it lies on disk: every unit of a language with its state, findings and back-translation.

Read anew when a file has changed, so that two people, or an editor beside the workbench, see each other's words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from outreach.content import back_translations
from outreach.content.approvals import text_of
from outreach.content.back_translations import Reading
from outreach.content.catalogs import Unit
from outreach.content.checker import files, units
from outreach.content.checker.findings import Fault
from outreach.content.checker.house import SOURCE, House, read
from outreach.content.checker.units import Standard
from outreach.content.coverage import written_by
from outreach.content.formats import Language
from outreach.content.grounds import Grounds, Stamp, stamp
from outreach.content.pofile import Entry, parse
from outreach.errors import BadFile, NotFound

State = Literal["missing", "fuzzy", "changed", "translated"]


@dataclass(frozen=True)
class Back:
    """What a unit says, put back into English: each of its forms. `stale`: the translation is another one since. `by`:
    whoever read it and had seen the English (`drafter`); "" where the reading was independent."""

    says: tuple[str, ...]
    stale: bool
    by: str = ""

    @property
    def counts(self) -> bool:
        """Whether it proves anything about the words as they stand."""
        return not self.stale and not self.by


@dataclass(frozen=True)
class Line:
    """One unit of one language. `forms`: one for each plural form, "" where nothing is written yet. `digest`: of the
    entry as it stands in the file; another one means that somebody has changed it. `by`: who wrote the forms as they
    stand, "" where the catalog names nobody."""

    unit: Unit
    text: str
    state: State
    forms: tuple[str, ...]
    digest: str
    faults: tuple[Fault, ...]
    back: Back | None
    by: str = ""

    @property
    def blocked(self) -> bool:
        return any(fault.blocking for fault in self.faults)

    @property
    def long(self) -> bool:
        return any(fault.rule == "length.segments" for fault in self.faults)

    @property
    def unread(self) -> bool:
        """Translated, and nobody who had not seen the English has put back into it what stands there."""
        return self.state == "translated" and (self.back is None or not self.back.counts)


@dataclass(frozen=True)
class Shelf:
    """One language as it lies on disk, or the `problem` for which its files cannot be read."""

    language: Language
    standard: Standard
    path: Path
    entries: Mapping[str, Entry]
    lines: Mapping[str, Line]
    problem: BadFile | None = None

    @property
    def locale(self) -> str:
        return self.language.locale

    def line(self, key: str) -> Line:
        """Raises NotFound."""
        if key not in self.lines:
            raise NotFound(f"no unit {key!r}")
        return self.lines[key]

    def faults(self, line: Line, forms: tuple[str, ...]) -> tuple[Fault, ...]:
        """What the checker says of forms that somebody is typing."""
        unit = line.unit
        return tuple(units.faults(unit.text, unit.plural, forms, self.standard, unit.key))

    # Counted once: a shelf is made anew when its files change.
    @cached_property
    def done(self) -> int:
        return sum(line.state == "translated" for line in self.lines.values())

    @cached_property
    def wrong(self) -> int:
        """How many units hold an error that keeps them from being sent."""
        return sum(line.blocked for line in self.lines.values())

    @cached_property
    def unread(self) -> int:
        """How many were never read back."""
        return sum(line.unread for line in self.lines.values())


@dataclass
class Workbench:
    """The folder `root` with config/, templates/ and locales/, read when needed and again when it has changed."""

    root: Path
    _house: tuple[Stamp, Grounds] | None = field(default=None, repr=False)
    _shelves: dict[str, tuple[Stamp, Shelf]] = field(default_factory=dict, repr=False)

    def grounds(self) -> Grounds:
        """Templates and tables. Raises BadFile."""
        seen = stamp(self._sources())
        if self._house is None or self._house[0] != seen:
            self._house = seen, Grounds(House(self.root))
            self._shelves.clear()
        return self._house[1]

    def shelf(self, locale: str) -> Shelf:
        """One language. Raises NotFound."""
        return self._read(self.grounds(), locale)

    def shelves(self) -> list[Shelf]:
        """Every language; the templates are looked at once for all of them."""
        grounds = self.grounds()
        return [self._read(grounds, locale) for locale in grounds.house.languages]

    def _read(self, grounds: Grounds, locale: str) -> Shelf:
        if locale not in grounds.house.languages:
            raise NotFound(f"no language {locale!r}")
        folder = self.root / "locales" / locale
        seen = stamp([grounds.house.catalog(locale), folder / "back.yaml", folder / "glossary.yaml"])
        kept = self._shelves.get(locale)
        if kept is None or kept[0] != seen:
            kept = self._shelves[locale] = seen, _shelf(grounds, locale)
        return kept[1]

    def _sources(self) -> Iterator[Path]:
        for kind in ("messages", "layouts"):
            yield from sorted((self.root / "templates" / kind).glob("**/*.*"))
        yield from sorted((self.root / "config").glob("*.yaml"))


def _shelf(grounds: Grounds, locale: str) -> Shelf:
    house = grounds.house
    standard = house.standard(locale, grounds.samples["longest"])
    path, language = house.catalog(locale), house.languages[locale]
    entries, problem = {}, None
    if locale != SOURCE:
        try:
            entries = _entries(path)
        except BadFile as error:
            problem = error
    backs: Mapping[str, Reading] = {}
    try:
        backs = back_translations.load(house.root / "locales" / locale / "back.yaml")
    except BadFile as error:
        problem = problem or error
    shelf = Shelf(language, standard, path, entries, {}, problem)
    lines = {unit.key: _line(grounds, shelf, unit, backs) for unit in house.units.values()}
    return Shelf(language, standard, path, entries, lines, problem)


def _entries(path: Path) -> dict[str, Entry]:
    raw = read(path)
    for line, fault in files.faults(raw):
        if fault.blocking:
            raise BadFile(path, line, fault.what, fault.remedy)
    return {entry.key: entry for entry in parse(path, files.decoded(raw)) if entry.key}


def _line(grounds: Grounds, shelf: Shelf, unit: Unit, backs: Mapping[str, Reading]) -> Line:
    text = text_of(grounds.places[unit.key][0])
    if shelf.locale == SOURCE:
        said = (unit.text, unit.plural) if unit.plural else (unit.text,)
        return Line(unit, text, "translated", said, "", (), None)
    entry = shelf.entries.get(unit.key)
    forms = _forms(unit, entry, shelf.standard.forms)
    state = state_of(unit, entry)
    line = Line(unit, text, state, forms, digest(entry), (), None)
    faults = shelf.faults(line, forms) if state == "translated" else ()
    read = backs.get(unit.key)
    there = back_translations.fingerprint(entry.forms if entry else ())
    back = Back(read.says, read.of != there, read.by) if read and read.says else None
    return Line(unit, text, state, forms, line.digest, faults, back, written_by(entry) if entry else "")


def state_of(unit: Unit, entry: Entry | None) -> State:
    """`changed`: the English is another one since."""
    if entry is None or not any(entry.forms):
        return "missing"
    if (entry.source, entry.plural) != (unit.text, unit.plural) or (entry.fuzzy and entry.was):
        return "changed"
    return "fuzzy" if entry.fuzzy else "translated"


def _forms(unit: Unit, entry: Entry | None, count: int) -> tuple[str, ...]:
    wanted = count if unit.plural else 1
    said = entry.forms if entry else ()
    return tuple(said[index] if index < len(said) else "" for index in range(wanted))


def digest(entry: Entry | None) -> str:
    """Of an entry as it stands in the file."""
    said = [entry.source, entry.plural, "fuzzy" if entry.fuzzy else "", *entry.forms] if entry else []
    return hashlib.sha256("\0".join(said).encode()).hexdigest()[:24]
