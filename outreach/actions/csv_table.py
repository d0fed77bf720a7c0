"""A CSV file as people export it: encoding, separator and header understood or refused; no meaning yet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from outreach.errors import BadFile

LARGEST = 10 * 1024 * 1024
MOST_ROWS = 100_000
SEPARATORS = (",", ";")

REQUIRED = ("external_id", "name", "language", "infusion_start", "minutes")
COLUMNS = {
    "external_id": ("id", "patient_id", "patient", "record", "mrn"),
    "name": ("patient_name", "full_name"),
    "phone": ("mobile", "cell", "phone_number", "telephone", "sms"),
    "email": ("e_mail", "mail", "email_address"),
    "language": ("locale", "lang", "preferred_language"),
    "zone": ("time_zone", "timezone", "tz"),
    "infusion_start": ("start", "starts", "infusion", "visit_start"),
    "minutes": ("duration", "duration_minutes", "length"),
    "visit_id": ("visit", "infusion_id", "appointment_id"),
    "consent_sms": ("sms_consent",),
    "consent_email": ("email_consent",),
    "consent_date": ("consented_on", "date_of_consent"),
    "consent_form": ("form",),
    "consent_warned": ("warned", "warning"),
    "wording": (),
}
_NAMES = {alias: name for name, aliases in COLUMNS.items() for alias in (name, *aliases)}


@dataclass(frozen=True)
class Line:
    """One row: where it begins in the file, and its cells by column; `crowded` says how many cells too many or few."""

    number: int
    cells: dict[str, str]
    off_by: int = 0


def read_table(path: Path, name: str | None = None) -> list[Line]:
    """The rows of a CSV file. BadFile, with line and remedy, when the file as a whole cannot be used."""
    shown = name or path.name
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise BadFile(shown, 0, f"the file has {size / 1e6:.0f} MB; 10 MB is the most.", "Split it into several.")
        data = path.read_bytes()
    except FileNotFoundError:
        raise BadFile(shown, 0, "there is no such file.", "Check its name and folder.") from None
    except OSError as error:
        raise BadFile(shown, 0, f"cannot be read: {error.strerror}.", "It must be a readable file.") from None
    return parse_table(data, shown)


def parse_table(data: bytes, shown: str) -> list[Line]:
    """The same from bytes; `shown` is the file's name in refusals."""
    text, skipped = _without_hint(_decoded(data, shown))
    if not text.strip():
        raise BadFile(shown, 0, "the file is empty.", f"Its first line names columns: {', '.join(COLUMNS)}.")
    separator = _separator(text, shown)
    rows = _rows(text, separator, skipped, shown)
    at, header = next(rows)
    columns = _header(header, at, shown)
    lines: list[Line] = []
    for number, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if len(lines) == MOST_ROWS:
            raise BadFile(shown, number, f"there are more than {MOST_ROWS:,} rows.", "Split the file into several.")
        surplus = len([cell for cell in cells[len(columns) :] if cell.strip()])
        missing = max(len(columns) - len(cells), 0)
        values = {column: cleaned(cell) for column, cell in zip(columns, cells, strict=False)}
        lines.append(Line(number, values, surplus or -missing))
    return lines


def cleaned(cell: str) -> str:
    """Without surrounding space, and without the quote that spreadsheets put before what looks like a formula."""
    value = cell.strip()
    if value.startswith("'") and value[1:2] in ("+", "-", "=", "@", "\t", "\r") and len(value) > 1:
        return value[1:].strip()
    return value


def _decoded(data: bytes, shown: str) -> str:
    remedy = 'Save it as "CSV UTF-8".'
    if data.startswith(b"PK\x03\x04"):
        raise BadFile(shown, 0, "this is a workbook, not a CSV file.", remedy)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadFile(shown, 0, "the file is in UTF-16.", remedy)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BadFile(shown, line, "the file is not in UTF-8; it looks like Windows-1252.", remedy) from None
    if "\0" in text:
        raise BadFile(shown, text[: text.index("\0")].count("\n") + 1, "this is not a text file.", remedy)
    return text


def _without_hint(text: str) -> tuple[str, int]:
    """Without the line `sep=;` that Excel writes for itself; how many lines were skipped."""
    first, _, rest = text.partition("\n")
    return (rest, 1) if first.strip().casefold() in ("sep=;", "sep=,") else (text, 0)


def _separator(text: str, shown: str) -> str:
    """The separator by which the header has the most columns that we know; never a guess from the data."""
    found = {}
    for separator in SEPARATORS:
        _, header = next(_rows(text, separator, 0, shown), (1, []))
        found[separator] = sum(_named(cell) is not None for cell in header)
    best = max(SEPARATORS, key=lambda separator: found[separator])
    if found[best] < 2:
        raise BadFile(shown, 1, "the first line does not name columns that we know, separated by comma or semicolon.",
                      f"It should be: {','.join(COLUMNS)}.")  # fmt: skip
    return best


def _rows(text: str, separator: str, skipped: int, shown: str) -> Iterator[tuple[int, list[str]]]:
    """(line where the row begins, cells)."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begins = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BadFile(shown, begins + skipped, _csv_fault(str(error)),
                          'Inside a quoted cell a quotation mark is written twice: "".') from None  # fmt: skip
        yield begins + skipped, cells
        begins = reader.line_num + 1


def _csv_fault(message: str) -> str:
    if "field larger" in message:
        return "a cell is too long, or a quotation mark is not closed."
    return "a quotation mark is not closed." if "end of data" in message else "a quotation mark is out of place."


def _named(cell: str) -> str | None:
    return _NAMES.get("_".join(cell.strip().casefold().replace("-", " ").replace("_", " ").split()))


def _header(cells: list[str], line: int, shown: str) -> list[str]:
    """The column names in order. BadFile names everything that is missing, unknown or there twice."""
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    columns = [_named(cell) for cell in cells]
    known = [name for name in columns if name]
    wrong = [f'unknown column "{cell.strip()[:30]}"{_nearest(cell)}' for cell in cells if _named(cell) is None]
    wrong += [f'the column "{name}" is there twice' for name in COLUMNS if known.count(name) > 1]
    wrong += [f'the column "{name}" is missing' for name in REQUIRED if name not in known]
    if "phone" not in known and "email" not in known:
        wrong.append('one of the columns "phone" and "email" is needed')
    if wrong:
        raise BadFile(shown, line, "; ".join(wrong) + ".", f"The columns are: {', '.join(COLUMNS)}.")
    return known


def _nearest(cell: str) -> str:
    near = get_close_matches(cell.strip().casefold(), _NAMES, n=1, cutoff=0.7)
    return f" (did you mean {_NAMES[near[0]]}?)" if near else ""
