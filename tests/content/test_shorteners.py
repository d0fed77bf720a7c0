"""Shared link shorteners: found however they are written, and nothing else taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from outreach.content.checker.house import House
from outreach.content.checker.units import faults
from outreach.content.instructions import faults as instructed
from outreach.content.shorteners import load
from outreach.errors import BadFile, BadInput
from outreach.settings import ROOT

LIST = load(ROOT / "config" / "shorteners.yaml")
HELD = {
    "See bit.ly/abc": "bit.ly", "https://BIT.LY/abc": "bit.ly", "(t.co/x)": "t.co", "tinyurl.com.": "tinyurl.com",
    "map: maps.app.goo.gl/Zz9.": "maps.app.goo.gl", "http://www.is.gd/a": "www.is.gd", "انظر bit.ly/abc": "bit.ly",
    "ｂｉｔ．ｌｙ／ａｂｃ": "bit.ly",
}  # fmt: skip
FREE = ("rabbit.lymph", "ana@bit.ly.example.org", "obit.ly", "https://clinic.example/bit.html", "not.com", "at.company",
        "See you at 3.t.co-workers", "bit.ly.example.org", "")  # fmt: skip


def test_a_shortener_is_found_however_it_is_written_and_nothing_else_is_one() -> None:
    assert {text: LIST.found(text) for text in HELD} == HELD
    assert [text for text in FREE if LIST.found(text)] == []
    with pytest.raises(BadInput, match=r"bit\.ly shortens links for everybody"):
        LIST.refuse("bit.ly/abc")


def test_neither_an_instruction_nor_a_translation_may_hold_one() -> None:
    house = House(ROOT)
    assert "markup.shortener" in {one.rule for one in instructed(house, "en", "The way: bit.ly/abc", "", own=True)}
    assert "markup.shortener" in {one.rule for one in faults("Hello", "", ["Hola, bit.ly/abc"], house.standard("es"))}


def test_a_list_without_names_or_sources_is_refused(tmp_path: Path) -> None:
    for text in ("names: []\nsources: [x]\n", "names: [bit.ly]\n", "names: ['http://bit.ly']\nsources: [x]\n", "- x\n"):
        (path := tmp_path / f"{len(text)}.yaml").write_text(text, "utf-8")
        with pytest.raises(BadFile):
            load(path)
