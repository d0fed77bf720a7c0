"""The page of senders: what the clinic's own carried, and nothing of another clinic's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import insert, update

from outreach.domain.brakes import Scope
from outreach.domain.channel import Channel
from outreach.store import pauses, senders
from outreach.store.ids import fresh_id
from outreach.store.messages import note
from outreach.store.tables import Clinic
from outreach.store.traffic import Attempt, Message, Sender
from tests.web.house import NOW, House, add_clinic


def carry(house: House, sender_id: object, step: str, segments: int, refused: bool = False) -> None:
    """One message that was handed over by a sender."""
    patient_id = house.patient(phone=f"+1202555{uuid4().int % 10000:04}")
    message_id, _ = house.message(patient_id, step)
    attempt_id = fresh_id()
    with house.out.sessions.begin() as session:
        session.execute(update(Message).where(Message.id == message_id).values(segments=segments, status="accepted"))
        session.execute(
            insert(Attempt).values(id=attempt_id, clinic_id=house.clinic_id, message_id=message_id, number=1,
                                   carrier="twilio", sender_id=sender_id, started_at=NOW - timedelta(hours=1))
        )  # fmt: skip
        if refused:
            note(session, [{"clinic_id": house.clinic_id, "message_id": message_id, "attempt_id": attempt_id,
                            "source": "us", "word": "refused", "at": NOW}])  # fmt: skip


def test_staff_see_what_each_sender_carried_since_yesterday(house: House) -> None:
    with house.out.sessions.begin() as session:
        mine = senders.add(session, house.clinic_id, Channel.SMS, "+12025550111", weight=3, per_second=2.5)
    carry(house, mine, "pre.tomorrow", segments=3)
    with house.out.sessions() as session:
        assert senders.carried(session, house.clinic_id, NOW - timedelta(days=1)) == {mine: senders.Carried(3, 0)}
        assert senders.carried(session, house.clinic_id, NOW) == {}
    html = house.desk().get("/senders").text
    for shown in (
        "+1 202-555-0110",
        "+1 202-555-0111",
        "care@north.example",
        "2.5 a second",
        "75%",
        "3 parts",
        "In use",
    ):
        assert shown in html, shown


def test_what_the_carrier_refused_is_counted_apart(house: House) -> None:
    with house.out.sessions.begin() as session:
        mine = senders.add(session, house.clinic_id, Channel.SMS, "+12025550111")
    carry(house, mine, "pre.tomorrow", segments=3, refused=True)
    with house.out.sessions() as session:
        assert senders.carried(session, house.clinic_id, NOW - timedelta(days=1)) == {mine: senders.Carried(0, 1)}


def test_a_paused_sender_says_so_and_where_to_look(house: House) -> None:
    with house.out.sessions.begin() as session:
        mine = senders.add(session, house.clinic_id, Channel.SMS, "+12025550111")
        pauses.switch_on(session, house.clinic_id, Scope.SENDER, str(mine), "quota", "breaker", NOW)
    html = house.desk().get("/senders").text
    assert html.count("Paused") == 1
    assert 'href="/held"' in html


def test_another_clinics_senders_are_not_shown(house: House) -> None:
    add_clinic(house.out, "south", "+12025550177")
    html = house.desk().get("/senders").text
    assert "+1 202-555-0177" not in html
    assert "+1 202-555-0110" in html


def test_nobody_sees_senders_without_signing_in(house: House) -> None:
    assert house.browser().get("/senders").headers["location"] == "/sign-in"


def test_two_answers_to_a_stop_are_warned_of_where_twilio_itself_carries(house: House) -> None:
    with house.out.sessions.begin() as session:
        session.execute(update(Sender).where(Sender.channel == "sms").values(carrier="twilio"))

    def warned(sandbox: bool) -> list[bool]:
        settings = house.out.settings.model_copy(update={"sandbox": sandbox})
        desk = replace(house, out=replace(house.out, settings=settings)).desk()
        return ["patients get two answers" in desk.get(page).text for page in ("/senders", "/settings")]

    assert warned(sandbox=True) == [False, False]
    assert warned(sandbox=False) == [True, True]
    with house.out.sessions.begin() as session:
        session.execute(update(Clinic).values(carrier_answers="stop_help"))
    assert warned(sandbox=False) == [False, False]
