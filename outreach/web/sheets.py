"""Tables to take away: CSV that no spreadsheet takes for formulas, and XLSX with text in its text cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

Cell = str | int

# What a spreadsheet, also a Japanese or Chinese one, begins a formula with; a tab or a line end shifts it into another
# cell first, and some programs skip a NUL.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
BOM = "\ufeff"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def defused(value: Cell) -> Cell:
    """A text that could begin a formula gets a ' in front, as spreadsheets themselves do; `charged` takes it back."""
    if isinstance(value, str) and value.startswith(("'", *_FORMULA)):
        return "'" + value
    return value


def charged(text: str) -> str:
    """The text that was defused."""
    return text[1:] if text.startswith("'") else text


def as_csv(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """UTF-8 with a byte order mark, without which a spreadsheet reads another encoding; RFC 4180."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_MINIMAL)
    writer.writerow([defused(name) for name in head])
    writer.writerows([defused(_kept(value)) for value in row] for row in rows)
    return (BOM + file.getvalue()).encode()


def as_xlsx(title: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A workbook of one sheet: numbers are numbers, texts are texts whatever they begin with."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    for row in (head, *rows):
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, value=_kept(value))
            if isinstance(value, str):
                cell.data_type = "s"  # the library has made a formula of a text that begins with =
            cells.append(cell)
        sheet.append(cells)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _kept(value: Cell) -> Cell:
    """Without the control characters that no sheet can hold."""
    if isinstance(value, int):
        return value
    return "".join(char for char in value if char >= " " or char in "\t\n\r")
