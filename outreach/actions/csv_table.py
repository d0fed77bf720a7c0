"""A CSV file as people export it: encoding, separator and quotes understood or refused; no meaning yet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice

from outreach.actions.columns import known_in
from outreach.errors import BadFile, Sentence, say

SEPARATORS = (",", ";", "\t", "|")
HINTS = {f"sep={separator}" for separator in SEPARATORS}
LOOKED_AT = 25
"""Lines in which the header and the separator are looked for: exports put titles and dates above their table."""
UTF8, UTF16, WINDOWS, LATIN = "UTF-8", "UTF-16", "Windows-1252", "Latin-1"

Numbered = tuple[int, list[str]]


def read_text(data: bytes, shown: str) -> tuple[list[Numbered], str, str]:
    """(rows with the line where each begins, encoding, separator). BadFile: no text, or its quotes are broken."""
    text, encoding = decoded(data, shown)
    if not text.strip():
        raise BadFile(shown, 0, say("The file is empty."), say("Its first line names the columns."))
    text, skipped = _without_hint(text)
    separator = _separator(text)
    return list(_rows(text, separator, skipped, shown)), encoding, separator


def decoded(data: bytes, shown: str) -> tuple[str, str]:
    """The text and the name of its encoding. UTF-8 proves itself; what is none is what Windows writes."""
    remedy = say('Save it as "CSV UTF-8" or as an Excel workbook (.xlsx).')
    found = _wide(data)
    if found is None:
        found = _narrow(data)
    text, encoding = found
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise BadFile(shown, line, say("This is not a text file."), remedy)
    return text, encoding


def _wide(data: bytes) -> tuple[str, str] | None:
    """UTF-16, by its mark, or by every other byte being nothing."""
    even, odd = data[:400:2].count(0), data[1:400:2].count(0)
    half = max(len(data[:400]) // 4, 1)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        codec = "utf-16"
    elif odd > half and even < half // 4 + 1:
        codec = "utf-16-le"
    elif even > half and odd < half // 4 + 1:
        codec = "utf-16-be"
    else:
        return None
    try:
        return data.decode(codec), UTF16
    except UnicodeDecodeError:
        return None


def _narrow(data: bytes) -> tuple[str, str]:
    for codec, name in (("utf-8-sig", UTF8), ("cp1252", WINDOWS)):
        try:
            return data.decode(codec), name
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1"), LATIN


def _without_hint(text: str) -> tuple[str, int]:
    """Without the line `sep=;` that Excel writes for itself; how many lines were skipped."""
    first, _, rest = text.partition("\n")
    return (rest, 1) if first.strip("\r ").casefold() in HINTS else (text, 0)


def _separator(text: str) -> str:
    """The separator by which a line among the first names the most columns that we know, else parts the first most."""
    best, most = SEPARATORS[0], (-1, -1)
    for separator in SEPARATORS:
        rows = list(islice(csv.reader(io.StringIO(text[:200_000], newline=""), delimiter=separator), LOOKED_AT))
        known = max((known_in(cells) for cells in rows), default=0)
        width = max((len([cell for cell in cells if cell.strip()]) for cells in rows), default=0)
        if (known, width) > most:
            best, most = separator, (known, width)
    return best


def _rows(text: str, separator: str, skipped: int, shown: str) -> Iterator[Numbered]:
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
                          say('Inside a quoted cell a quotation mark is written twice: "".')) from None  # fmt: skip
        yield begins + skipped, cells
        begins = reader.line_num + 1


def _csv_fault(message: str) -> Sentence:
    if "field larger" in message:
        return say("A cell is too long, or a quotation mark is not closed.")
    if "end of data" in message:
        return say("A quotation mark is not closed.")
    return say("A quotation mark is out of place.")
