"""How far each language is: units translated, fuzzy, changed or missing, and which messages could be sent with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from outreach.content.back_translations import fingerprint
from outreach.content.catalogs import Unit
from outreach.content.compose import SOURCE, Words
from outreach.content.pofile import Entry, parse

EVERYWHERE = ("layouts/", "messages/neutral/", "messages/page/")
"""Words that go with every message: around an e-mail, instead of clinical ones, on the patient's page."""


@dataclass(frozen=True)
class Coverage:
    """One language. `fuzzy`: guessed or doubted; `changed`: the English is another one since; `missing`: nothing there.

    `drafted`: who made it, as the catalog says; `revised`: when it was changed last, as it says. `edits`: by name, how
    many units stand as this person wrote them. `short`: by message, how many of its units cannot be used; a message
    that is not named there can be sent.
    """

    locale: str
    total: int
    fuzzy: int
    changed: int
    missing: int
    drafted: str
    revised: str
    short: dict[str, int]
    edits: Mapping[str, int] = field(default_factory=dict)

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
        header.get("x-drafted-by") or header.get("last-translator", ""), header.get("po-revision-date", ""),
        _short(words, missing), Counter(hand for one in entries.values() if (hand := written_by(one))),
    )  # fmt: skip


def written_by(entry: Entry) -> str:
    """Who wrote the forms as they stand; "" where nobody is named, or they are others since."""
    name, _, of = _hand(entry)
    return name if of == fingerprint(entry.forms) else ""


def translators(root: Path, locale: str, keys: Iterable[str]) -> frozenset[str]:
    """Everybody who wrote in these units as far as the catalog tells: whom they name, and who wrote in the file last
    (an editor of PO files names nobody else)."""
    path = root / "locales" / locale / "LC_MESSAGES" / "messages.po"
    entries = _entries(path, path.stat().st_mtime_ns) if locale != SOURCE and path.is_file() else {}
    named = {_hand(entries[key])[0] for key in keys if key in entries}
    return frozenset(named | {dict(_header(entries.get(""))).get("last-translator", "")}) - {""}


def _hand(entry: Entry) -> tuple[str, str, str]:
    """(name, date, fingerprint): a name may hold commas."""
    name, date, of = ("", "", *entry.by.rsplit(", ", 2))[-3:]
    return name, date, of


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
