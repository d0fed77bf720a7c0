"""A whole catalog read, from its bytes to its last entry; every fault with file, line and key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from outreach.content.catalogs import Unit
from outreach.content.checker import files, header, language, units
from outreach.content.checker.findings import Fault, Finding
from outreach.content.checker.units import Standard
from outreach.content.pofile import Entry, parse
from outreach.errors import BadFile

_STOP_READING = ("file.conflict", "file.size")
_MANY = 3
_FEW = 0.1
"""Above this share of a catalog that is not ours, unfinished entries are told of together."""

Source = Mapping[tuple[str, str], Unit]
"""Units by msgctxt and English text."""


def source_of(wanted: Iterable[Unit]) -> Source:
    """Our own units, or those of a .pot, as catalogs are compared with."""
    return {(unit.key, unit.text): unit for unit in wanted}


def read_template(path: Path) -> Source:
    """The units of a .pot file. Raises BadFile."""
    entries = parse(path, files.decoded(path.read_bytes()))
    return source_of(Unit(one.key, one.source, one.plural) for one in entries if one.source)


def review(path: Path, raw: bytes, standard: Standard, source: Source | None) -> list[Finding]:
    """Everything wrong with a catalog. Without `source`, its own English texts are believed."""
    found: list[Finding] = []

    def tell(line: int, fault: Fault, key: str = "") -> None:
        found.append(Finding(str(path), line, standard.locale, key, fault))

    for line, fault in files.faults(raw):
        tell(line, fault)
        if fault.rule in _STOP_READING:
            return found
    text = files.decoded(raw)
    whole = files.ended(text)
    if not whole:
        tell(text.rstrip().count("\n") + 1, Fault("file.truncated", *files.BROKEN_OFF))
    try:
        entries = parse(path, text)
    except BadFile as error:
        if whole:
            tell(error.line, Fault("file.syntax", error.what, error.remedy))
        return found
    for line, fault in _header(entries, standard):
        tell(line, fault)
    body = [entry for entry in entries if entry.source or entry.key]
    for entry, fault in _entries(body, standard, source):
        tell(entry.line, fault, name_of(entry))
    for fault in language.catalog((form for entry in body for form in entry.forms), standard.locale, standard.tongues):
        tell(0, fault)
    return found if standard.ours else _together(found)


def _together(found: list[Finding]) -> list[Finding]:
    """Of entries that disagree with their header about plural forms, the first for all: the header is what is wrong."""
    gathered = []
    for rule in ("plural.extra", "plural.missing"):
        own = [one for one in found if one.fault.rule == rule]
        if len(own) > _MANY:
            what = f"in {len(own)} entries {own[0].fault.what}"
            found = [one for one in found if one.fault.rule != rule]
            remedy = "Does the header's nplurals fit? The first is in this line."
            gathered.append(replace(own[0], fault=Fault(rule, what, remedy)))
    return found + gathered


def name_of(entry: Entry) -> str:
    """An entry as a translator finds it: its key, or how its English begins."""
    return entry.key or (entry.source if len(entry.source) < 40 else entry.source[:39] + "…").replace("\n", " ")


def _header(entries: list[Entry], standard: Standard) -> Iterator[tuple[int, Fault]]:
    first = entries[0] if entries else None
    if first is None or first.source or first.key or not first.forms[0]:
        yield 1, Fault("header.missing", "the header (the entry with an empty msgid) is missing.", "Begin with it.")
        return
    if first.fuzzy:
        remedy = "Remove the mark once the header is right."
        yield first.line, Fault("header.fuzzy", "the header is marked fuzzy.", remedy)
    lines = first.forms[0].split("\n")
    for fault in header.faults(header.fields(first.forms[0]), standard.locale, standard.ours):
        yield first.line + 1 + _place(lines, fault), fault


def _place(lines: list[str], fault: Fault) -> int:
    """The line within a header that a fault speaks of, as catalogs are wrapped: one field, one line."""
    names = {"header.language": "language:", "header.charset": "content-type:", "header.plural": "plural-forms:"}
    wanted = names.get(fault.rule, "po-revision-date:")
    return next((at for at, line in enumerate(lines, 1) if line.lower().startswith(wanted)), 0)


def _entries(body: list[Entry], standard: Standard, source: Source | None) -> Iterator[tuple[Entry, Fault]]:
    seen: dict[tuple[str, str], Entry] = {}
    unfinished: list[tuple[Entry, Fault]] = []
    by_key = {unit.key: unit for unit in source.values()} if source else {}
    contexts = {text: key for key, text in source} if source else {}
    met: set[tuple[str, str]] = set()
    for entry in body:
        place = (entry.key, entry.source)
        if first := seen.get(place):
            what = f"the same entry stands in line {first.line} already."
            yield entry, Fault("entry.doubled", what, "Keep one of the two.")
            continue
        seen[place] = entry
        unit = source.get(place) if source is not None else Unit(entry.key, entry.source, entry.plural)
        if unit is None:
            met.add(_owner(entry, by_key, contexts))
            yield entry, _strange(entry, by_key, contexts)
            continue
        met.add(place)
        if unit.plural != entry.plural:
            remedy = "Run: outreach locales update." if standard.ours else "Update the catalog from its template."
            yield entry, Fault("entry.stale", "the English plural has changed since.", remedy)
        elif not any(entry.forms):
            remedy = "Translate it." if not entry.fuzzy else "Translate it, and remove the mark."
            unfinished.append((entry, Fault("entry.untranslated", "there is no translation.", remedy)))
        elif entry.fuzzy and entry.was:
            unfinished.append((entry, _outdated(entry)))
        elif entry.fuzzy:
            remedy = "Read it against the English, mend it, and remove the mark “fuzzy”."
            unfinished.append((entry, Fault("entry.fuzzy", "the translation is marked as a guess.", remedy)))
        else:
            for fault in units.faults(entry.source, entry.plural, entry.forms, standard, entry.key, _formatted(entry)):
                yield entry, fault
    yield from _told(unfinished, len(body), standard)
    for place in set(source or {}) - met:
        missing = Entry(0, fields={"msgctxt": place[0], "msgid": place[1]})
        yield (
            missing,
            Fault("entry.missing", "the entry is not in the catalog.", "Update the catalog from its template."),
        )


def _told(unfinished: list[tuple[Entry, Fault]], total: int, standard: Standard) -> Iterator[tuple[Entry, Fault]]:
    if standard.ours or len(unfinished) <= max(_FEW * total, 3):
        yield from unfinished
        return
    what = f"{len(unfinished)} of {total} entries have no translation or are marked as a guess."
    yield Entry(unfinished[0][0].line), Fault("entry.unfinished", what, "Finish them; the first is in this line.")


def _outdated(entry: Entry) -> Fault:
    """Words that an update of the catalog found to be of other English."""
    was = " / ".join(filter(None, (entry.was.get("msgid"), entry.was.get("msgid_plural"))))
    now = " / ".join(filter(None, (entry.source, entry.plural)))
    what = f"the English text has changed since this was translated: it was “{was}”."
    return Fault("entry.stale", what, f"It is now: “{now}”. Translate that, and remove the mark “fuzzy”.")


def _owner(entry: Entry, by_key: Mapping[str, Unit], contexts: Mapping[str, str]) -> tuple[str, str]:
    """The unit that a strange entry was meant for, so that it is not told of as missing too."""
    if entry.key and entry.key in by_key:
        return entry.key, by_key[entry.key].text
    return contexts.get(entry.source, ""), entry.source


def _strange(entry: Entry, by_key: Mapping[str, Unit], contexts: Mapping[str, str]) -> Fault:
    if entry.key and entry.key in by_key:
        what = "the English text has changed since this was translated."
        return Fault("entry.stale", what, f"It is now: “{by_key[entry.key].text}”. Translate that.")
    if entry.source in contexts:
        right = contexts[entry.source] or "no msgctxt at all"
        what = "no text has this key (msgctxt); it was edited, or is an old one."
        return Fault("entry.context", what, f"The English text belongs to: {right}.")
    return Fault("entry.orphan", "nothing uses this entry any more.", "Update the catalog, or delete the entry.")


def _formatted(entry: Entry) -> bool:
    return any(re.fullmatch(r"(?!no-)[a-z+-]+-format", flag) for flag in entry.flags)
