"""An Excel workbook as a grid of texts: opened only when it cannot be a bomb, values only, dates as real dates."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, NoReturn, cast

from openpyxl import load_workbook
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.worksheet.worksheet import Worksheet

from outreach.actions.columns import known_in
from outreach.actions.csv_table import LOOKED_AT, Numbered
from outreach.actions.measure import Scan, TooMuch
from outreach.errors import BadFile, Sentence, say

MOST_PARTS = 500
MOST_UNPACKED = 60 * 1024 * 1024
MOST_STRINGS = 40 * 1024 * 1024
MOST_OTHER = 2 * 1024 * 1024
"""Bytes of a part that is neither a sheet nor the shared strings: styles, themes, drawings."""
SMALL, NO_MATTER = 1024 * 1024, 64 * 1024
"""Up to these sizes a part may unpack to a hundred times its size, or to any; above, to fifty. Sheets have 5 to 15."""
MOST_COLUMNS = 120
MOST_SHEETS = 12
ZIP = b"PK\x03\x04"
OLD = b"\xd0\xcf\x11\xe0"
"""How an .xls begins, and also an .xlsx behind a password."""
PICTURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8")


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
    """By the archive's own list first, then part by part as it unpacks, before the library builds anything of it."""
    if data.startswith(OLD):
        raise BadFile(shown, 0, say("This is an old workbook (.xls) or one with a password."), _remedy())
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            strings = sum(part.file_size for part in parts if part.filename.endswith("sharedStrings.xml"))
            if len(parts) > MOST_PARTS or _listed(parts) > MOST_UNPACKED or strings > MOST_STRINGS:
                _far_more(shown)
            if sum(part.compress_size for part in parts) > len(data):  # it lies, to look less dense
                _damaged(shown)
            left = MOST_UNPACKED
            for part in parts:
                left -= _unpacked(archive, part, min(left, _most(part)))
    except TooMuch:
        _far_more(shown)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, zlib.error):
        _damaged(shown)


def unpacked_size(data: bytes) -> int:
    """Bytes that a workbook says it unpacks to; its own size where it is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return max(len(data), _listed(archive.infolist()))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
        return len(data)


def _listed(parts: Iterable[zipfile.ZipInfo]) -> int:
    return sum(part.file_size for part in parts)


def _most(part: zipfile.ZipInfo) -> int:
    """Bytes that this part may unpack to."""
    big = (part.filename.startswith("xl/worksheets/") and part.filename.endswith(".xml")) or part.filename.endswith(
        "sharedStrings.xml"
    )
    dense = max(NO_MATTER, min(SMALL, 100 * part.compress_size), 50 * part.compress_size)
    return min(dense, MOST_UNPACKED if big else MOST_OTHER)


def _unpacked(archive: zipfile.ZipFile, part: zipfile.ZipInfo, most: int) -> int:
    """Unpack it piece by piece, keeping nothing; its size. TooMuch: beyond `most`, or of a shape that is no list's."""
    size, scan = 0, Scan(strict=part.filename.endswith((".xml", ".rels")))
    with archive.open(part) as opened:
        while piece := opened.read(64 * 1024):
            size += len(piece)
            if size > most:
                raise TooMuch
            scan.over = scan.over or (size == len(piece) and piece.startswith(PICTURES))
            scan.feed(piece)
    return size


def _far_more(shown: str) -> NoReturn:
    raise BadFile(shown, 0, say("The workbook unpacks to far more than a patient list."),
                  say("Copy the list alone into a new workbook, or save it as CSV UTF-8."))  # fmt: skip


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
