"""Lists as people have them: every usual encoding and separator, workbooks that are none, headers of many languages."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

import pytest
from openpyxl import Workbook

from outreach.actions import workbook as reading
from outreach.actions.columns import Reading, guess, missing, named
from outreach.actions.listing import cleaned, dated, guarded, lines_of, parse_table
from outreach.actions.sheet import Sheet, read_sheet
from outreach.actions.tongues import reader
from outreach.content.compose import Words
from outreach.errors import BadFile, BadInput
from tests import shipped

ROWS = "Expediente;Nombre;Teléfono;Idioma;Cita\nA1;José Núñez;+12025550143;es;2026-12-15T10:00\n"


def workbook(rows: Sequence[Sequence[Any]], title: str = "List") -> bytes:
    """An .xlsx file of one sheet."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("codec", "called"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"),
     ("utf-16-be", "UTF-16"), ("cp1252", "Windows-1252"), ("latin-1", "Windows-1252")],
)  # fmt: skip
@pytest.mark.parametrize("separator", [";", ",", "\t", "|"], ids=["semicolon", "comma", "tab", "bar"])
def test_every_usual_encoding_and_separator_is_recognised_and_said(codec: str, called: str, separator: str) -> None:
    sheet = read_sheet(ROWS.replace(";", separator).encode(codec), "list.csv")
    assert (sheet.encoding, sheet.separator, sheet.headers[2]) == (called, separator, "Teléfono")
    assert sheet.rows == [(2, ["A1", "José Núñez", "+12025550143", "es", "2026-12-15T10:00"])]


def test_a_byte_that_windows_does_not_know_is_latin() -> None:
    assert read_sheet(ROWS.encode("latin-1") + b"B2;\x81;;;\n", "list.csv").encoding == "Latin-1"


def test_accents_that_were_broken_before_are_noticed() -> None:
    assert read_sheet(ROWS.encode().decode("cp1252", "replace").encode(), "list.csv").mangled
    assert not read_sheet(ROWS.encode(), "list.csv").mangled


def test_a_title_above_the_header_is_passed_over() -> None:
    sheet = read_sheet(f"Patients of November;;;;\n;;;;\n{ROWS}".encode(), "list.csv")
    assert (sheet.header_line, sheet.rows[0][0]) == (3, 4)


def test_a_workbook_gives_real_dates_times_and_whole_numbers() -> None:
    head = ["MRN", "Name", "Phone", "Language", "Date", "Time", "Minutes", "consent_sms"]
    row = [1001, "Ana", 12025550143, "en", datetime(2026, 12, 15), time(9, 30), 40.0, True]
    sheet = read_sheet(workbook([["Our list"], [], head, row]), "list.xlsx")
    assert (sheet.header_line, sheet.part, sheet.encoding) == (3, "List", "")
    [line] = lines_of(sheet, Reading(guess(sheet.headers)))
    assert line.number == 4
    assert line.cells == {
        "external_id": "1001", "name": "Ana", "phone": "12025550143", "language": "en",
        "infusion_start": "2026-12-15T09:30", "minutes": "40", "consent_sms": "yes",
    }  # fmt: skip


def test_the_command_reads_a_workbook_as_it_reads_a_csv_file() -> None:
    head = ["external_id", "name", "phone", "language", "infusion_start", "minutes"]
    row = ["A1", "Ana", "'+12025550143", "en", datetime(2026, 12, 15, 10), 40]
    [line] = parse_table(workbook([head, row]), "list.xlsx")
    assert (line.cells["phone"], line.cells["infusion_start"]) == ("+12025550143", "2026-12-15T10:00")


def bomb(parts: int = 1, size: int = 0, name: str = "xl/worksheets/sheet{0}.xml") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(parts):
            archive.writestr(name.format(number), bytes(size))
    return file.getvalue()


DOCTYPE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "cccc">]><a>&b;</a>'


def entity() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", DOCTYPE)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (bomb(parts=1, size=200 * 1024 * 1024), "unpacks to far more"),
        (bomb(parts=600), "unpacks to far more"),
        (bomb(size=50 * 1024 * 1024, name="xl/sharedStrings.xml"), "unpacks to far more"),
        (entity(), "not an Excel workbook"),
        (bomb(), "not an Excel workbook"),
        (workbook([["Name", "Phone"]])[:-200], "not an Excel workbook"),
        (workbook([]), "empty"),
    ],
    ids=["large", "many parts", "strings", "entities", "an archive", "cut off", "empty"],
)
def test_a_workbook_that_is_none_or_a_bomb_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(BadFile, match=says) as refused:
        read_sheet(data, "list.xlsx")
    assert refused.value.remedy


SHEET, STYLES = "xl/worksheets/sheet1.xml", "xl/styles.xml"


def packed_with(name: str, before: bytes, many: bytes, after: bytes, count: int) -> bytes:
    """A real workbook, one part of which is replaced."""
    file, kept = io.BytesIO(), zipfile.ZipFile(io.BytesIO(workbook([["Name", "Phone"]])))
    with kept, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in kept.namelist():
            text = before + many * count + after if part == name else kept.read(part)
            archive.writestr(part, text)
    return file.getvalue()


GROWING = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
ALL = b"</sheetData></worksheet>"
STYLED = b'<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs>'


@pytest.mark.parametrize(
    ("name", "before", "many", "after", "count"),
    [
        (SHEET, GROWING + b"<row>", b"<c/>", b"</row>" + ALL, 1_000_000),
        (SHEET, GROWING + b"<row>", b"<c/>", b"</row>" + ALL, 300),
        (SHEET, (GROWING + b"<row>").decode().encode("utf-16"), "<c/>".encode("utf-16-le"),
         ("</row>" + ALL.decode()).encode("utf-16-le"), 300),
        (SHEET, GROWING, b'<row r="9999999"/>', ALL, 1),
        (STYLES, STYLED, b"<xf/>", b"</cellXfs></styleSheet>", 400_000),
        (STYLES, STYLED, b"<xf/>", b"</cellXfs></styleSheet>", 60_000),
    ],
    ids=["an endless row", "a row too wide", "the same in UTF-16", "a row far down", "styles", "fewer styles"],
)  # fmt: skip
def test_a_small_file_that_would_grow_large_is_refused_before_it_is_built(
    name: str, before: bytes, many: bytes, after: bytes, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "load_workbook", lambda *_a, **_k: pytest.fail("it was built"))
    with pytest.raises(BadFile, match="unpacks to far more"):
        read_sheet(packed_with(name, before, many, after, count), "list.xlsx")


def test_a_long_list_of_like_rows_is_no_bomb() -> None:
    rows = [["MRN", "Name", "Phone"], *([f"A-{n}", "Ana Example", "+12025550143"] for n in range(5000))]
    data = workbook(rows)
    assert len(read_sheet(data, "list.xlsx").rows) == 5000
    assert reading.unpacked_size(data) > 5 * len(data)


def test_a_cell_far_out_does_not_widen_every_row() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["MRN", "Name", "Phone"])
    sheet["XFD2"] = "far"
    sheet["A2"] = "A1"
    file = io.BytesIO()
    book.save(file)
    assert len(read_sheet(file.getvalue(), "list.xlsx").rows[0][1]) <= reading.MOST_COLUMNS


@pytest.mark.parametrize(
    ("header", "field"),
    [("Patient ID", "external_id"), ("NOMBRE COMPLETO", "name"), ("Téléphone", "phone"), ("Handynummer", "phone"),
     ("E-Mail", "email"), ("Idioma", "language"), ("الاسم", "name"), ("رقم الهاتف", "phone"), ("手机", "phone"),
     ("Fecha y hora", "infusion_start"), ("Uhrzeit", "infusion_time"), ("Họ tên", "name"), ("Shoe size", None)],
)  # fmt: skip
def test_headers_are_known_in_many_languages(header: str, field: str | None) -> None:
    assert named(header) == field


def test_a_longer_header_is_guessed_by_the_name_within_and_no_column_is_taken_twice() -> None:
    found = guess(["Chart number (old)", "Patient mobile no.", "Mobile", "Appointment date & time"])
    assert found == {"external_id": 0, "phone": 2, "infusion_start": 3}
    assert missing(found, {"language": "en"}) == ["name", "minutes"]


DATES = [
    ("2026-12-15 10:00", "iso", "2026-12-15T10:00"), ("2026-12-15 2:30 PM", "iso", "2026-12-15T14:30"),
    ("12/15/2026 9:05 am", "mdy", "2026-12-15T09:05"), ("15.12.2026 9:30", "dmy", "2026-12-15T09:30"),
    ("15/12/2026 14h30", "dmy", "2026-12-15T14:30"), ("12/15/2026 12 AM", "mdy", "2026-12-15T00:00"),
    ("12/15/2026", "mdy", "2026-12-15"), ("12/15/2026 10:00", "iso", "12/15/2026 10:00"),
    ("soon", "mdy", "soon"), ("2026-12-15T10:00-06:00", "iso", "2026-12-15T10:00-06:00"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "order", "meant"), DATES)
def test_a_date_is_read_in_the_order_that_was_said_and_never_guessed(text: str, order: str, meant: str) -> None:
    assert dated(text, order) == meant


@pytest.mark.parametrize("cell", ["+12025550143", "=1+1", "-x", "@x", "＝1", "Ana", "O'Dell", ""])
def test_what_we_guard_in_a_file_comes_back_as_it_was(cell: str) -> None:
    assert cleaned(guarded(cell)) == cell


def test_a_sheet_comes_back_from_its_kept_form() -> None:
    sheet = read_sheet(ROWS.encode(), "list.csv")
    assert Sheet.of(sheet.as_json()) == sheet


def test_a_language_is_understood_by_its_name_in_many_languages(words: Words) -> None:
    read = reader(shipped.spoken(words))
    for written in ("Spanish", "español", "ES", "espagnol", "Spanisch", "الإسبانية", "西班牙语"):
        assert read(written) == "es", written
    with pytest.raises(BadInput):
        read("Klingon")
