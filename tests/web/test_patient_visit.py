"""The visit on its page: both clocks, place, directions, changes, and the file for a calendar."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from icalendar import Calendar

from tests.web.house import NOW, House
from tests.web.links import START, hold, set_clinic


def test_the_page_tells_both_clocks_where_they_differ(house: House) -> None:
    html = house.browser().get(f"/p/{hold(house).tokens['pre.the_day']}").text
    assert "Tuesday, November 24, 2026" in html
    assert "9:30\u202fAM (clinic time)" in html
    assert "8:30\u202fAM" in html
    assert "On your clock" in html


def test_the_other_clock_says_its_day_where_that_differs_too(house: House) -> None:
    held = hold(house)
    held.set_visit(starts=datetime(2026, 11, 25, 0, 30))
    html = house.browser().get(f"/p/{held.tokens['pre.the_day']}").text
    assert "Wednesday, November 25, 2026" in html
    assert "Tuesday, November 24, 2026, 11:30\u202fPM" in html


def test_one_clock_is_enough_for_who_lives_there(house: House) -> None:
    held = hold(house)
    held.set_visit(zone="America/Chicago")
    assert "On your clock" not in house.browser().get(f"/p/{held.tokens['pre.the_day']}").text


def test_the_clinics_directions_are_shown_as_they_are_written(house: House) -> None:
    set_clinic(house, directions="Bus 4.\n<b>Blue door</b>")
    html = house.browser().get(f"/p/{hold(house).tokens['pre.the_day']}").text
    assert "Bus 4.\n&lt;b&gt;Blue door&lt;/b&gt;" in html
    assert "1 Sample Street" in html


def test_after_the_visit_the_page_shows_the_next_one_or_none(house: House) -> None:
    held = hold(house)
    token = held.tokens["post.check_in"]
    assert "Your visit" not in house.later(timedelta(days=5)).browser().get(f"/p/{token}").text


def test_a_visit_that_was_moved_says_so_and_cannot_be_answered_any_more(house: House) -> None:
    held = hold(house)
    held.set_visit(starts=datetime(2026, 11, 27, 9, 30), revision=1)
    browser, token = house.browser(), held.tokens["pre.the_day"]
    html = browser.get(f"/p/{token}").text
    assert "The time was changed after we wrote to you." in html
    assert "Friday, November 27, 2026" in html
    assert 'name="answer"' not in html


def test_a_cancelled_visit_has_no_calendar_file(house: House) -> None:
    held = hold(house)
    held.set_visit(status="cancelled", revision=1)
    browser, token = house.browser(), held.tokens["pre.the_day"]
    html = browser.get(f"/p/{token}").text
    assert "This visit was cancelled." in html
    assert "visit.ics" not in html
    assert browser.get(f"/p/{token}/visit.ics").status_code == 404


@pytest.mark.parametrize("wording", ["full", "neutral"])
def test_the_calendar_file_is_neutral_and_right(house: House, wording: str) -> None:
    held = hold(house)
    set_clinic(house, wording=wording)
    held.set_visit(revision=3)
    answer = house.browser().get(f"/p/{held.tokens['pre.the_day']}/visit.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8; method=PUBLISH"
    assert "appointment.ics" in answer.headers["content-disposition"]
    calendar = Calendar.from_ical(answer.content)
    assert calendar["METHOD"] == "PUBLISH"
    [one] = calendar.walk("VEVENT")
    assert str(one["UID"]) == str(held.visit_id)
    assert (int(one["SEQUENCE"]), str(one["SUMMARY"])) == (3, "Appointment")
    assert one.decoded("DTSTART") == NOW.replace(day=24, hour=14, minute=30)
    assert one.decoded("DTEND") - one.decoded("DTSTART") == timedelta(minutes=40)
    assert START.hour == 9
    assert "infusion" not in answer.text.lower()


def test_the_calendars_title_is_in_the_patients_language(house: House) -> None:
    held = hold(house, "es")
    ics = house.browser().get(f"/p/{held.tokens['pre.the_day']}/visit.ics").text
    assert f"SUMMARY:{house.out.words.ui('calendar.summary', 'es')}" in ics


def test_a_message_without_a_visit_has_no_calendar_file(house: House) -> None:
    _, token = house.message(house.patient(), "consent.request")
    assert house.browser().get(f"/p/{token}/visit.ics").status_code == 404
