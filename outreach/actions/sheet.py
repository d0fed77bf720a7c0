"""A patient list as it was read: its header, its rows with their line numbers, and how it was understood."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outreach.actions.columns import known_in
from outreach.actions.csv_table import LOOKED_AT, Numbered, read_text
from outreach.actions.workbook import OLD, ZIP, read_workbook
from outreach.errors import BadFile, say

LARGEST = 10 * 1024 * 1024
MOST_ROWS = 100_000
MANGLED = re.compile("[\u00c2\u00c3][\u0080-\u00bf\u0152-\u2122]")
"""How an accent looks when UTF-8 was read as Windows-1252 and saved again: JosÃ©."""


@dataclass(frozen=True)
class Sheet:
    """`rows`: (line or row number in the file, cells); blank ones are left out. `encoding` "" and `separator` "" for a
    workbook, `part` its worksheet. `mangled`: its accents were broken before it came to us."""

    headers: tuple[str, ...]
    header_line: int
    rows: list[Numbered]
    encoding: str = ""
    separator: str = ""
    part: str = ""
    mangled: bool = False

    def as_json(self) -> str:
        return json.dumps(vars(self), ensure_ascii=False)

    @classmethod
    def of(cls, text: str) -> Sheet:
        """Back from as_json()."""
        found: Mapping[str, Any] = json.loads(text)
        rows = [(number, cells) for number, cells in found["rows"]]
        return cls(**{**found, "headers": tuple(found["headers"]), "rows": rows})


def read_path(path: Path, shown: str) -> Sheet:
    """The same from a file. BadFile: it is too large, or cannot be read."""
    try:
        if path.stat().st_size > LARGEST:
            raise too_large(shown, path.stat().st_size)
        data = path.read_bytes()
    except FileNotFoundError:
        raise BadFile(shown, 0, say("There is no such file."), say("Check its name and folder.")) from None
    except OSError as error:
        what = say("It cannot be read: %(why)s.", why=error.strerror)
        raise BadFile(shown, 0, what, say("It must be a readable file.")) from None
    return read_sheet(data, shown)


def read_sheet(data: bytes, shown: str) -> Sheet:
    """CSV or XLSX, told apart by how the bytes begin. BadFile, with line and remedy, when the whole cannot be used."""
    if len(data) > LARGEST:
        raise too_large(shown, len(data))
    encoding = separator = part = ""
    if data.startswith((ZIP, OLD)):
        rows, part = read_workbook(data, shown, MOST_ROWS + 1)
    else:
        rows, encoding, separator = read_text(data, shown)
    rows = [(number, cells) for number, cells in rows if any(cell.strip() for cell in cells)]
    if not rows:
        raise BadFile(shown, 0, say("The file is empty."), say("Its first line names the columns."))
    at = _header(rows)
    line, header = rows[at]
    table = rows[at + 1 :]
    if len(table) > MOST_ROWS:
        raise BadFile(shown, table[MOST_ROWS][0], say("There are more than %(most)s rows.", most=f"{MOST_ROWS:,}"),
                      say("Split the file into several."))  # fmt: skip
    while header and not header[-1].strip():
        header = header[:-1]
    mangled = any(MANGLED.search(cell) for _, cells in table[:1000] for cell in cells)
    return Sheet(tuple(cell.strip() for cell in header), line, table, encoding, separator, part, mangled)


def too_large(shown: str, size: int) -> BadFile:
    what = say("The file has %(size)s MB; 10 MB is the most.", size=f"{size / 1e6:.0f}")
    return BadFile(shown, 0, what, say("Split it into several, or leave out the columns that are not needed."))


def _header(rows: list[Numbered]) -> int:
    """Position of the row that names the columns: titles and dates may stand above it."""
    first = rows[:LOOKED_AT]
    best = max(range(len(first)), key=lambda at: (known_in(first[at][1]), -at))
    if known_in(first[best][1]) >= 2:
        return best
    wide = max(len([cell for cell in cells if cell.strip()]) for _, cells in first)
    return next(at for at, (_, cells) in enumerate(first) if len([c for c in cells if c.strip()]) * 2 > wide)
