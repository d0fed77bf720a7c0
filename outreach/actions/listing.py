"""From a sheet and its reading to lines that can be checked: cells by field, dates in one form, parts joined."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from outreach.actions.columns import NAMES, REQUIRED, SEPARATE, Reading, named, nearest
from outreach.actions.sheet import Sheet, read_path, read_sheet
from outreach.errors import BadFile, say

_DAY = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?:,?[ T]+(.*))?")
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T]+(.*))?")
_CLOCK = re.compile(r"(?P<hours>\d{1,2})[:.h](?P<minutes>\d{2})(?::00)?(?:\s*(?P<half>[ap])\.?\s*m\.?)?", re.IGNORECASE)
_HOUR = re.compile(r"(?P<hours>\d{1,2})\s*(?P<half>[ap])\.?\s*m\.?", re.IGNORECASE)


FORMULA = "+-=@\t\r＋－＝＠"
"""What makes a spreadsheet take a cell for a formula."""


@dataclass(frozen=True)
class Line:
    """One row: where it begins in the file, and its cells by column; `crowded` says how many cells too many or few."""

    number: int
    cells: dict[str, str]
    off_by: int = 0


def read_table(path: Path, name: str | None = None) -> list[Line]:
    """The rows of a CSV or XLSX file whose header has our names. BadFile, with line and remedy, when it has not."""
    shown = name or path.name
    return _by_our_names(read_path(path, shown), shown)


def parse_table(data: bytes, shown: str) -> list[Line]:
    """The same from bytes; `shown` is the file's name in refusals."""
    return _by_our_names(read_sheet(data, shown), shown)


def lines_of(sheet: Sheet, reading: Reading) -> list[Line]:
    """The rows as this reading has them."""
    wide = len(sheet.headers)
    lines = []
    for number, cells in sheet.rows:
        surplus = len([cell for cell in cells[wide:] if cell.strip()])
        values = {name: cleaned(cells[at]) if at < len(cells) else "" for name, at in reading.columns.items()}
        for name, value in reading.fixed.items():
            values[name] = values.get(name) or value
        lines.append(Line(number, _joined(values, reading.dates), surplus or min(len(cells) - wide, 0)))
    return lines


def cleaned(cell: str) -> str:
    """Without surrounding space, and without the quote that spreadsheets put before what looks like a formula."""
    value = cell.strip()
    if len(value) > 1 and value[0] == "'" and value[1] in FORMULA:
        return value[1:].strip()
    return value


def guarded(text: str) -> str:
    """A cell of a file we give away: what a spreadsheet would compute gets the quote that cleaned() takes off."""
    return f"'{text}" if (text.lstrip()[:1] and text.lstrip()[0] in FORMULA) or text[:1] in ("\t", "\r", "\0") else text


def _joined(values: dict[str, str], dates: str) -> dict[str, str]:
    if family := values.pop("last_name", ""):
        values["name"] = f"{values.get('name', '')} {family}".strip()
    clock = values.pop("infusion_time", "")
    start = values.get("infusion_start", "")
    if clock and start:
        start = f"{re.sub(r'[ T]0?0:00(:00)?$', '', start)} {clock}"
    if start:
        values["infusion_start"] = dated(start, dates)
    if signed := values.get("consent_date", ""):
        values["consent_date"] = dated(signed, dates)
    return values


def dated(text: str, dates: str) -> str:
    """A date and time as 2026-12-15T10:00, if it is written in the order that was said; else as it stands."""
    found, iso = _DAY.fullmatch(text), _ISO.fullmatch(text)
    if iso:
        day, clock = iso[1], iso[2]
    elif found and dates in ("mdy", "dmy"):
        first, second = (found[1], found[3]) if dates == "mdy" else (found[3], found[1])
        day, clock = f"{found[4]}-{int(first):02}-{int(second):02}", found[5]
    else:
        return text
    if not clock:
        return day
    return f"{day}T{hour}" if (hour := _clock(clock.strip())) else text


def _clock(text: str) -> str:
    """10:00 from 10:00, 10:00 AM, 10 a.m. or 10.00; "" when it is none of them."""
    found = _CLOCK.fullmatch(text) or _HOUR.fullmatch(text)
    if found is None:
        return ""
    hours, minutes, half = found["hours"], found.groupdict().get("minutes", "00"), found["half"]
    if half and not 1 <= int(hours) <= 12:
        return ""
    hour = int(hours) % 12 + (12 if half.casefold() == "p" else 0) if half else int(hours)
    return f"{hour:02}:{minutes}"


def _by_our_names(sheet: Sheet, shown: str) -> list[Line]:
    columns = _header(sheet.headers, sheet.header_line, shown)
    return lines_of(sheet, Reading({name: at for at, name in enumerate(columns)}))


def _header(cells: Sequence[str], line: int, shown: str) -> list[str]:
    """The column names in order. BadFile names everything that is missing, unknown or there twice."""
    columns = [named(cell) for cell in cells]
    known = [name for name in columns if name]
    if len(known) < 2:
        raise BadFile(shown, line, say("The first line does not name columns that we know."), _remedy())
    wrong = [f'unknown column "{cell[:30]}"{_meant(cell)}' for cell in cells if named(cell) is None]
    wrong += [f'the column "{name}" is there twice' for name in NAMES if known.count(name) > 1]
    wrong += [f'the column "{name}" is missing' for name in REQUIRED if name not in known]
    if "phone" not in known and "email" not in known:
        wrong.append('one of the columns "phone" and "email" is needed')
    if wrong:
        raise BadFile(shown, line, "; ".join(wrong) + ".", _remedy())
    return known


def _remedy() -> str:
    return say("The columns are: %(names)s.", names=", ".join(name for name in NAMES if name not in SEPARATE))


def _meant(cell: str) -> str:
    near = nearest(cell)
    return f" (did you mean {near}?)" if near else ""
