"""What translators work on, as it lies on disk: every unit of a language with its state, findings and back-translation.

Read anew when a file has changed, so that two people, or an editor beside the workbench, see each other's words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from outreach.content import facts, measure
from outreach.content.approvals import text_of
from outreach.content.catalogs import Unit
from outreach.content.checker import files, units
from outreach.content.checker.findings import Fault
from outreach.content.checker.house import SOURCE, House, read
from outreach.content.checker.units import Standard
from outreach.content.formats import Language
from outreach.content.pofile import Entry, parse
from outreach.content.values import Values
from outreach.errors import BadFile, NotFound

State = Literal["missing", "fuzzy", "changed", "translated"]
SAMPLES = ("short", "typical", "longest")
_FILES = {"short": "shortest.yaml", "typical": "typical.yaml", "longest": "longest.yaml"}
Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Back:
    """What a unit says, put back into English. `stale`: the translation is another one since."""

    says: str
    stale: bool


@dataclass(frozen=True)
class Line:
    """One unit of one language. `forms`: one for each plural form, "" where nothing is written yet. `digest`: of the
    entry as it stands in the file; another one means that somebody has changed it."""

    unit: Unit
    text: str
    state: State
    forms: tuple[str, ...]
    digest: str
    faults: tuple[Fault, ...]
    back: Back | None

    @property
    def blocked(self) -> bool:
        return any(fault.blocking for fault in self.faults)

    @property
    def long(self) -> bool:
        return any(fault.rule == "length.segments" for fault in self.faults)

    @property
    def unread(self) -> bool:
        """Translated, and nobody has put back into English what stands there."""
        return self.state == "translated" and (self.back is None or self.back.stale)


@dataclass(frozen=True)
class Shelf:
    """One language as it lies on disk, or the `problem` for which its catalog cannot be read."""

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

    @property
    def done(self) -> int:
        return sum(line.state == "translated" for line in self.lines.values())


@dataclass
class Workbench:
    """The folder `root` with config/, templates/ and locales/, read when needed and again when it has changed."""

    root: Path
    _house: tuple[Stamp, Grounds] | None = field(default=None, repr=False)
    _shelves: dict[str, tuple[Stamp, Shelf]] = field(default_factory=dict, repr=False)

    def grounds(self) -> Grounds:
        """Templates and tables. Raises BadFile."""
        stamp = _stamp(self._sources())
        if self._house is None or self._house[0] != stamp:
            self._house = stamp, Grounds(House(self.root))
            self._shelves.clear()
        return self._house[1]

    def shelf(self, locale: str) -> Shelf:
        """One language. Raises NotFound."""
        grounds = self.grounds()
        if locale not in grounds.house.languages:
            raise NotFound(f"no language {locale!r}")
        folder = self.root / "locales" / locale
        stamp = _stamp([grounds.house.catalog(locale), folder / "back.yaml", folder / "glossary.yaml"])
        kept = self._shelves.get(locale)
        if kept is None or kept[0] != stamp:
            kept = self._shelves[locale] = stamp, _shelf(grounds, locale)
        return kept[1]

    def _sources(self) -> Iterator[Path]:
        for kind in ("messages", "layouts"):
            yield from sorted((self.root / "templates" / kind).glob("**/*.*"))
        yield from sorted((self.root / "config").glob("*.yaml"))


@dataclass(frozen=True)
class Grounds:
    """What all languages share. `places`: the templates that a unit stands in; `comments`: what its writer tells
    translators; `rests`: the facts that it may rest on; `fits`: kept by candidate.fitting."""

    house: House
    fits: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)

    @cached_property
    def samples(self) -> dict[str, Values]:
        """Sample readers by name, in the order of SAMPLES."""
        return {name: measure.longest(self.house.root / "config" / _FILES[name]) for name in SAMPLES}

    @cached_property
    def places(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for name, part in self.house.parts.items():
            for unit in part.units:
                found[unit.key] = (*found.get(unit.key, ()), name)
        return found

    @cached_property
    def facts(self) -> dict[str, facts.Fact]:
        return facts.load_facts(self.house.root / "config" / "facts.yaml")

    @cached_property
    def rests(self) -> dict[str, tuple[str, ...]]:
        """By unit, of the facts its template names those that its own words speak of."""
        claims = facts.load_claims(self.house.root / "config" / "claims.yaml", self.facts)
        return {
            unit.key: facts.stated(unit, named, claims)
            for part in self.house.parts.values()
            for unit, named in facts.resting(part)
        }

    @cached_property
    def comments(self) -> dict[str, str]:
        """What stands above a unit in messages.pot, which is made from the templates."""
        path = self.house.root / "locales" / "messages.pot"
        if not path.is_file():
            return {}
        found, said = {}, list[str]()
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("#."):
                said.append(line[2:].strip())
            elif line.startswith("msgctxt ") and said:
                found[line.split('"')[1]] = " ".join(said)
            elif not line:
                said = []
        return found


def _stamp(paths: Iterator[Path] | list[Path]) -> Stamp:
    found = []
    for path in paths:
        try:
            seen = path.stat()
            found.append((str(path), seen.st_mtime_ns, seen.st_size))
        except OSError:
            found.append((str(path), 0, 0))
    return tuple(found)


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
    shelf = Shelf(language, standard, path, entries, {}, problem)
    backs = back_translations(house.root / "locales" / locale / "back.yaml")
    lines = {unit.key: _line(grounds, shelf, unit, backs) for unit in house.units.values()}
    return Shelf(language, standard, path, entries, lines, problem)


def _entries(path: Path) -> dict[str, Entry]:
    raw = read(path)
    for line, fault in files.faults(raw):
        if fault.blocking:
            raise BadFile(path, line, fault.what, fault.remedy)
    return {entry.key: entry for entry in parse(path, files.decoded(raw)) if entry.key}


def _line(grounds: Grounds, shelf: Shelf, unit: Unit, backs: Mapping[str, tuple[str, str]]) -> Line:
    text = text_of(grounds.places[unit.key][0])
    if shelf.locale == SOURCE:
        said = (unit.text, unit.plural) if unit.plural else (unit.text,)
        return Line(unit, text, "translated", said, "", (), None)
    entry = shelf.entries.get(unit.key)
    forms = _forms(unit, entry, shelf.standard.forms)
    state = state_of(unit, entry)
    line = Line(unit, text, state, forms, digest(entry), (), None)
    faults = shelf.faults(line, forms) if state == "translated" else ()
    of, says = backs.get(unit.key, ("", ""))
    back = Back(says, of != fingerprint(entry.forms if entry else ())) if says else None
    return Line(unit, text, state, forms, line.digest, faults, back)


def state_of(unit: Unit, entry: Entry | None) -> State:
    """`changed`: the English is another one since."""
    if entry is None or not any(entry.forms):
        return "missing"
    if (entry.source, entry.plural) != (unit.text, unit.plural):
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


def fingerprint(forms: tuple[str, ...]) -> str:
    """What back.yaml names a translation by."""
    return hashlib.sha256("\0".join(forms).encode()).hexdigest()[:12]


def back_translations(path: Path) -> dict[str, tuple[str, str]]:
    """By unit: the fingerprint of what was put back into English, and what it says. Raises BadFile."""
    if not path.is_file():
        return {}
    try:
        tree = YAML(typ="safe").load(path.read_text("utf-8"))
        return {str(key): (str(row["of"]), str(row["says"])) for key, row in tree["units"].items()}
    except (OSError, YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        what = f"the back-translations cannot be read ({error})."
        raise BadFile(path, 0, what, "Give units: each with of and says.") from error
