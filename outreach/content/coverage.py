"""How far each language is: units translated, fuzzy, changed or missing, and which messages could be sent with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from outreach.content.catalogs import Unit
from outreach.content.compose import SOURCE, Words
from outreach.content.pofile import Entry, parse

EVERYWHERE = ("layouts/", "messages/neutral/", "messages/page/")
"""Words that go with every message: around an e-mail, instead of clinical ones, on the patient's page."""


@dataclass(frozen=True)
class Coverage:
    """One language. `fuzzy`: guessed or doubted; `changed`: the English is another one since; `missing`: nothing there.

    `drafted`: who made it, as the catalog says; `revised`: when, as it says. `short`: by message, how many of its
    units cannot be used; a message that is not named there can be sent.
    """

    locale: str
    total: int
    fuzzy: int
    changed: int
    missing: int
    drafted: str
    revised: str
    short: dict[str, int]

    @property
    def translated(self) -> int:
        return self.total - self.fuzzy - self.changed - self.missing

    @property
    def complete(self) -> bool:
        return self.translated == self.total


def coverage(words: Words, locale: str, root: Path) -> Coverage:
    """How far this language is; the source language is always complete."""
    missing = frozenset(words.missing(locale))
    path = root / "locales" / locale / "LC_MESSAGES" / "messages.po"
    entries = _entries(path, path.stat().st_mtime_ns) if locale != SOURCE and path.is_file() else {}
    states = [_state(words.units[key], entries.get(key)) for key in missing]
    header = dict(_header(entries.get("")))
    return Coverage(
        locale, len(words.units), states.count("fuzzy"), states.count("changed"), states.count("missing"),
        header.get("last-translator", ""), header.get("po-revision-date", ""), _short(words, missing),
    )  # fmt: skip


def _state(unit: Unit, entry: Entry | None) -> str:
    if entry is None or not any(entry.forms):
        return "missing"
    changed = (entry.source, entry.plural) != (unit.text, unit.plural) or bool(entry.fuzzy and entry.was)
    return "changed" if changed else "fuzzy"


def _short(words: Words, missing: frozenset[str]) -> dict[str, int]:
    common = {unit.key for name, part in words.parts.items() if name.startswith(EVERYWHERE) for unit in part.units}
    found = {}
    for key in words.keys:
        own = {unit.key for name, part in words.parts.items() if name.startswith(f"messages/{key}/")
               for unit in part.units}  # fmt: skip
        if lacking := missing & (own | common):
            found[key] = len(lacking)
    return found


@lru_cache(maxsize=64)
def _entries(path: Path, _changed: int) -> dict[str, Entry]:
    """The entries of a catalog that loaded without a fault, by key; read again when the file has changed."""
    return {entry.key: entry for entry in parse(path, path.read_text("utf-8").replace("\r\n", "\n"))}


def _header(entry: Entry | None) -> Iterator[tuple[str, str]]:
    for line in entry.forms[0].split("\n") if entry is not None else ():
        name, colon, value = line.partition(":")
        if colon:
            yield name.strip().lower(), value.strip()
