"""What a message is told of its clinic and visit, before any template sees it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from outreach.actions.compose import compose, values_of
from outreach.content import sequences
from outreach.content.compose import Words
from outreach.domain.channel import Channel
from outreach.domain.plan import Visit, Visits
from outreach.domain.status import Status
from outreach.settings import ROOT
from outreach.store.due import ClinicFacts, Due
from outreach.store.seen import Seen
from tests import shipped

NOW = datetime(2026, 9, 20, 8, tzinfo=UTC)
STEPS = {"ketamine-infusion": sequences.load(ROOT / "config" / "sequences" / "ketamine-infusion.yaml")}
LINK, OUT = "https://x.example/p/abc", "https://x.example/u/abc"
VISITS = Visits(
    Visit(uuid4(), UUID(int=1), datetime(2026, 9, day, 10, 45), "America/Vancouver", 60) for day in (21, 23, 28)
)


def _due(step: str, channel: Channel, **message: Any) -> Due:
    blank: dict[str, Any] = dict.fromkeys(Seen._fields)
    seen = Seen(
        **blank | {"id": uuid4(), "step": step, "channel": channel, "status": Status.SENDING, "facts": {}} | message
    )
    clinic = ClinicFacts(
        uuid4(), "Harbour Clinic", "America/Vancouver", "+16045550199", "12 North St", "911", "full", time(8),
        time(21), most_a_day=2, most_a_week=5,
    )  # fmt: skip
    return Due(seen, clinic, "+16045550123", True, True, "en", "America/Vancouver", "full", VISITS)


def test_the_frequency_promised_is_the_cap_the_clinic_keeps(words: Words) -> None:
    due = _due("consent.request", Channel.SMS)
    assert "At most 5 texts a week" in compose(due, shipped.spoken(words), STEPS, LINK, OUT, False, NOW).content.text


def test_a_visit_is_named_by_its_id_alone_in_the_calendar(words: Words) -> None:
    due = _due("pre.the_day", Channel.EMAIL, infusion_id=VISITS[1].id)
    calendar = compose(due, shipped.spoken(words), STEPS, LINK, OUT, True, NOW).content.calendar or b""
    assert f"UID:{VISITS[1].id}\r\n".encode() in calendar
    assert b"DTSTART:20260923T174500Z" in calendar


def test_a_mail_to_staff_says_in_its_subject_when_so_that_two_of_one_night_differ(words: Words) -> None:
    subjects = [
        compose(
            _due("staff.escalation", Channel.EMAIL, facts={"page": "/inbox"}, wall=datetime(2026, 9, 20, 3, minute)),
            shipped.spoken(words), STEPS, LINK, OUT, False, NOW,
        ).content.subject
        for minute in (10, 20)
    ]  # fmt: skip
    assert [one.replace("\u202f", " ") for one in subjects] == [
        f"Harbour Clinic: please read this now (3:{minute} AM)" for minute in (10, 20)
    ]


def test_only_steps_that_say_so_carry_a_calendar(words: Words) -> None:
    due = _due("post.first_days", Channel.EMAIL, infusion_id=VISITS[1].id)
    assert compose(due, shipped.spoken(words), STEPS, LINK, OUT, True, NOW).content.calendar is None


@pytest.mark.parametrize(
    ("facts", "start", "old"),
    [
        ({}, VISITS[1].start, None),
        ({"new_start": "2026-09-25T17:00:00+00:00"}, datetime(2026, 9, 25, 17, tzinfo=UTC), None),
        (
            {"new_start": "2026-09-25T17:00:00+00:00", "old_start": "2026-09-23T17:45:00+00:00"},
            datetime(2026, 9, 25, 17, tzinfo=UTC),
            datetime(2026, 9, 23, 17, 45, tzinfo=UTC),
        ),
    ],
    ids=["as booked", "the message remembers", "moved"],
)
def test_what_a_message_remembers_of_its_visit_comes_first(facts: dict[str, str], start: datetime, old: Any) -> None:
    values = values_of(_due("visit.moved", Channel.SMS, infusion_id=VISITS[1].id, facts=facts), LINK, OUT, NOW)
    assert (values.visit_start, values.old_start) == (start, old)
    assert values.next_visit == VISITS[0].start


def test_a_visit_called_off_is_told_by_what_the_message_remembers(words: Words) -> None:
    gone = _due("visit.cancelled", Channel.SMS, infusion_id=uuid4(), facts={"old_start": "2026-09-23T17:45:00+00:00"})
    said = compose(gone._replace(visits=Visits()), shipped.spoken(words), STEPS, LINK, OUT, True, NOW).content.text
    assert "Wednesday, September 23, 2026, 10:45 AM" in said


def test_the_next_visit_is_the_first_one_that_has_not_begun() -> None:
    first, second = VISITS.booked[:2]
    for now, following in ((first - timedelta(hours=1), first), (first, second), (VISITS.booked[-1], None)):
        assert values_of(_due("pre.the_day", Channel.SMS), LINK, OUT, now).next_visit == following
