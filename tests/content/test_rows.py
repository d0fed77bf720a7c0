"""Rows for spreadsheets and tools: they come back as they went, and what is stale or wrong is refused row by row."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import pytest

from outreach.content import rows_csv, rows_xliff
from outreach.content.formulas import charged, defused
from outreach.content.rows import MOST_BYTES, Row, judge, rows
from outreach.content.workbench import Shelf, Workbench
from outreach.errors import BadFile, BadInput
from outreach.settings import ROOT

PLURAL = "consent.confirmed.body.often"


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Workbench(ROOT).shelf("es")


@pytest.fixture(scope="module")
def given(shelf: Shelf) -> list[Row]:
    return rows(shelf, {})


def _with(given: list[Row], which: str, **changed: str) -> list[Row]:
    return [row._replace(**changed) if row.name == which else row for row in given]


def _core(found: list[Row]) -> list[tuple[str, ...]]:
    return [(row.locale, row.name, row.english, row.translation, row.mark) for row in found]


def test_rows_come_back_from_every_kind_of_file_as_they_went(shelf: Shelf, given: list[Row]) -> None:
    odd = [given[0]._replace(translation=text) for text in (
        "=1+1", "+1", "-1", "@A1", "\t=1", "'quoted", "''=x", '<b>&amp; "x"</b>', "two\nlines; and, more", "",
    )]  # fmt: skip
    for expected in (given, odd):
        body = rows_csv.written(expected)
        cells = [cell for line in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")) for cell in line]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]
        excel = io.StringIO(newline="")
        table = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
        csv.writer(excel, delimiter=";", lineterminator="\r\n").writerows(table)
        assert _core(rows_csv.read("x", body)) == _core(expected)
        assert _core(rows_csv.read("x", b"\xef\xbb\xbf" + excel.getvalue().encode())) == _core(expected)
        assert _core(rows_xliff.read("x", rows_xliff.written(expected, shelf.language))) == _core(expected)
    assert judge(shelf, given).unchanged == len(given)
    assert [charged(defused(one.translation)) for one in odd] == [one.translation for one in odd]
    assert charged("'t is") == "'t is", "an apostrophe that somebody typed is theirs"


def test_new_words_are_taken_and_the_forms_that_were_left_out_stay(shelf: Shelf, given: list[Row]) -> None:
    [row] = [one for one in given if one.name == f"{PLURAL}[2]"]
    changed = row._replace(translation=row.translation.replace("Recibirá", "Le llegarán"))
    verdict = judge(shelf, [changed])
    assert verdict.changes == {PLURAL: (*shelf.lines[PLURAL].forms[:2], changed.translation)}
    assert not verdict.refused


def test_each_row_that_is_not_of_the_catalog_as_it_stands_is_refused_and_says_why(
    shelf: Shelf, given: list[Row]
) -> None:
    name, said = "canned.call_soon", "Le llamaremos hoy."
    for changed, why in [
        ({"mark": ""}, "mark is missing"),
        ({"mark": "m0"}, "it is now: “Le llamaremos pronto.”"),
        ({"english": "We call."}, "it is|the English is another one now: “We will call you soon.”"),
        ({"name": "canned.nobody"}, "no unit has this key"),
        ({"translation": " "}, "Words are not deleted"),
        ({"translation": f"{said} %(phone)s"}, "phone"),
        ({"translation": f"{said} \u202e"}, "U\\+202E|cannot be seen|direction"),
        ({"translation": "We will call you soon."}, "English"),
    ]:
        verdict = judge(shelf, _with(given, name, **{"translation": said, **changed}))
        assert not verdict.changes, changed
        assert len(verdict.refused) == 1, changed
        with pytest.raises(AssertionError, match=why):
            raise AssertionError(str(verdict.refused[0]))
    twice = judge(shelf, [*given, *_with([row for row in given if row.name == name], name, translation=said)])
    assert [one.name for one in twice.refused] == [name, name]
    half = _with(_with(given, f"{PLURAL}[0]", translation="Un mensaje."), f"{PLURAL}[2]", mark="m0")
    assert {one.name for one in judge(shelf, half).refused} == {f"{PLURAL}[0]", f"{PLURAL}[2]"}
    assert not judge(shelf, half).changes
    french = Workbench(ROOT).shelf("fr")
    assert len(judge(french, given).refused) == len(given), "another language's rows"


def test_a_catalog_that_is_not_up_to_date_and_english_are_not_exported(tmp_path: Path) -> None:
    for folder in ("config", "templates", "locales"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    sms = tmp_path / "templates" / "messages" / "canned" / "ui.txt"
    sms.write_text(sms.read_text("utf-8").replace("We will call you soon.", "We call."), "utf-8")
    bench = Workbench(tmp_path)
    with pytest.raises(BadInput, match="English of canned"):
        rows(bench.shelf("es"), {})
    with pytest.raises(BadInput, match="English is written in the templates"):
        rows(bench.shelf("en"), {})


def test_files_that_are_no_rows_are_refused_with_their_line() -> None:
    bomb = b'<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>\n<xliff>&a;</xliff>'
    deep = b"<xliff>" + b"<a>" * 60
    for raw, said in [
        (bomb, "x:2: the file has a document type"),
        (deep, "too deep"),
        (b"<xliff", "this is no XML"),
        (b'<xliff version="2.0"></xliff>', "no XLIFF 1.2"),
        (b"<xliff>&a;</xliff>", "this is no XML"),
        (b"<" * (MOST_BYTES + 1), "bytes"),
    ]:
        with pytest.raises(BadFile, match=said):
            rows_xliff.read("x", raw)
    for raw, said in [
        (b"a,b\n1,2\n", "x:1: columns are missing: locale"),
        (b"locale,name\nes,\xff\n", "x:2: the file is not UTF-8"),
        (b'locale,name,english,translation,mark\n"es"x,1,2,3,4\n', "x:2: the row cannot be read"),
        (b"", "columns are missing"),
        (b"x" * (MOST_BYTES + 1), "bytes"),
    ]:
        with pytest.raises(BadFile, match=said):
            rows_csv.read("x", raw)


def test_what_a_tool_suggests_beside_a_unit_is_not_its_translation(shelf: Shelf, given: list[Row]) -> None:
    raw = rows_xliff.written(given[:1], shelf.language).decode()
    other = "<alt-trans><source>x</source><target>y<g/></target></alt-trans></trans-unit>"
    assert _core(rows_xliff.read("x", raw.replace("</trans-unit>", other).encode())) == _core(given[:1])
