"""An Excel workbook as a grid of texts: opened only when it cannot be a bomb, values only, dates as real dates."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, NoReturn, cast

from openpyxl import load_workbook
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.worksheet.worksheet import Worksheet

from outreach.actions.columns import known_in
from outreach.actions.csv_table import LOOKED_AT, Numbered
from outreach.errors import BadFile, Sentence, say

MOST_PARTS = 500
MOST_UNPACKED = 150 * 1024 * 1024
MOST_STRINGS = 40 * 1024 * 1024
MOST_COLUMNS = 120
MOST_SHEETS = 12
ZIP = b"PK\x03\x04"
OLD = b"\xd0\xcf\x11\xe0"
"""How an .xls begins, and also an .xlsx behind a password."""


def read_workbook(data: bytes, shown: str, most: int) -> tuple[list[Numbered], str]:
    """(rows with their numbers, the worksheet's name): of the sheet that names the most columns that we know.

    BadFile: not a workbook, or one that unpacks to more than we read. At most `most` rows and 25 more are returned.
    """
    _no_bomb(data, shown)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheets = [one for one in book.worksheets if isinstance(one, ReadOnlyWorksheet)][:MOST_SHEETS]
        best = max(sheets, key=_columns_named)
        return list(islice(_rows(best), most + LOOKED_AT)), best.title
    except Exception:  # a damaged file makes the library raise almost anything
        _damaged(shown)


def _no_bomb(data: bytes, shown: str) -> None:
    """By the archive's own list, before anything is unpacked; the unpacker reads no more of a part than it lists."""
    if data.startswith(OLD):
        raise BadFile(shown, 0, say("This is an old workbook (.xls) or one with a password."), _remedy())
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            strings = sum(part.file_size for part in parts if part.filename.endswith("sharedStrings.xml"))
            if (
                len(parts) > MOST_PARTS
                or sum(part.file_size for part in parts) > MOST_UNPACKED
                or strings > MOST_STRINGS
            ):
                raise BadFile(shown, 0, say("The workbook unpacks to far more than a patient list."),
                              say("Copy the list alone into a new workbook, or save it as CSV UTF-8."))  # fmt: skip
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    with archive.open(part) as opened:
                        if b"<!DOCTYPE" in opened.read(2048).upper():
                            _damaged(shown)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError):
        _damaged(shown)


def _damaged(shown: str) -> NoReturn:
    raise BadFile(shown, 0, say("This is not an Excel workbook that can be read; it may be damaged."), _remedy())


def _remedy() -> Sentence:
    return say('Open it in Excel and save it as "Excel Workbook (.xlsx)" or as "CSV UTF-8".')


def _columns_named(sheet: ReadOnlyWorksheet) -> int:
    return max((known_in(cells) for _, cells in islice(_rows(sheet), LOOKED_AT)), default=0)


def _rows(sheet: ReadOnlyWorksheet) -> Iterator[Numbered]:
    sheet.reset_dimensions()  # what the file claims of its own size is not believed
    for number, cells in enumerate(cast(Worksheet, sheet).iter_rows(max_col=MOST_COLUMNS, values_only=True), 1):
        texts = [_text(value) for value in cells]
        while texts and not texts[-1]:
            texts.pop()
        if texts:
            yield number, texts


def _text(value: Any) -> str:
    """As we read a list: dates as ISO, whole numbers without a point, ticks as yes and no."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        at = _to_the_minute(value)
        return at.date().isoformat() if at.time() == time(0) else at.strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return _to_the_minute(datetime.combine(date(2000, 1, 1), value)).strftime("%H:%M")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _to_the_minute(at: datetime) -> datetime:
    """Spreadsheets keep times as fractions of a day: half past nine can come out a second short."""
    near = (at + timedelta(seconds=30)).replace(second=0, microsecond=0)
    return near if abs(near - at) <= timedelta(seconds=1) else at.replace(second=0, microsecond=0)
