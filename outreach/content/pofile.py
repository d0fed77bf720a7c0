"""The lines of a .po file as entries: strict where gettext's own readers guess, because a guess would be sent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from outreach.errors import BadFile

_KEYWORD = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[(\d)\])?)\s*(".*)')
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"\s*')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
MOST_FORMS = 6
BY = "# by: "
"""Begins the comment that names who wrote an entry: the header names only whoever wrote in the file last."""


@dataclass
class Entry:
    """One entry; `line` is that of its first keyword. `forms` are its translations in order."""

    line: int = 0
    fuzzy: bool = False
    fields: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    was: dict[str, str] = field(default_factory=dict)
    """The English that a fuzzy translation is of (`#| msgid "..."`), by keyword."""
    by: str = ""
    """Who wrote these forms last: `name, date, fingerprint of the forms` (`# by: ...`); "" where nobody is named."""

    @property
    def key(self) -> str:
        return self.fields.get("msgctxt", "")

    @property
    def source(self) -> str:
        return self.fields.get("msgid", "")

    @property
    def plural(self) -> str:
        return self.fields.get("msgid_plural", "")

    @property
    def forms(self) -> tuple[str, ...]:
        numbered = [self.fields.get(f"msgstr[{n}]") for n in range(MOST_FORMS)]
        return tuple(form for form in numbered if form is not None) or (self.fields.get("msgstr", ""),)


def parse(path: Path, text: str) -> list[Entry]:
    """All living entries, header first. Obsolete ones (#~) are left out. Raises BadFile with the line."""
    entries: list[Entry] = []
    entry, current = Entry(), ""
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if line.startswith("#"):
            if entry.fields:
                entries, entry, current = [*entries, entry], Entry(), ""
            # What stands above an obsolete entry is said of that one, not of the next living one.
            entry.flags = set() if line.startswith("#~") else entry.flags | _flags(line)
            entry.fuzzy = "fuzzy" in entry.flags
            entry.by = "" if line.startswith("#~") else line[len(BY) :] if line.startswith(BY) else entry.by
            if line.startswith("#|"):
                _remember(path, number, entry, line[2:].strip())
        elif line.startswith('"') and current:
            entry.fields[current] += _string(path, number, line)
        elif line:
            name, value = _keyword(path, number, line)
            if entry.fields and (name == "msgctxt" or (name == "msgid" and current != "msgctxt")):
                entries, entry = [*entries, entry], Entry()
            _admit(path, number, entry, name)
            entry.line = entry.line or number
            entry.fields[name], current = value, name
    return [*entries, entry] if entry.fields else entries


def _remember(path: Path, number: int, entry: Entry, line: str) -> None:
    """A line of the English as it was. Nobody sends it, so that what cannot be read of it is passed over."""
    if line.startswith('"') and entry.was:
        last = next(reversed(entry.was))
        entry.was[last] += _string(path, number, line) if _STRING.fullmatch(line) else ""
    elif found := _KEYWORD.fullmatch(line):
        entry.was[found[1]] = _string(path, number, found[3])


def _flags(line: str) -> set[str]:
    """`#, fuzzy` in any case, and `#= fuzzy`, which gettext writes since 2025."""
    return set("".join(line[2:].lower().split()).split(",")) if line.startswith(("#,", "#=")) else set()


def _keyword(path: Path, number: int, line: str) -> tuple[str, str]:
    found = _KEYWORD.fullmatch(line)
    if not found:
        raise BadFile(path, number, f"this is no line of a catalog: {line[:40]!r}.", 'Write msgid "…" or msgstr "…".')
    return found[1], _string(path, number, found[3])


def _admit(path: Path, number: int, entry: Entry, name: str) -> None:
    if name in entry.fields:
        raise BadFile(path, number, f"{entry.key}: {name} stands twice in one entry.", "Delete one.")
    if name.startswith("msgstr") and "msgid" not in entry.fields:
        raise BadFile(path, number, f"{name} comes before its msgid.", "Put the msgid first.")
    several = "msgid_plural" in entry.fields
    if name.startswith("msgstr") and ("[" in name) != several:
        what = f"{entry.key}: {name} does not go with {'several forms' if several else 'one form'}."
        raise BadFile(path, number, what, "With msgid_plural write msgstr[0], msgstr[1] …; without it msgstr.")
    if name.startswith("msgstr[") and not 0 <= int(name[7]) < MOST_FORMS:
        raise BadFile(path, number, f"{entry.key}: {name} is beyond the {MOST_FORMS} plural forms.", "Delete it.")


def _string(path: Path, number: int, quoted: str) -> str:
    found = _STRING.fullmatch(quoted)
    if not found:
        raise BadFile(
            path, number, "the quotation marks do not match.", 'Begin and end the text with "; inside write \\".'
        )
    return _ESCAPE.sub(lambda escape: _unescaped(path, number, escape[1]), found[1])


def _unescaped(path: Path, number: int, char: str) -> str:
    if char not in _ESCAPES:
        raise BadFile(path, number, f"\\{char} means nothing in a catalog.", "Write the character itself.")
    return _ESCAPES[char]
