"""Our own catalogs, and others, put before the checker: what each is held against, gathered once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from outreach.content import catalogs, facts, plurals, shorteners, sources
from outreach.content.checker import files, glossary, header, length, replies
from outreach.content.checker import units as families
from outreach.content.checker.findings import Fault, Finding
from outreach.content.checker.language import Tongues
from outreach.content.checker.length import Room
from outreach.content.checker.review import Source, read_template, review, source_of
from outreach.content.checker.units import Standard
from outreach.content.formats import Language, load_languages
from outreach.content.values import Teller, Values
from outreach.content.voice import Voice
from outreach.errors import BadFile

SOURCE = "en"


@dataclass(frozen=True)
class House:
    """A folder with config/, templates/ and locales/. Each part is read when it is first needed."""

    root: Path

    @cached_property
    def languages(self) -> dict[str, Language]:
        return load_languages(self.root / "config" / "languages.yaml")

    @cached_property
    def parts(self) -> dict[str, sources.Part]:
        return sources.read(self.root / "templates")

    @cached_property
    def units(self) -> dict[str, catalogs.Unit]:
        return sources.units(self.parts, self.root / "templates")

    @cached_property
    def source(self) -> Source:
        return source_of(self.units.values())

    @cached_property
    def tongues(self) -> Tongues:
        return Tongues.load(self.root / "config" / "tongues.yaml")

    @cached_property
    def meanings(self) -> Mapping[str, str]:
        return replies.meaning(self.root / "config" / "replies.yaml")

    def room(self, locale: str, values: Values) -> Room:
        """How long an SMS of a locale may get, with these values as it shows them."""
        language = self.languages[locale]
        voice = Voice(language, catalogs.identity(locale, self.units), self.parts, self.units)
        shown = {name: str(value) for name, value in Teller(voice).context(values, "sms").items()}
        budget = length.SOURCE_BUDGET if locale == SOURCE else length.BUDGET
        return Room(shown, budget, language)

    def standard(self, locale: str, values: Values | None = None) -> Standard:
        """What our own words in a locale are held against."""
        terms = glossary.load(self.root / "locales" / locale / "glossary.yaml")
        room = self.room(locale, values) if values else None
        count, choose = plurals.rule(locale)[0], catalogs.identity(locale, {}).choose
        short = self.root / "config" / "shorteners.yaml"
        names = shorteners.load(short) if short.is_file() else None
        return Standard(locale, count, choose, self.tongues, self.meanings, terms, room, shorteners=names)

    def catalog(self, locale: str) -> Path:
        return self.root / "locales" / locale / "LC_MESSAGES" / "messages.po"


def check_locale(house: House, locale: str, values: Values) -> list[Finding]:
    """Everything wrong with one of our locales; of the source language, with the English of the templates."""
    standard = house.standard(locale, values)
    if locale == SOURCE:
        return _source(house, standard)
    path = house.catalog(locale)
    if not path.is_file():
        fault = Fault("file.missing", "there is no catalog.", f"Run: outreach locales update {locale}.")
        return [Finding(str(path), 0, locale, "", fault)]
    return review(path, read(path), standard, house.source)


def _source(house: House, standard: Standard) -> list[Finding]:
    known = facts.load_facts(house.root / "config" / "facts.yaml")
    claims = facts.load_claims(house.root / "config" / "claims.yaml", known)
    found = facts.check(house.parts, known, claims, house.root / "templates")
    for unit in house.units.values():
        name, _, line = unit.place.rpartition(":")
        said = (unit.text, unit.plural) if unit.plural else (unit.text,)
        for fault in families.faults(unit.text, unit.plural, said, standard, unit.key):
            path = house.root / "templates" / name
            found.append(Finding(str(path), int(line or 0), SOURCE, unit.key, fault))
    return found


def check_file(house: House, path: Path, template: Path | None, locale: str = "") -> list[Finding]:
    """Everything wrong with a catalog of somebody else. `template`: its .pot. Its language is the one named, else that
    of its folder or name (es/LC_MESSAGES/x.po, es.po), else what its header says."""
    raw = read(path)
    said = _header_of(raw)
    locale = locale or _named(path) or said.get("language", "").replace("-", "_")
    rule = header.chooser(said.get("plural-forms", "")) or header.chooser(
        plurals.HEADERS.get(locale, "nplurals=1; plural=0")
    )
    count, choose = rule or (1, int)
    standard = Standard(locale, count, choose, house.tongues, house.meanings, ours=False)
    return review(path, raw, standard, read_template(template) if template else None)


def read(path: Path) -> bytes:
    """The bytes of a catalog, of one that is too big only the first. Raises BadFile."""
    try:
        with path.open("rb") as file:
            return file.read(files.MOST_BYTES + 1)
    except OSError as error:
        raise BadFile(path, 0, f"the catalog cannot be read ({error.strerror}).", "Check the file.") from error


def _header_of(raw: bytes) -> dict[str, str]:
    """The header as far as it can be guessed before the file is judged."""
    first = re.search(r'^msgid ""\s*\nmsgstr ((?:"[^\n]*"\s*\n?)+)', files.decoded(raw[:20_000]), re.MULTILINE)
    said = "".join(line.strip()[1:-1] for line in first[1].split("\n")) if first else ""
    return header.fields(said.replace("\\n", "\n"))


def _named(path: Path) -> str:
    for name in (path.stem, path.parent.parent.name, path.parent.name):
        first = name.replace("-", "_").replace("@", "_").split("_")
        if (
            2 <= len(first[0]) <= 3
            and first[0].isalpha()
            and first[0].islower()
            and name.lower() not in ("po", "lc", "src", "web")
        ):
            return name.replace("-", "_")
    return ""
