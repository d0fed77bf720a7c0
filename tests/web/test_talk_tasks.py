"""Which messages open a task: urgent ones join what waits, strangers come back, those who stand for staff open none."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from outreach.domain.consent import State
from outreach.domain.window import moment
from outreach.store.office import Task
from outreach.store.tables import Patient
from tests.web.house import House
from tests.web.test_conversation import VISIT, Talk


@pytest.fixture
def talk(house: House) -> Talk:
    return Talk(house)


@pytest.fixture
def agreed(talk: Talk) -> Talk:
    talk.enrol()
    talk.heard()
    talk.say("1")
    return talk


def close_all(talk: Talk) -> None:
    with talk.house.out.sessions.begin() as session:
        session.execute(update(Task).values(closed_at=talk.now, outcome="done"))


def test_what_is_urgent_joins_the_task_that_nobody_has_taken(agreed: Talk) -> None:
    for text in ("I can't breathe", "chest pain now", "I fainted"):
        agreed.say(text)
    assert agreed.tasks() == ["urgent"]
    close_all(agreed)
    agreed.say("chest pain again")
    assert agreed.tasks() == ["urgent", "urgent"]


def test_what_a_stranger_tells_that_is_urgent_is_one_task_until_somebody_takes_it(talk: Talk) -> None:
    for text in ("I can't breathe", "chest pain now"):
        talk.post(text)
    assert talk.tasks() == ["urgent"]
    with talk.house.out.sessions.begin() as session:
        session.execute(update(Task).values(taken_by=uuid4(), taken_at=talk.now))
    talk.post("chest pain again")
    assert talk.tasks() == ["urgent", "urgent"]


def test_a_stranger_who_writes_after_a_closed_task_is_shown_again(talk: Talk) -> None:
    for text in ("who is this", "hello again"):
        talk.post(text)
    assert talk.tasks() == ["reply"]
    close_all(talk)
    for text in ("still here", "and still"):
        talk.post(text)
    assert talk.tasks() == ["reply", "reply"]


def test_a_patient_who_writes_on_joins_the_open_task_and_what_is_urgent_its_own(agreed: Talk) -> None:
    for text in ("my parrot says hello", "and so does the cat", "please call me", "call me please"):
        agreed.say(text)
    assert sorted(agreed.tasks()) == ["call", "reply"]
    agreed.say("chest pain now")
    assert sorted(agreed.tasks()) == ["call", "reply", "urgent"]
    close_all(agreed)
    agreed.say("one thing more about the parrot")
    assert sorted(agreed.tasks()) == ["call", "reply", "reply", "urgent"], "what was closed takes nothing in"


def test_a_symptom_after_an_infusion_is_due_within_the_hour_and_brings_an_open_task_forward(agreed: Talk) -> None:
    agreed.now = moment(VISIT, "America/Chicago").at - timedelta(hours=2)
    agreed.say("feeling a bit dizzy but fine")
    assert due(agreed) == timedelta(days=1), "no infusion yet"
    close_all(agreed)
    agreed.now += timedelta(days=2)
    agreed.say("what shall I bring next time")
    answers = agreed.say("I feel dizzy since this morning")
    assert due(agreed) == timedelta(hours=1, minutes=1)
    assert answers == [], "the ordinary answer, which is given once a day; no advice"
    assert [one.wish for one in agreed.inbound()][-2:] == ["", "symptom"]
    close_all(agreed)
    agreed.now += timedelta(days=3)
    agreed.say("I feel dizzy since this morning")
    assert due(agreed) == timedelta(days=1), "five days after is a day like any other"
    assert agreed.inbound()[-1].wish == "symptom", "but whoever reads it is told what it tells of"
    desk = agreed.house.desk()
    thread = desk.get(f"/inbox/patients/{agreed.inbound()[-1].patient_id}").text
    assert "Tells of a symptom." in thread
    assert re.search(r"Why:</?[^<]*<bdi[^>]*></bdi>tells of a symptom|Why: <bdi[^>]*></bdi>tells of a symptom", thread)
    assert "tells of a symptom" in desk.get("/inbox").text


def due(talk: Talk) -> timedelta:
    """How long after it was opened the one open task is overdue."""
    with talk.house.out.sessions() as session:
        task = session.scalars(select(Task).where(Task.closed_at.is_(None))).one()
        return task.due_at - task.opened_at


def test_who_stands_for_staff_opens_no_task_but_is_obeyed(agreed: Talk) -> None:
    with agreed.house.out.sessions.begin() as session:
        session.execute(update(Patient).values(test=True))
    for text in ("my parrot says hello", "chest pain", "START", "please stop texting me"):
        agreed.say(text)
    assert agreed.tasks() == []
    assert agreed.state() is State.OPTED_OUT


def test_a_patient_with_the_number_of_one_who_stands_for_staff_is_the_writer(agreed: Talk) -> None:
    with agreed.house.out.sessions.begin() as session:
        session.execute(update(Patient).values(test=True))
    patient_id = agreed.enrol(name="Ben Sample")
    agreed.heard()
    agreed.say("chest pain")
    assert agreed.inbound()[-1].patient_id == patient_id
    assert agreed.tasks() == ["urgent"]
