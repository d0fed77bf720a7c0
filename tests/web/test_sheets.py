"""Tables to take away: no cell is a formula, and every text comes back as it was."""

from __future__ import annotations

import csv
import io

import pytest
from openpyxl import load_workbook

from outreach.content.formulas import charged
from outreach.web.sheets import as_csv, as_xlsx

HEAD = ("what", "many")
TEXTS = [
    pytest.param("+12025550110", id="a number in E.164"),
    pytest.param("=1+1", id="a formula"),
    pytest.param("-1", id="a minus"),
    pytest.param("@SUM(A1)", id="an at sign"),
    pytest.param("\t=1+1", id="a tab before"),
    pytest.param("\r=1+1", id="a carriage return before"),
    pytest.param("＝1+1", id="a full-width equals sign"),
    pytest.param("＋1", id="a full-width plus"),
    pytest.param("－1", id="a full-width minus"),
    pytest.param("＠A1", id="a full-width at sign"),
    pytest.param("'quoted", id="an apostrophe of its own"),
    pytest.param('two\nlines, "said"', id="lines, commas, quotation marks"),
    pytest.param("عربي", id="another script"),
    pytest.param("", id="nothing"),
]


def read_csv(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", TEXTS)
def test_a_csv_holds_no_formula_and_gives_the_text_back(text: str) -> None:
    _, (cell, number) = read_csv(as_csv(HEAD, [[text, 3]]))
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
    assert (charged(cell), number) == (text, "3")


@pytest.mark.parametrize("text", TEXTS)
def test_a_workbook_holds_texts_as_texts_and_numbers_as_numbers(text: str) -> None:
    book = load_workbook(io.BytesIO(as_xlsx("figures", HEAD, [[text, 3]])))
    cell, number = next(iter(book["figures"].iter_rows(min_row=2)))
    assert (cell.value or "").replace("\r", "\n") == text.replace("\r", "\n")
    assert cell.data_type in ("s", "n" if not text else "s", "inlineStr")
    assert (number.value, number.data_type) == (3, "n")


def test_a_nul_in_front_hides_no_formula() -> None:
    assert read_csv(as_csv(HEAD, [["\0=1+1", 1]]))[1][0] == "'=1+1"


def test_numbers_are_left_alone() -> None:
    assert read_csv(as_csv(HEAD, [["x", -5]]))[1] == ["x", "-5"]
