"""Rows as CSV, as spreadsheets write and read it: a byte order mark, commas or semicolons, whatever line ends."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from outreach.content.formulas import BOM, charged, defused
from outreach.content.rows import MOST_BYTES, Row
from outreach.errors import BadFile

COLUMNS = ("locale", "name", "stands_for", "english", "translation", "note", "state", "mark")
_NEEDED = ("locale", "name", "english", "translation", "mark")


def written(rows: Iterable[Row]) -> bytes:
    """UTF-8 with a byte order mark, without which a spreadsheet reads other letters; no cell begins a formula."""
    file = io.StringIO(newline="")
    out = csv.writer(file)
    out.writerow(COLUMNS)
    out.writerows([defused(getattr(row, name)) for name in COLUMNS] for row in rows)
    return (BOM + file.getvalue()).encode()


def read(name: str, raw: bytes) -> list[Row]:
    """The rows of a file. Raises BadFile."""
    if len(raw) > MOST_BYTES:
        raise BadFile(
            name, 0, f"the file has {len(raw)} bytes.", f"At most {MOST_BYTES} are read; is it the right one?"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadFile(name, line, "the file is not UTF-8.", "Save it as “CSV UTF-8 (comma delimited)”.") from error
    first = text.split("\n", 1)[0]
    mark = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    try:
        head = [cell.strip().lower() for cell in next(reader, [])]
        lacking = [column for column in _NEEDED if column not in head]
        if lacking:
            raise BadFile(name, 1, f"columns are missing: {', '.join(lacking)}.", "Keep the first row as exported.")
        return [_row(head, cells, f"{name}:{reader.line_num}") for cells in reader if any(cells)]
    except csv.Error as error:
        raise BadFile(name, reader.line_num, f"the row cannot be read ({error}).", "Save it as CSV again.") from error


def _row(head: list[str], cells: list[str], place: str) -> Row:
    found = dict(zip(head, cells, strict=False))
    said = {column: charged(found.get(column, "")) for column in _NEEDED}
    # Spreadsheets write line ends of their own into cells; words hold plain ones.
    said["translation"] = said["translation"].replace("\r\n", "\n").replace("\r", "\n")
    return Row(**said, place=place)
