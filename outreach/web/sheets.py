"""Tables to take away: CSV that no spreadsheet takes for formulas, and XLSX with text in its text cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from outreach.content.formulas import BOM, defused

Cell = str | int

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def as_csv(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """UTF-8 with a byte order mark, without which a spreadsheet reads another encoding; RFC 4180."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_MINIMAL)
    writer.writerow([_safe(name) for name in head])
    writer.writerows([_safe(_kept(value)) for value in row] for row in rows)
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


def _safe(value: Cell) -> Cell:
    return defused(value) if isinstance(value, str) else value


def _kept(value: Cell) -> Cell:
    """Without the control characters that no sheet can hold."""
    if isinstance(value, int):
        return value
    return "".join(char for char in value if char >= " " or char in "\t\n\r")
