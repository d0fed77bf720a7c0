"""What a clinic may change of a sequence, and what it may not."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from outreach.domain.channel import Channel
from outreach.domain.choices import Wish, check
from outreach.domain.sequence import Sequence, Step, adapted
from outreach.domain.timing import Until, When
from outreach.domain.window import QuietHours

SMS = (Channel.SMS,)
DAY = timedelta(days=1)


def step(key: str, days: int, clock: time | None, optional: bool = False) -> Step:
    text = f"{abs(days)} days before start at {clock:%H:%M}" if clock else "2 hours after end"
    offset = days * DAY if clock else timedelta(hours=2)
    return Step(key, SMS, "infusion", Until("end of day"), When(text, "start", offset, clock), optional=optional)


ASK = Step("ask", SMS, "address", Until("start"), trigger="enrolment")
MOVED = Step("moved", SMS, "change", Until("start"), trigger="moved")
STEPS = (ASK, step("early", -3, time(10)), step("late", -3, time(12)), step("may", -1, time(10), True),
         step("hours", 0, None), MOVED)  # fmt: skip
SEQUENCE = Sequence("one", "digest", STEPS)
QUIET = QuietHours(time(9), time(19))


def keys(sequence: Sequence) -> list[str]:
    return [one.key for one in sequence.steps]


def test_nothing_chosen_is_the_file_itself() -> None:
    assert adapted(SEQUENCE, {}) is SEQUENCE


def test_a_clinics_own_time_is_kept_in_rule_and_words() -> None:
    changed = adapted(SEQUENCE, {"early": {"at": "09:30"}}).step("early")
    assert changed.when is not None
    assert (changed.when.at, changed.when.text) == (time(9, 30), "3 days before start at 09:30")


def test_what_is_adapted_twice_is_as_it_was() -> None:
    changes = {"early": {"at": "09:30"}, "may": {"off": True}}
    once = adapted(SEQUENCE, changes)
    assert adapted(once, changes) == once
    assert once.digest != SEQUENCE.digest


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"late": {"off": True}}, id="a message that the file does not let go"),
        pytest.param({"gone": {"at": "10:30"}}, id="a message that is not there any more"),
        pytest.param({"hours": {"at": "10:30"}}, id="a time of day where hours count"),
        pytest.param({"ask": {"at": "10:30"}}, id="a time of day for an event"),
        pytest.param({"early": {"at": "25:00"}}, id="a time that is none"),
        pytest.param({"early": {"at": None}}, id="nothing for a time"),
    ],
)
def test_a_plan_never_fails_over_an_old_choice(change: dict[str, dict[str, object]]) -> None:
    assert adapted(SEQUENCE, change) is SEQUENCE


def test_switched_off_it_still_tells_of_changes_and_asks_nobody() -> None:
    assert keys(adapted(SEQUENCE, {}, active=False)) == ["moved"]


def test_a_message_left_out_is_not_there() -> None:
    assert "may" not in keys(adapted(SEQUENCE, {"may": {"off": True}}))


@pytest.mark.parametrize(
    ("key", "wish", "said"),
    [
        pytest.param("early", "7:59", "from 08:00 to 20:00", id="before breakfast"),
        pytest.param("early", "20:01", "from 08:00 to 20:00", id="late in the evening"),
        pytest.param("early", "08:30", "quiet hours", id="before the clinic writes"),
        pytest.param("may", "19:00", "quiet hours", id="when the clinic stops writing"),
        pytest.param("early", "soon", "not a time of day", id="no time"),
        pytest.param("late", "09:30", "before the message it follows", id="before what it follows"),
        pytest.param("early", "12:30", "before the message it follows", id="after what follows it"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(key: str, wish: str, said: str) -> None:
    wrong = check(SEQUENCE, {key: Wish(wish)}, QUIET).wrong
    assert [text for text in wrong.values() if said in text]
    assert len(wrong) == 1


def test_only_what_differs_is_kept() -> None:
    wishes = {"early": Wish("10:00"), "late": Wish("14:15", off=True), "may": Wish("", off=True), "hours": Wish("9:30")}
    checked = check(SEQUENCE, wishes, QUIET)
    assert checked.wrong == {}
    assert checked.changes == {"late": {"at": "14:15"}, "may": {"off": True}}


def test_both_ends_of_the_day_are_allowed() -> None:
    wide = QuietHours(time(0), time(0))
    assert check(SEQUENCE, {"early": Wish("08:00"), "late": Wish("20:00")}, wide).wrong == {}
