"""Answer buttons: the same as replying 1 or 2 by text, once, while the answer still means what was asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from outreach.content.sequences import load as load_sequence
from outreach.settings import ROOT
from outreach.store.traffic import InboundMessage
from tests.web.house import House
from tests.web.links import Held, hold


def answers(house: House) -> list[tuple[object, ...]]:
    with house.out.sessions() as session:
        rows = session.execute(
            select(InboundMessage.understood, InboundMessage.answer, InboundMessage.needs_person,
                   InboundMessage.about_message_id).order_by(InboundMessage.received_at)
        )  # fmt: skip
        return [tuple(row) for row in rows]


def press(held: Held, step: str, digit: str, house: House | None = None) -> str:
    """Press, and give the page after it."""
    browser, token = (house or held.house).browser(), held.tokens[step]
    answer = browser.post(f"/p/{token}/answer", data={"answer": digit})
    assert answer.status_code == 303
    return browser.get(answer.headers["location"]).text


@pytest.mark.parametrize(("step", "digit", "said", "needs_person"), [
    ("pre.the_day", "1", "I will come", False),
    ("pre.the_day", "2", "I need to change it", True),
    ("post.check_in", "1", "The side effects are gone", False),
    ("post.check_in", "2", "They are still there, please call me", True),
])  # fmt: skip
def test_a_press_is_kept_like_a_reply_and_says_what_happened(
    house: House, step: str, digit: str, said: str, needs_person: bool
) -> None:
    held = hold(house)
    assert said in house.browser().get(f"/p/{held.tokens[step]}").text
    html = press(held, step, digit)
    assert f"You answered: {said}." in html
    assert 'name="answer"' not in html
    assert answers(house) == [("answer", digit, needs_person, held.ids[step])]
    assert held.audited()[-1] == "message.answered"


def test_the_first_answer_stands_however_often_it_is_pressed(house: House) -> None:
    held = hold(house)
    for digit in ("1", "1", "2"):
        html = press(held, "pre.the_day", digit)
    assert "You answered: I will come." in html
    assert len(answers(house)) == 1
    assert held.audited().count("message.answered") == 1


@pytest.mark.parametrize("digit", ["", "3", "1 ", "STOP", "<script>", "١"])
def test_what_was_not_asked_for_is_no_answer(house: House, digit: str) -> None:
    held = hold(house)
    press(held, "pre.the_day", digit)
    assert answers(house) == []


def test_a_message_that_asks_nothing_takes_no_answer(house: House) -> None:
    held = hold(house)
    for step in ("pre.tomorrow", "post.first_hours"):
        press(held, step, "2")
    assert answers(house) == []


def test_after_the_visit_began_it_is_too_late_to_say_that_one_comes(house: House) -> None:
    held = hold(house)
    late = house.later(timedelta(days=3))
    html = press(held, "pre.the_day", "1", late)
    assert "It is too late to answer here." in html
    assert answers(house) == []


def test_a_check_in_can_be_answered_for_a_week(house: House) -> None:
    held = hold(house)
    assert "It is too late" in press(held, "post.check_in", "2", house.later(timedelta(days=8)))
    assert "You answered" in press(held, "post.check_in", "2", house.later(timedelta(days=6)))


def test_every_step_that_asks_has_words_for_its_buttons_in_every_language(house: House) -> None:
    for path in sorted((ROOT / "config" / "sequences").glob("*.yaml")):
        for step in load_sequence(path).steps:
            for digit in step.answers if step.key != "consent.request" else ():
                for locale in house.out.words.locales:
                    assert house.out.words.ui(f"page.answer.{step.key}.{digit}", locale)
