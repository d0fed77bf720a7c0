"""The pages of one patient list, made of what is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from outreach.actions import take_back
from outreach.actions.columns import FIXABLE, NAMES, REQUIRED, SEPARATE, Reading, labels
from outreach.actions.csv_table import LATIN, UTF8, UTF16, WINDOWS
from outreach.actions.foresee import Fate, Findings, lines_with, unpack
from outreach.actions.listing import cleaned, lines_of
from outreach.actions.roster import RowError
from outreach.actions.sheet import Sheet
from outreach.actions.tongues import reader
from outreach.errors import BadInput, Sentence, say
from outreach.store import changes, patients, uploads
from outreach.store.uploads import List
from outreach.web.console.desk import Desk
from outreach.web.forms import Wired
from outreach.web.views import language

PAGE = 50
SAMPLES = 3
MOST_SHOWN = 50
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("patient", ("name", "last_name", "external_id")),
    ("reach", ("phone", "email")),
    ("reads", ("language", "zone", "wording")),
    ("visit", ("infusion_start", "infusion_time", "minutes", "visit_id")),
    ("agreed", ("consent_sms", "consent_email", "consent_date", "consent_form", "consent_warned")),
)
NEEDED = ("name", "last_name", "external_id", "phone", "email", "language", "infusion_start", "infusion_time",
          "minutes")  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """A cell as it stands in the file, with what is wrong with it. `on`: the day and time it is read as, on the wall;
    `locale`: the language."""

    field: str
    value: str
    errors: list[RowError]
    on: datetime | None = None
    locale: str = ""


@dataclass(frozen=True)
class Shown:
    """A row of the dry run: its cells by group, and what is wrong with it as a whole."""

    line: int
    fate: str
    groups: dict[str, list[Cell]]
    errors: list[RowError]


@dataclass(frozen=True)
class Touched:
    """A patient that the list changed."""

    line: int
    patient_id: UUID
    name: str
    kinds: list[str]
    against: Sentence | None = None


def needed(name: str) -> Sentence:
    """What is missing when a field has no column."""
    if name == "phone":
        return say("Choose the column of the phone number, of the e-mail address, or both.")
    if name in FIXABLE:
        return say("Choose a column, or say what holds for every row.")
    return say("Choose the column that holds this.")


def columns(
    desk: Desk, out: Wired, one: List, sheet: Sheet, values: Mapping[str, str], wrong: Mapping[str, Sentence]
) -> HTMLResponse:
    """The choice of their columns for each of our fields."""
    options = [(str(at), _with_sample(sheet, at)) for at in range(len(sheet.headers))]
    rest = [name for name in NAMES if name not in NEEDED]
    return desk.page(
        "import_columns.html", 422 if wrong else 200, one=one, sheet=sheet, names=labels(), first=NEEDED,
        rest=rest, used_rest=any(f"column.{name}" in values for name in rest), options=options,
        values=values, wrong=wrong,
        required=REQUIRED, fixable=FIXABLE, samples=sheet.rows[:SAMPLES], read_as=_read_as(sheet),
        doubtful=sheet.encoding in (WINDOWS, LATIN),
        languages=[(locale, language(locale, desk.signed.locale)) for locale in out.spoken(desk.clinic).offered],
    )  # fmt: skip


def dry_run(desk: Desk, session: Session, out: Wired, one: List, show: str, page: int) -> HTMLResponse:
    """Every row's fate, a page at a time, its errors at its cells."""
    kept = uploads.content(session, one)
    assert kept is not None  # a list that is checked is kept
    sheet, findings, reading = Sheet.of(kept), Findings.of(uploads.faults(session, one)), Reading.of(one.mapping)
    counts = findings.counts
    chosen = Fate.__members__.get(show.upper())
    if chosen is None and show != "all":
        chosen = Fate.WRONG if counts["wrong"] else None
    places = [at for at, fate in enumerate(findings.fates) if chosen is None or fate == chosen.value]
    pages = max(1, -(-len(places) // PAGE))
    number = min(max(page, 1), pages)
    errors = lines_with(findings.errors)
    here = places[(number - 1) * PAGE :][:PAGE]
    lines = lines_of(replace(sheet, rows=[sheet.rows[at] for at in here]), reading)
    tongue = reader(out.spoken(desk.clinic))
    rows = [
        _understood(_shown(sheet, reading, at, findings.fates[at], errors), line.cells, tongue)
        for at, line in zip(here, lines, strict=True)
    ]
    return desk.page(
        "import_check.html", one=one, rows=rows, counts=counts, show=chosen.name.lower() if chosen else "all",
        number=number, pages=pages, names=labels(), groups=[name for name, fields in GROUPS
                                                            if any(field in reading.columns for field in fields)],
        good=one.total - counts["wrong"], read_as=_read_as(sheet), doubtful=sheet.encoding in (WINDOWS, LATIN),
        sheet=sheet, faults=len(findings.errors), misread=_misread(sheet, reading, findings),
    )  # fmt: skip


def _misread(sheet: Sheet, reading: Reading, findings: Findings) -> list[tuple[str, Sentence]]:
    """(their name of a column, our word for it) of each that is wrong in every row: it may mean something else."""
    lines: dict[str, set[int]] = {}
    for error in findings.errors:
        lines.setdefault(error.column, set()).add(error.line)
    names = labels()
    every = [name for name, found in lines.items() if name in reading.columns and len(found) == len(sheet.rows) > 1]
    return [(sheet.headers[reading.columns[name]] or f"({reading.columns[name] + 1})", names[name]) for name in every]


def result(desk: Desk, session: Session, one: List, page: int) -> HTMLResponse:
    """What the list did, each patient linked."""
    total = changes.how_many(session, one)
    pages = max(1, -(-total // PAGE))
    number = min(max(page, 1), pages)
    touched = changes.touched(session, one, PAGE, (number - 1) * PAGE)
    unread = one.result.get("unread")
    return desk.page(
        "import_result.html", one=one, unread=told(unread[0], *map(unpack, unread[1:])) if unread else "",
        people=_people(session, one, touched), total=total, number=number, pages=pages,
        faults=len(Findings.of(uploads.faults(session, one)).errors), undoable=take_back.may_be_undone(one) and total,
    )  # fmt: skip


def undo(desk: Desk, session: Session, one: List) -> HTMLResponse:
    """How many can be taken back, and who cannot."""
    touched = changes.touched(session, one)
    against: dict[UUID, Sentence] = {}
    for start in range(0, len(touched), 500):
        batch = [patient_id for _, patient_id in touched[start : start + 500]]
        against |= take_back.reasons_against(session, one, batch)
    stay = [(line, patient_id) for line, patient_id in touched if patient_id in against]
    return desk.page(
        "import_undo.html", one=one, can=len(touched) - len(stay), cannot=len(stay),
        people=_people(session, one, stay[:MOST_SHOWN], against), most=MOST_SHOWN,
    )  # fmt: skip


def told(line: int, what: str, remedy: str) -> Sentence:
    """Why a file cannot be used, and what to do."""
    if line:
        return say("Line %(line)s: %(what)s %(remedy)s", line=line, what=what, remedy=remedy)
    return say("%(what)s %(remedy)s", what=what, remedy=remedy)


def column_names(session: Session, one: List, desk: Desk) -> dict[str, str]:
    """What the file calls its columns, by field; our own word once the file is forgotten."""
    kept = uploads.content(session, one)
    names = {name: desk.say(label) for name, label in labels().items()}
    if kept is not None:
        headers = Sheet.of(kept).headers
        names |= {name: headers[at] for name, at in Reading.of(one.mapping).columns.items() if at < len(headers)}
    return names


def _people(
    session: Session, one: List, touched: list[tuple[int, UUID]], against: Mapping[UUID, Sentence] | None = None
) -> list[Touched]:
    ids = [patient_id for _, patient_id in touched]
    people = patients.named(session, one.clinic_id, ids)
    done = changes.of_patients(session, one, ids)
    return [
        Touched(line, patient_id, people[patient_id].name, sorted({change.kind for change in done[patient_id]}),
                (against or {}).get(patient_id))
        for line, patient_id in touched if patient_id in people
    ]  # fmt: skip


def _shown(sheet: Sheet, reading: Reading, at: int, fate: str, errors: Mapping[int, list[RowError]]) -> Shown:
    line, cells = sheet.rows[at]
    mine = errors.get(line, [])
    groups = {}
    for group, fields in GROUPS:
        found = []
        for name in fields:
            place = reading.columns.get(name)
            value = cleaned(cells[place]) if place is not None and place < len(cells) else ""
            wrong = [error for error in mine if error.column == name]
            value = (value or reading.fixed.get(name, ""))[:200]
            if value or wrong:
                found.append(Cell(name, value, wrong))
        groups[group] = _joined(found)
    shown = {name for _, fields in GROUPS for name in fields}
    return Shown(line, Fate(fate).name.lower(), groups, [error for error in mine if error.column not in shown])


def _understood(row: Shown, cells: Mapping[str, str], tongue: Callable[[str], str]) -> Shown:
    """With what days, times and languages are read as, where nothing is wrong with them."""

    def read(cell: Cell) -> Cell:
        text = cells.get(cell.field, "")
        if cell.errors or not text:
            return cell
        with suppress(ValueError, BadInput):  # a row that is wrong elsewhere may hold anything here
            if cell.field in ("infusion_start", "consent_date"):
                return replace(cell, on=datetime.fromisoformat(text))
            if cell.field == "language":
                return replace(cell, locale=tongue(text))
        return cell

    return replace(row, groups={name: [read(cell) for cell in found] for name, found in row.groups.items()})


def _joined(cells: list[Cell]) -> list[Cell]:
    """First and family name, date and time, on one line where nothing is wrong with them."""
    joined: list[Cell] = []
    for cell in cells:
        if cell.field in SEPARATE and joined and not cell.errors and not joined[-1].errors:
            joined[-1] = replace(joined[-1], value=f"{joined[-1].value} {cell.value}")
        else:
            joined.append(cell)
    return joined


def _with_sample(sheet: Sheet, at: int) -> str:
    sample = next((cells[at].strip() for _, cells in sheet.rows[:20] if at < len(cells) and cells[at].strip()), "")
    header = sheet.headers[at] or f"({at + 1})"
    return f"{header[:50]} · {sample[:28]}" if sample else header[:50]


def _read_as(sheet: Sheet) -> Sentence:
    if not sheet.encoding:
        return say('Excel workbook, sheet "%(sheet)s"', sheet=sheet.part)
    separators = {",": say("comma"), ";": say("semicolon"), "\t": say("tab"), "|": say("vertical bar")}
    kinds = {UTF8: "UTF-8", UTF16: "UTF-16", WINDOWS: "Windows-1252", LATIN: "Latin-1"}
    return say("Text (CSV) in %(encoding)s, separated by %(separator)s", encoding=kinds[sheet.encoding],
               separator=separators[sheet.separator])  # fmt: skip
