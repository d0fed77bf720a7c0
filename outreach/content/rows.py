"""The units of a language as rows for a spreadsheet or a translator's tool, and back: nothing stale, nothing wrong."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from outreach.content.candidate import numbers
from outreach.content.compose import SOURCE
from outreach.content.workbench import Line, Shelf
from outreach.errors import BadInput

MOST_BYTES = 5_000_000


class Row(NamedTuple):
    """One form of one unit. `name`: the key, with the number of its form in a plural ("pre.tomorrow.body.often[1]");
    `stands_for`: the first numbers of that form; `mark`: what these words were when the row was written."""

    locale: str
    name: str
    english: str
    translation: str
    mark: str
    state: str = ""
    note: str = ""
    stands_for: str = ""
    place: str = ""

    @property
    def key(self) -> str:
        return self.name.partition("[")[0]


@dataclass(frozen=True)
class Refusal:
    """A row that is not taken. `place`: where it stands in its file; `why`: what is wrong, and what would be right."""

    place: str
    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.place}: {self.name}: {self.why}"


@dataclass(frozen=True)
class Verdict:
    """What becomes of a file: the units to write, with all their forms, and the rows that are refused."""

    changes: dict[str, tuple[str, ...]]
    refused: tuple[Refusal, ...]
    unchanged: int


def rows(shelf: Shelf, notes: dict[str, str]) -> list[Row]:
    """Every form of every unit, as it stands. `notes`: what the templates tell translators, by key. Raises BadInput for
    a catalog that is not up to date, BadFile for one that cannot be read."""
    _demand_ready(shelf)
    return [row for line in shelf.lines.values() for row in _rows(shelf, line, notes.get(line.unit.key, ""))]


def judge(shelf: Shelf, given: Sequence[Row]) -> Verdict:
    """Which rows of a file are new words for the catalog as it stands now, and which are refused."""
    _demand_ready(shelf)
    now = {row.name: row for line in shelf.lines.values() for row in _rows(shelf, line)}
    twice = {name for name, count in Counter(row.name for row in given).items() if count > 1}
    refused: list[Refusal] = []
    taken: dict[str, list[Row]] = {}
    unchanged = 0
    for row in given:
        why = "the row stands twice in the file. Keep one." if row.name in twice else _stale(row, now.get(row.name))
        if why:
            refused.append(Refusal(row.place, row.name, why))
        elif row.translation == now[row.name].translation:
            unchanged += 1
        else:
            taken.setdefault(row.key, []).append(row)
    wrong = {one.name.partition("[")[0] for one in refused}
    changes = {}
    for key, own in taken.items():
        forms = _forms(shelf.lines[key], own)
        faults = [fault for fault in shelf.faults(shelf.lines[key], forms) if fault.blocking]
        said = " ".join(f"{fault.what} {fault.remedy}" for fault in faults)
        if not said and key in wrong:
            said = "another form of this unit is refused; they are taken together."
        if said:
            refused += [Refusal(row.place, row.name, said) for row in own]
        else:
            changes[key] = forms
    return Verdict(changes, tuple(refused), unchanged)


def _demand_ready(shelf: Shelf) -> None:
    if shelf.locale == SOURCE:
        raise BadInput("English is written in the templates; there is no catalog of it.")
    if shelf.problem:
        raise shelf.problem
    for key, line in shelf.lines.items():
        entry = shelf.entries.get(key)
        if entry is None or (entry.source, entry.plural) != (line.unit.text, line.unit.plural):
            remedy = f"Run first: outreach locales update {shelf.locale}"
            raise BadInput(f"{shelf.path}: the English of {key} is not that of the templates. {remedy}")


def _rows(shelf: Shelf, line: Line, note: str = "") -> Iterator[Row]:
    stands = numbers(shelf, len(line.forms))
    for index, form in enumerate(line.forms):
        unit = line.unit
        name = f"{unit.key}[{index}]" if unit.plural else unit.key
        english = unit.text if not unit.plural or stands[index] == (1,) else unit.plural
        counts = ", ".join(map(str, stands[index][:3])) + (" …" if len(stands[index]) > 3 else "")
        mark = _mark(shelf.locale, name, f"{unit.text}\0{unit.plural}", form)
        yield Row(shelf.locale, name, english, form, mark, line.state, note, counts)


def _mark(*said: str) -> str:
    # A letter in front: a spreadsheet would make a number of 1234567890123456, and of 12e4567890123456 too.
    return "m" + hashlib.sha256("\0".join(said).encode()).hexdigest()[:16]


def _stale(row: Row, now: Row | None) -> str:
    """Why a row is not of the catalog as it stands, or nothing."""
    if now is None:
        return "no unit has this key. Was it edited, or taken away since? Export again."
    if row.english != now.english:
        return f"the English is another one now: “{now.english}” (in the file: “{row.english}”). Export again."
    if row.mark != now.mark:
        if not row.mark:
            return "its mark is missing. Keep the column “mark” as it was exported."
        return f"somebody has changed the translation since the export; it is now: “{now.translation}”. Export again."
    if not row.translation.strip() and now.translation:
        return "the translation is empty. Words are not deleted by an import; leave the row out instead."
    return ""


def _forms(line: Line, own: list[Row]) -> tuple[str, ...]:
    """The forms of a unit with those of the rows in their places."""
    forms = list(line.forms)
    for row in own:
        forms[int(row.name.partition("[")[2].rstrip("]") or 0)] = row.translation
    return tuple(forms)
