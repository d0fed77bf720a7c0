"""Previews of long courses: the first messages whole, the others counted by kind and day, and each can be reached."""

from __future__ import annotations

import re
from typing import Any

from outreach.bench.page_previews import enrolled, previews
from outreach.web.console.stretch import SHOWN, Stretch
from tests.web.house import NOW, House, field

WHOLE = re.compile(r"Here are messages (\d+) to (\d+) of (\d+), with their words")


def at_a_long_course(house: House) -> tuple[Any, dict[str, str], dict[str, tuple[str, dict[str, str]]]]:
    """(somebody signed in, the secret of their forms, path and form of each preview), where a patient has a course."""
    enrolled(house.out, house.clinic_id, NOW)
    desk = house.desk()
    forms = {door.name: (door.path, dict(door.form or {})) for door in previews(house.out)}
    return desk, {"csrf": field(desk.get("/account").text, "csrf")}, forms


def test_every_message_of_a_long_course_can_be_read_before_it_is_saved(house: House) -> None:
    desk, csrf, forms = at_a_long_course(house)
    path, form = forms["POST /patients/new, 12 visits"]
    html, lines, pages = desk.post(path, data=form | csrf).text, 0, 0
    first = html
    while True:
        here = WHOLE.search(html)
        assert here is not None
        assert html.count('<li class="" id="m-') == html.count("What it will say") == int(here[2]) - int(here[1]) + 1
        lines, pages = lines + html.count('<li class="" id="m-'), pages + 1
        others = re.search(r"<h3>(\d+) other messages</h3>(.*?)</ul>", html, re.DOTALL)
        assert others is not None
        assert int(others[1]) == sum(map(int, re.findall(r'small">(\d+) message', others[2])))
        assert int(others[1]) + int(here[2]) - int(here[1]) + 1 == int(here[3])
        assert "Save and enrol" in html, "from every page"
        further = re.findall(r'name="start" value="(\d+)"', html)
        if here[2] == here[3]:
            break
        # The button's own form carries all that was typed.
        onward = html[html.index("other messages</h3>") :]
        typed = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', onward.partition("</form>")[0]))
        html = desk.post(path, data=typed | {"start": further[-1]}).text
    assert (lines, pages) == (int(here[3]), -(-lines // SHOWN))
    assert lines > 100
    saved = desk.post(
        path, data=dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', first)) | {"step": "save"}
    )
    assert saved.status_code == 303


def test_a_correction_that_changes_every_message_shows_some_and_counts_all(house: House) -> None:
    desk, csrf, forms = at_a_long_course(house)
    path, form = forms["POST /patients/{patient_id}/edit, 12 visits"]
    html = desk.post(path, data=form | csrf).text
    here = WHOLE.search(html)
    assert here is not None
    assert html.partition('id="messages"')[2].count('<td data-label="After">') == SHOWN < int(here[3])
    assert "other planned message" not in html, "another language changes the words of all"
    last = desk.post(path, data=form | csrf | {"start": str(int(here[3]) - 1)}).text
    assert last.partition('id="messages"')[2].count('<td data-label="After">') == 1
    assert "Earlier messages" in last
    path, form = forms["POST /visits/{visit_id}/move, one of 12"]
    moved = desk.post(path, data=form | csrf).text
    pairs = re.findall(
        r'<td data-label="Before"><span>.*?class="when">([^<]+)<.*?class="when">([^<]+)<', moved, re.DOTALL
    )
    assert pairs
    assert any(was != now for was, now in pairs), "old and new time of each"
    assert re.search(r"\d+ other planned messages keep their times and words", moved)
    assert not WHOLE.search(moved)


def test_a_stretch_begins_where_it_was_asked_to_and_at_the_start_for_nonsense() -> None:
    for asked, first in (("", 0), ("24", 24), ("-1", 0), ("²", 0), ("99999999", 0), ("50", 0), ("49", 49)):
        assert Stretch.of(50, asked).first == first, asked
    end = Stretch.of(50, "48")
    assert (end.after, end.earlier, end.later, end.whole) == (50, 24, None, False)
    assert Stretch.of(24, "").whole
    assert Stretch.of(25, "").coming == 1
