"""Days, clocks, numbers and directions, as a reader of each language sees them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from outreach.content.compose import Values, Words
from outreach.content.formats import FSI, PDI, RLM, isolated, load_languages, opened, resolve
from outreach.domain.channel import Channel
from outreach.errors import BadFile, BadInput
from outreach.settings import ROOT

PLAIN = Values(
    clinic="Harbourview Clinic",
    clinic_phone="+16045550199",
    zone="America/Vancouver",
    clinic_address="1200 North Harbour Street",
    emergency="911",
    visit_start=datetime(2026, 9, 30, 17, 45, tzinfo=UTC),
    link="https://outreach.example/p/abc",
    unsubscribe="https://outreach.example/u/abc",
)


def test_english_times_cost_no_odd_space(words: Words) -> None:
    said = words.compose("visit.cancelled", Channel.SMS, "en", "full", PLAIN)
    assert "Wednesday, September 30, 2026, 10:45 AM" in said.text
    assert (said.encoding, said.segments) == ("GSM-7", 1)


def test_spanish_says_the_day_in_full(words: Words) -> None:
    said = words.compose("visit.cancelled", Channel.SMS, "es", "full", PLAIN)
    assert "10:45 a.m., miércoles, 30 de septiembre de 2026" in said.text


def test_arabic_runs_right_to_left_with_numbers_in_order(words: Words) -> None:
    said = words.compose("visit.cancelled", Channel.SMS, "ar", "full", PLAIN).text
    assert said.startswith(RLM + "Harbourview Clinic: ")
    assert "الأربعاء، 30 سبتمبر 2026، 10:45 ص" in said
    assert f"{FSI}+1 604-555-0199{PDI}" in said
    assert not any("\u0660" <= char <= "\u0669" for char in said), "Latin digits, for tap-to-call"
    assert said.count(FSI) == said.count(PDI) == 1


def test_arabic_mail_carries_its_direction_three_times(words: Words) -> None:
    mail = words.compose("pre.the_day", Channel.EMAIL, "ar", "full", PLAIN)
    assert '<html lang="ar" dir="rtl">' in mail.html
    assert mail.html.count('dir="rtl"') >= 4
    assert 'align="right"' in mail.html
    assert 'align="left"' not in mail.html
    assert '<bdi dir="ltr">+1 604-555-0199</bdi>' in mail.html
    assert FSI not in mail.html
    assert f"{FSI}+1 604-555-0199{PDI}" in mail.text
    assert mail.text.startswith(RLM + "Harbourview Clinic")
    assert mail.subject.startswith(RLM + "Harbourview Clinic")


def test_an_arabic_name_needs_no_mark(words: Words) -> None:
    said = words.compose("reply.stopped", Channel.SMS, "ar", "full", PLAIN._replace(clinic="عيادة الميناء")).text
    assert said.startswith("عيادة الميناء")
    assert not words.compose("reply.stopped", Channel.SMS, "en", "full", PLAIN).text.startswith(RLM)


def test_a_visit_is_told_by_the_clinics_clock_where_the_patients_differs(words: Words) -> None:
    away = PLAIN._replace(zone="America/Toronto", clinic_zone="America/Vancouver")
    assert "10:45 AM (clinic time)" in words.compose("visit.cancelled", Channel.SMS, "en", "full", away).text
    home = PLAIN._replace(zone="America/Los_Angeles", clinic_zone="America/Vancouver")
    assert "clinic time" not in words.compose("visit.cancelled", Channel.SMS, "en", "full", home).text
    assert (
        "1:45 PM"
        in words.compose("visit.cancelled", Channel.SMS, "en", "full", PLAIN._replace(zone="America/Toronto")).text
    )


def test_a_moment_without_a_zone_is_refused(words: Words) -> None:
    naive = PLAIN._replace(visit_start=datetime(2026, 9, 30, 10, 45))
    with pytest.raises(BadInput, match="aware"):
        words.compose("visit.cancelled", Channel.SMS, "en", "full", naive)
    with pytest.raises(BadInput, match="America/Vancouver"):
        words.compose("visit.cancelled", Channel.SMS, "en", "full", PLAIN._replace(zone="Mars/Base"))


COUNTS = [(0, "لن تصل"), (1, "واحدة"), (2, "رسالتان"), (3, "3 رسائل"), (11, "11 رسالة"), (100, "100 رسالة أسبوعيا")]


@pytest.mark.parametrize(("number", "form"), COUNTS, ids=[str(number) for number, _ in COUNTS])
def test_arabic_counts_in_six_forms(words: Words, number: int, form: str) -> None:
    assert form in words.page("consent.confirmed", "ar", "full", PLAIN._replace(frequency=number))


def test_units_of_the_page_are_spoken_with_their_values(words: Words) -> None:
    assert words.ui("page.agree", "en") == "I agree to get these messages"
    assert words.ui("page.call", "ar", phone="+1 604-555-0199").endswith(f"{FSI}+1 604-555-0199{PDI}")
    with pytest.raises(BadInput, match="'phone'"):
        words.ui("page.call", "en")


WRITTEN = [
    ("es-MX", "es"), ("ES", "es"), ("en_CA", "en"), ("ar-EG", "ar"), ("zh-CN", "zh_Hans"), ("zh_TW", "zh_Hant"),
    ("pt", "pt_BR"), ("pt-PT", "pt_BR"), ("tl", "fil"), ("iw", "he"), ("zh-Hant-HK", "zh_Hant"),
]  # fmt: skip


@pytest.mark.parametrize(("tag", "locale"), WRITTEN, ids=[tag for tag, _ in WRITTEN])
def test_a_written_language_finds_its_locale(tag: str, locale: str) -> None:
    assert resolve(tag, ["en", "es", "ar", "zh_Hans", "zh_Hant", "pt_BR", "fil", "he"]) == locale


@pytest.mark.parametrize("tag", ["xx", "", "klingon", "../en", "e"])
def test_an_unknown_language_is_refused_with_the_choice(words: Words, tag: str) -> None:
    with pytest.raises(BadInput, match="ar, en, es"):
        words.resolve(tag)


def test_what_a_row_of_the_language_table_lacks_is_named(tmp_path: Path) -> None:
    path = tmp_path / "languages.yaml"
    path.write_text("ru: {name: Russian, own_name: Русский, direction: ltr, formats: ru, clock: 12}", "utf-8")
    with pytest.raises(BadFile, match=r"ru: ru has no 12-hour clock"):
        load_languages(path)
    path.write_text("ru: {name: Russian, direction: ltr, formats: ru, clock: 24}", "utf-8")
    with pytest.raises(BadFile, match="own_name"):
        load_languages(path)
    path.write_text("ru: [", "utf-8")
    with pytest.raises(BadFile, match=r"languages\.yaml"):
        load_languages(path)


def test_isolates_stand_only_where_order_is_at_stake() -> None:
    languages = load_languages(ROOT / "config" / "languages.yaml")
    assert isolated(languages["ar"], "911") == "911"
    assert isolated(languages["ar"], "Harbour Clinic") == "Harbour Clinic"
    assert isolated(languages["ar"], "555-010-0199") == f"{FSI}555-010-0199{PDI}"
    assert isolated(languages["en"], "555-010-0199") == "555-010-0199"
    assert opened(languages["ar"], "سلام\nHello") == f"سلام\n{RLM}Hello"
    assert opened(languages["ar"], f"{FSI}Clinic 1{PDI}: سلام") == f"{FSI}Clinic 1{PDI}: سلام"
