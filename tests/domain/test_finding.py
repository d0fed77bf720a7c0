"""What a patient is found by: any beginning of any part of a name in any script, numbers, addresses, identifiers."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outreach.domain.channel import Channel
from outreach.domain.finding import of_address, of_external, of_name, wanted

SCRIPTS = st.one_of(
    st.text(max_size=30),
    *(st.text(st.sampled_from(chars), max_size=30) for chars in (
        "abcčéñøßİıœ '-", "АБВёйґ -", "أحمدآإٱؤئةىـًَُِّ الي", "Nguyễn Thị Đàòẵ ", "王小明山田太郎가각김민수ㄱ パガぴ",
        "नेहाशर्मािीुू ", "กุ้งสมชายน้ำ", "אבגדּ ־", "Ωσςάϊ", "ﬁﷺ½ⅷﾊﾟ\u0345\u1fb3",
    )),
)  # fmt: skip


def found(name: str, text: str) -> bool:
    return any(meaning <= of_name(name) for meaning in wanted(text, "US"))


@given(name=SCRIPTS, data=st.data())
@example(name="Åse-Marie O’Brien", data=None)
def test_every_beginning_of_every_part_finds_the_name(name: str, data: st.DataObject | None) -> None:
    for part in re.split(r"[\s@]+", name):
        for end in range(1, len(part) + 1):
            typed = part[:end]
            if wanted(typed, "US"):
                assert found(name, typed), (name, typed)


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("José Ñandú", "nandu"),
        ("Nguyễn Thị Linh", "nguyen li"),
        ("Đặng Văn", "dang"),
        ("أحمد المصري", "احمد"),
        ("مُحَمَّد", "محمد"),
        ("أحمد المصري", "مصري"),
        ("فاطمة", "فاطمه"),
        ("王小明", "小明"),
        ("김민수", "민수"),
        ("김민수", "ㄱ"),
        ("ヤマダ タロウ", "やま"),
        ("Sinéad O’Brien", "brien"),
        ("Sinéad O’Brien", "OBri"),
        ("Sinéad O’Brien", "o'bri"),
        ("Anne-Marie Weiß", "weiss"),
        ("Anne-Marie Weiß", "Marie"),
        ("Anne Marie", "anne-m"),
        ("Wolfeschlegelsteinhausenbergerdorff", "Wolfeschlegelsteinhausenberger"),
        ("山田Taro", "taro"),
    ],
)
def test_names_are_found_as_people_type_them(name: str, typed: str) -> None:
    assert found(name, typed)


@pytest.mark.parametrize(
    ("name", "typed"), [("José Ñandú", "andu"), ("Ana Lopez", "ana m"), ("Ana", " - "), ("Li", "Lin")]
)
def test_what_is_no_beginning_finds_nothing(name: str, typed: str) -> None:
    assert not found(name, typed)


@pytest.mark.parametrize(
    "typed",
    ["+1 202 555 0188", "(202) 555-0188", "2025550188", "1-202-555-0188", "0188", "55-0188", "٠١٨٨", "+12025550188"],
)  # fmt: skip
def test_a_number_is_found_whole_in_any_notation_or_by_its_end(typed: str) -> None:
    terms = of_address(Channel.SMS, "+12025550188")
    assert any(meaning <= terms for meaning in wanted(typed, "US"))


def test_a_part_from_the_middle_of_a_number_finds_nothing() -> None:
    terms = of_address(Channel.SMS, "+12025550188")
    assert not any(meaning <= terms for typed in ("188", "2555018", "12025550") for meaning in wanted(typed, "US"))


@pytest.mark.parametrize(
    ("typed", "meets"),
    [("Ana.Lopez@Example.org", True), ("ana.lo", True), ("analo", True), ("ana.lopez@exa", True),
     ("lopez", False), ("example", False), ("ana.lopez@other.org", False)],
)  # fmt: skip
def test_an_address_is_found_whole_or_by_its_beginning(typed: str, meets: bool) -> None:
    terms = of_address(Channel.EMAIL, "ana.lopez@example.org")
    assert any(meaning <= terms for meaning in wanted(typed, "US")) == meets


@pytest.mark.parametrize(
    ("typed", "meets"), [("MRN-00172", True), ("mrn 001", True), ("mrn0", True), ("00172", False), ("mrn-00173", False)]
)
def test_the_clinics_own_identifier_is_found_by_its_beginning(typed: str, meets: bool) -> None:
    assert any(meaning <= of_external("MRN-00172") for meaning in wanted(typed, "US")) == meets


@pytest.mark.parametrize("nothing", ["", "  ", "…", "@", "🎉"])
def test_nothing_to_look_for_is_no_meaning(nothing: str) -> None:
    assert wanted(nothing, "US") == []
