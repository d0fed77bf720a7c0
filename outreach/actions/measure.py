"""The shape of a workbook's part, read as it streams by: rows as long or as many as no list has them are refused."""

from __future__ import annotations

from xml.parsers import expat

MOST_CELLS = 200
MOST_IN_ROW = 20_000
"""Everything within one row: cells, their values, runs of rich text."""
MOST_ROWS = 1_048_576
"""As many as Excel has. A row that claims a higher number makes the library count up to it."""
MOST_OUTSIDE = 2_000_000
"""Everything outside of rows: the shared strings of a full list, or links and merged cells."""


class TooMuch(Exception):
    """More than any patient list needs."""


class Scan:
    """One part: `feed` raises TooMuch, or ValueError for what is not XML where `strict`, or names a DOCTYPE.

    The same parser that the library reads with, so that no encoding or prefix hides a row. `over`: nothing more is
    looked at, for what is no XML cannot be read as a sheet either.
    """

    def __init__(self, *, strict: bool) -> None:
        self.over = False
        self._strict = strict
        self._depth = self._row = self._cells = self._within = self._rows = self._outside = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, piece: bytes) -> None:
        """The next bytes of the part."""
        if self.over:
            return
        try:
            self._parser.Parse(piece, False)
        except expat.ExpatError:
            if self._strict:
                raise ValueError("not XML") from None
            self.over = True

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._row:
            self._within += 1
            self._cells += self._depth == self._row + 1
            if self._cells > MOST_CELLS or self._within > MOST_IN_ROW:
                raise TooMuch
        elif name == "row" or name.endswith(":row"):
            self._row, self._cells, self._within = self._depth, 0, 0
            self._rows += 1
            number = attributes.get("r", "1")
            if self._rows > MOST_ROWS or len(number) > 7 or (number.isdecimal() and int(number) > MOST_ROWS):
                raise TooMuch
        else:
            self._outside += 1
            if self._outside > MOST_OUTSIDE:
                raise TooMuch

    def _end(self, _name: str) -> None:
        if self._depth == self._row:
            self._row = 0
        self._depth -= 1

    def _doctype(self, *_: object) -> None:
        raise ValueError("a document type")
