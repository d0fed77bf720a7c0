"""The inbox: what needs a person, most pressing first; read, taken, answered, closed, and told to whoever is second."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from outreach.actions.answer import compose
from outreach.actions.dispatch import drain
from outreach.actions.escalate import STEP, escalate
from outreach.domain.access import Role
from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentKind
from outreach.domain.deadlines import SYMPTOM_DUE
from outreach.domain.message import Inbound
from outreach.domain.window import wall_at
from outreach.providers.memory import MemoryProvider
from outreach.store import audit, clinics, consents, enrolments, inbox, infusions, patients, staff, tasks
from outreach.store.office import Audit, Note, Task
from outreach.store.told import of_tasks
from outreach.store.traffic import InboundMessage, Message, Sender
from outreach.store.turns import Ahead
from tests.web.house import NOW, PASSWORD, House, add_clinic, count_queries, field

OURS = "+12025550110"


def agreed(house: House, patient_id: UUID, kind: ConsentKind = ConsentKind.AGREED) -> None:
    with house.out.sessions.begin() as session:
        reach = patients.addresses(session, house.clinic_id, patient_id)[Channel.SMS]
        consents.add(
            session, clinic_id=house.clinic_id, patient_id=patient_id, address_id=reach.id, channel=Channel.SMS,
            kind=kind, method="paper", actor="desk", at=NOW - timedelta(hours=1), evidence=str(uuid4()), warned=True,
        )  # fmt: skip


def wrote(
    house: House, patient_id: UUID | None, body: str, *, minutes: int = 0, needs_person: bool = True,
    understood: str = "other", clinic_id: UUID | None = None, phone: str = "+12025550143",
    channel: Channel = Channel.SMS,
) -> UUID:  # fmt: skip
    """An inbound message as it is kept, so many minutes after NOW."""
    owner = clinic_id or house.clinic_id
    with house.out.sessions.begin() as session:
        writer = None
        if patient_id is not None:
            reach = patients.addresses(session, owner, patient_id)[Channel.SMS]
            writer = inbox.Sender(reach.id, patient_id, "en", "America/Chicago")
        kept = inbox.keep(
            session, owner, Inbound(f"SM{uuid4().hex}", channel, phone, OURS, body), phone, sender=writer,
            understood=understood, answer=None, locale=None, about=None, needs_person=needs_person,
            now=NOW + timedelta(minutes=minutes),
        )  # fmt: skip
    assert kept
    return kept


def waits(
    house: House, patient_id: UUID | None, kind: str, *, ago: timedelta = timedelta(0), inbound_id: UUID | None = None,
    clinic_id: UUID | None = None,
) -> UUID:  # fmt: skip
    with house.out.sessions.begin() as session:
        made = tasks.open_task(
            session, clinic_id=clinic_id or house.clinic_id, patient_id=patient_id, kind=kind,
            occasion=f"test:{uuid4()}", now=NOW - ago, inbound_id=inbound_id,
        )  # fmt: skip
    assert made
    return made


def colleague(house: House, email: str = "bea@north.example", role: Role = Role.COORDINATOR) -> UUID:
    with house.out.sessions.begin() as session:
        return staff.add(session, clinic_id=house.clinic_id, email=email, name="Bea Both", password=PASSWORD, role=role)


def named(house: House, name: str, number: int) -> UUID:
    with house.out.sessions.begin() as session:
        patient_id = patients.add(
            session, clinic_id=house.clinic_id, name=name, locale="en", zone="America/Chicago", wording="full", now=NOW
        )
        patients.set_address(session, house.clinic_id, patient_id, Channel.SMS, f"+1202555{3000 + number}", NOW)
    return patient_id


def order(html: str) -> list[str]:
    return re.findall(r'class="who" href="[^"]*"><bdi[^>]*>([^<]*)<', html)


def send(browser: Any, patient_id: UUID, page: str, text: str, **more: str) -> Any:
    """The form of the thread as a browser would send it."""
    form = {name: field(page, name) for name in ("csrf", "once", "until")} | {"seen": _seen(page), "text": text} | more
    return browser.post(f"/inbox/patients/{patient_id}/answer", data=form)


def test_whoever_answers_may_leave_the_task_to_others_and_can_call_from_the_page(house: House) -> None:
    patient = house.patient()
    agreed(house, patient)
    wrote(house, patient, "Can I drive?")
    task_id = waits(house, patient, "reply")
    desk = house.desk()
    page = desk.get(f"/inbox/patients/{patient}").text
    assert re.search(r'<input type="checkbox" name="take" value="1" checked>', page)
    assert re.search(r'href="tel:\+\d{11}"', page)
    assert send(desk, patient, page, "One moment.").status_code == 303
    with house.out.sessions() as session:
        task = session.get(Task, task_id)
        assert task is not None
        assert task.taken_by is None


def _seen(page: str) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', page)
    assert found
    return found[1]


def sent(house: House) -> list[Message]:
    with house.out.sessions() as session:
        return list(session.scalars(select(Message).where(Message.step == "staff.message").order_by(Message.due_at)))


def actions(house: House) -> list[str]:
    with house.out.sessions() as session:
        return [row for row in session.scalars(select(Audit.action).order_by(Audit.seq)) if "signed" not in row]


def test_urgent_first_then_unread_and_overdue_then_open_then_the_rest(house: House) -> None:
    people = {name: named(house, name, number) for number, name in enumerate(("Ada", "Bob", "Cy", "Di", "Ed"))}
    waits(house, people["Ada"], "reply")
    waits(house, people["Bob"], "call", ago=timedelta(hours=5))
    wrote(house, people["Cy"], "Is it normal?")
    waits(house, people["Di"], "urgent")
    wrote(house, people["Ed"], "thanks", needs_person=False)
    desk = house.desk()
    assert order(desk.get("/inbox?show=all").text) == ["Di", "Bob", "Cy", "Ada", "Ed"]
    assert order(desk.get("/inbox").text) == ["Di", "Bob", "Cy", "Ada"]
    assert order(desk.get("/inbox?show=urgent").text) == ["Di"]
    assert order(desk.get("/inbox?show=overdue").text) == ["Bob"]
    assert order(desk.get("/inbox?show=mine").text) == []


def test_what_is_urgent_is_not_hidden_behind_what_came_after_it(house: House) -> None:
    who = house.patient()
    alarming = wrote(house, who, "I cannot breathe", understood="urgent")
    waits(house, who, "urgent", inbound_id=alarming)
    wrote(house, who, "what is your address", minutes=3)
    page = house.desk().get("/inbox").text
    assert "I cannot breathe" in page
    assert "what is your address" not in page


def test_pages_of_a_busy_day_leave_nobody_out_and_show_nobody_twice(house: House) -> None:
    for number in range(95):
        # What is urgent came last, and all others have been overdue for a day: it is still first.
        kind, days = ("reply", 2) if number else ("urgent", 0)
        waits(house, named(house, f"P{number:03}", number), kind, ago=timedelta(days=days, minutes=number))
    desk, path, seen = house.desk(), "/inbox", list[str]()
    while path:
        html = desk.get(path).text
        seen += order(html)
        found = re.search(r'rel="next" href="([^"]*)"', html)
        path = found[1].replace("&amp;", "&") if found else ""
    assert seen == ["P000", *(f"P{number:03}" for number in reversed(range(1, 95)))]
    assert order(desk.get("/inbox?after=nonsense").text) == seen[:40]


def test_an_unknown_number_stands_in_the_list_and_has_a_page(house: House) -> None:
    inbound_id = wrote(house, None, "who is this?", phone="+12025550177")
    task_id = waits(house, None, "reply", inbound_id=inbound_id)
    desk = house.desk()
    assert order(desk.get("/inbox").text) == ["+1 202-555-0177"]
    assert desk.get(f"/inbox/{task_id}").headers["location"] == f"/inbox/numbers/{inbound_id}"
    page = desk.get(f"/inbox/numbers/{inbound_id}").text
    assert "who is this?" in page
    assert 'name="text"' not in page  # nobody agreed to anything there
    desk.post(f"/inbox/numbers/{inbound_id}/read", data={"csrf": field(page, "csrf"), "until": field(page, "until")})
    desk.post(f"/inbox/{task_id}/close", data={"csrf": field(page, "csrf"), "outcome": "nothing_to_do"})
    assert order(desk.get("/inbox").text) == []


def test_an_unknown_number_is_said_to_have_been_answered_only_where_it_was(house: House) -> None:
    desk = house.desk()
    said = {}
    for number, body, robot in (
        (1, "who is this?", ""),
        (2, "STOP", ""),
        (3, "thanks", ""),
        (4, "I am away", "phrase"),
    ):
        kind = {2: "stop", 3: "thanks"}.get(number, "other")
        inbound_id = wrote(house, None, body, phone=f"+1202555017{number}", understood=kind)
        with house.out.sessions.begin() as session:
            audit.note(
                session, clinic_id=house.clinic_id, at=house.out.clock(), actor_kind="system", actor_id=None,
                action="stranger.wrote", subject="inbound", subject_id=inbound_id,
                detail={"taken_for": kind, "answer": "reply.help" if number == 1 else "", "robot": robot},
            )  # fmt: skip
        said[number] = desk.get(f"/inbox/numbers/{inbound_id}").text
    told, nothing, stop = "It was told how to reach you", "Nothing was answered", "it wants nothing from you"
    found = {number: [one for one in (told, nothing, stop) if one in page] for number, page in said.items()}
    assert found == {1: [told], 2: [stop], 3: [nothing], 4: [nothing]}


def test_the_whole_conversation_with_what_each_reply_was_taken_for_and_why(house: House) -> None:
    patient = house.patient("ar")
    house.message(patient, "post.check_in")
    with house.out.sessions.begin() as session:
        session.execute(
            Message.__table__.update().values(status="delivered", sent_at=NOW - timedelta(hours=2))  # type: ignore[attr-defined]
        )
    wrote(house, patient, "<b>أشعر بدوخة</b>", minutes=1)
    wrote(house, patient, "STOP please", minutes=2, understood="stop")
    page = house.desk().get(f"/inbox/patients/{patient}").text
    assert "E-mail</div>" not in page
    wrote(house, patient, "and by mail", minutes=3, channel=Channel.EMAIL)
    page = house.desk().get(f"/inbox/patients/{patient}").text
    assert page.count("E-mail</div>") == 1
    assert "&lt;b&gt;أشعر بدوخة&lt;/b&gt;" in page
    assert "understood as: stop" in page
    assert "&#34;STOP&#34; (en), </bdi>the whole message" in page
    assert page.index("أشعر") < page.index("STOP please")
    assert 'dir="auto"' in page


def test_the_newest_replies_are_explained_at_once_and_the_others_on_demand(house: House) -> None:
    patient = house.patient()
    for minutes in range(8):
        wrote(house, patient, f"Shall I come? {minutes}", minutes=minutes)
    desk, own = house.desk(), f"/inbox/patients/{patient}"
    page = desk.get(own).text
    assert page.count("no word or digit we know") == 3
    first = page.index("no word or digit we know")
    assert page.index("Shall I come? 5") < first < page.index("Shall I come? 6")  # the newest are the last
    assert f'href="{own}?why=1"' in page
    page = desk.get(f"{own}?why=1").text
    assert page.count("no word or digit we know") == 8
    assert "?why=1" not in page


def test_an_answer_goes_within_consent_by_the_pump_and_takes_the_task(house: House) -> None:
    patient = house.patient()
    agreed(house, patient)
    wrote(house, patient, "Can I drive?")
    task_id = waits(house, patient, "reply")
    desk = house.desk()
    page = desk.get(f"/inbox/patients/{patient}").text
    answer = send(desk, patient, page, "Please  call us.\r\nAny time.", take="1")
    assert answer.headers["location"] == f"/inbox/patients/{patient}?done=sent"
    [message] = sent(house)
    assert (message.status, message.due_at) == ("scheduled", NOW)
    shown = desk.get(f"/inbox/patients/{patient}").text
    assert "North Clinic: Please call us. Any time." in shown
    assert "Dana Desk" in shown
    with house.out.sessions() as session:
        task = session.get(Task, task_id)
        assert task is not None
        assert task.taken_by is not None
        assert session.scalars(select(InboundMessage.read_at)).one() == NOW
    assert actions(house) == ["task.taken", "answer.sent", "inbox.read"]


def test_the_same_form_twice_is_one_answer(house: House) -> None:
    patient = house.patient()
    agreed(house, patient)
    desk = house.desk()
    page = desk.get(f"/inbox/patients/{patient}").text
    for _ in range(2):
        assert send(desk, patient, page, "We will call you.").status_code == 303
    assert len(sent(house)) == 1


def test_of_two_who_answer_at_once_the_second_is_told_and_keeps_the_words(house: House) -> None:
    patient = house.patient()
    agreed(house, patient)
    colleague(house)
    first, second = house.desk(), house.desk("bea@north.example")
    pages = [browser.get(f"/inbox/patients/{patient}").text for browser in (first, second)]
    assert send(first, patient, pages[0], "We call at three.").status_code == 303
    told = send(second, patient, pages[1], "We call at four.")
    assert told.status_code == 409
    assert "Somebody has answered in the meantime" in told.text
    assert "We call at three." in told.text
    assert "We call at four." in told.text
    assert len(sent(house)) == 1
    assert send(second, patient, told.text, "We call at four.").status_code == 303
    assert len(sent(house)) == 2


@pytest.mark.parametrize(
    ("state", "said"),
    [
        pytest.param("never agreed", "the patient has not agreed yet", id="never agreed"),
        pytest.param("stopped", "opted out", id="stopped"),
        pytest.param("no phone", "no number or mailbox", id="no phone"),
        pytest.param("inactive", "inactive", id="inactive"),
    ],
)
def test_what_cannot_go_is_said_before_and_refused_after(house: House, state: str, said: str) -> None:
    patient = house.patient()
    agreed(house, patient)
    desk = house.desk()
    before = desk.get(f"/inbox/patients/{patient}").text
    if state == "never agreed":
        patient = named(house, "Never", 1)
    elif state == "stopped":
        agreed(house, patient, ConsentKind.OPTED_OUT)
    with house.out.sessions.begin() as session:
        if state == "no phone":
            patients.drop_address(session, house.clinic_id, patient, Channel.SMS)
        elif state == "inactive":
            patients.change(session, patients.get(session, house.clinic_id, patient), {"active": False})
    page = desk.get(f"/inbox/patients/{patient}").text
    assert said in page
    assert 'name="text"' not in page
    refused = send(desk, patient, before, "Hello?")
    assert refused.status_code == 422
    assert sent(house) == []


def test_at_night_it_says_so_and_waits_for_the_morning(house: House) -> None:
    patient = house.patient()
    agreed(house, patient)
    night = house.later(timedelta(hours=12))  # midnight in Chicago
    desk = night.desk()
    page = desk.get(f"/inbox/patients/{patient}").text
    assert "It is night for the patient" in page
    assert send(desk, patient, page, "Good morning").headers["location"].endswith("done=later")
    [message] = sent(house)
    assert message.due_at == datetime(2026, 11, 22, 14, tzinfo=UTC)  # eight in Chicago


def test_who_has_just_written_or_is_in_need_is_answered_at_night_too(house: House) -> None:
    patient, night = house.patient(), house.later(timedelta(hours=12))  # midnight in Chicago
    agreed(house, patient)
    desk, midnight = night.desk(), NOW + timedelta(hours=12)
    wrote(house, patient, "are you there?", minutes=7 * 60)  # five hours ago: nobody is woken for it
    page = desk.get(f"/inbox/patients/{patient}").text
    assert "It is night for the patient" in page
    wrote(house, patient, "I cannot sleep", minutes=11 * 60)
    page = desk.get(f"/inbox/patients/{patient}").text
    assert "It is night for the patient" not in page
    assert send(desk, patient, page, "We are here.").headers["location"].endswith("done=sent")
    other = named(house, "Need", 2)
    agreed(house, other)
    waits(house, other, "urgent", ago=timedelta(hours=-1))
    page = desk.get(f"/inbox/patients/{other}").text
    send(desk, other, page, "Is somebody with you?")
    assert [one.due_at for one in sent(house)] == [midnight, midnight]
    with house.out.sessions.begin() as session:
        session.execute(update(Sender).where(Sender.channel == "sms").values(carrier="memory"))
    drain(replace(night.out.pump(), providers={"memory": MemoryProvider()}, ahead=Ahead(None)), 5)
    assert [one.status for one in sent(house)] == ["accepted", "accepted"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("   ", "Write something first.", id="nothing"),
        pytest.param("Look: https://bit.ly/abc", "bit.ly shortens links for everybody", id="a shortened link"),
        pytest.param("x" * 1001, "1001 characters", id="too long"),
        pytest.param("ж" * 500, "SMS parts; 6 are the most", id="too many parts"),
        pytest.param("a\x07b\ud7ff\ufffe", "cannot be sent", id="what no phone shows"),
    ],
)
def test_what_cannot_be_sent_stays_in_the_field_with_the_reason(house: House, text: str, said: str) -> None:
    patient = house.patient()
    agreed(house, patient)
    desk = house.desk()
    answer = send(desk, patient, desk.get(f"/inbox/patients/{patient}").text, text)
    assert answer.status_code == 422
    assert said in answer.text
    assert sent(house) == []


def test_template_syntax_and_sql_are_only_words(house: House) -> None:
    patient = house.patient()
    agreed(house, patient)
    desk = house.desk()
    text = "{{ clinic }} %(x)s '; drop table task; --"
    send(desk, patient, desk.get(f"/inbox/patients/{patient}").text, text)
    page = desk.get(f"/inbox/patients/{patient}").text
    assert "North Clinic: {{ clinic }} %(x)s &#39;; drop table task; --" in page


def test_ready_answers_stand_in_both_languages_and_fill_the_field(house: House) -> None:
    patient = house.patient("es")
    agreed(house, patient)
    desk = house.desk()
    page = desk.get(f"/inbox/patients/{patient}").text
    assert "We will call you soon." in page
    assert 'lang="es"' in page
    filled = send(desk, patient, page, "Hola.", canned="canned.call_soon")
    assert filled.status_code == 200
    assert re.search(r"<textarea[^>]*name=\"text\"[^>]*>\s*Hola\. \S", filled.text)
    assert "SMS parts: 1" in filled.text
    assert sent(house) == []


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("يرجى الاتصال بنا: \u2068+1 312-555-0100\u2069.", id="of a ready answer"),
        pytest.param("يرجى الاتصال بنا: +1 312-555-0100.", id="typed by hand"),
        pytest.param("\u202eيرجى الاتصال بنا: \u2067+1 312-555-0100.", id="with marks that would turn it round"),
    ],
)
def test_a_number_keeps_its_order_in_an_arabic_answer(house: House, typed: str) -> None:
    patient = house.patient("ar")
    with house.out.sessions() as session:
        person = patients.get(session, house.clinic_id, patient)
        clinic = clinics.by_id(session, house.clinic_id)
    said = compose(house.out.words, clinic, person, typed, house.out.shorteners).text
    assert "\u2068+1 312-555-0100\u2069" in said
    assert said.count("\u2068") == said.count("\u2069")
    assert not set(said) & set("\u202e\u2067")


def test_parts_are_counted_while_typing_by_the_same_rules(house: House) -> None:
    patient = house.patient()
    desk = house.desk()
    csrf = field(desk.get(f"/inbox/patients/{patient}").text, "csrf")
    path = f"/inbox/patients/{patient}/count"
    assert desk.post(path, data={"csrf": csrf, "text": "a" * 146}).text == "SMS parts: 1"  # and "North Clinic: "
    assert desk.post(path, data={"csrf": csrf, "text": "a" * 147}).text == "SMS parts: 2"


def test_taken_given_back_closed_with_a_reason_and_a_note(house: House) -> None:
    patient = house.patient()
    task_id = waits(house, patient, "call")
    colleague(house)
    first, second = house.desk(), house.desk("bea@north.example")
    csrf = [field(one.get("/inbox").text, "csrf") for one in (first, second)]
    assert "done=taken" in first.post(f"/inbox/{task_id}/take", data={"csrf": csrf[0]}).headers["location"]
    late = second.post(f"/inbox/{task_id}/take", data={"csrf": csrf[1]})
    assert "done=late" in late.headers["location"]
    assert "Dana Desk has taken it." in second.get(late.headers["location"]).text
    assert order(first.get("/inbox?show=mine").text) == ["Ana Sample"]
    assert "done=late" in second.post(f"/inbox/{task_id}/give-back", data={"csrf": csrf[1]}).headers["location"]
    assert "done=given_back" in first.post(f"/inbox/{task_id}/give-back", data={"csrf": csrf[0]}).headers["location"]
    strange = second.post(f"/inbox/{task_id}/close", data={"csrf": csrf[1], "outcome": "boredom"})
    assert "done=choose" in strange.headers["location"]
    form = {"csrf": csrf[1], "outcome": "called", "remark": "All is well."}
    assert "done=closed" in second.post(f"/inbox/{task_id}/close", data=form).headers["location"]
    assert "done=late" in first.post(f"/inbox/{task_id}/close", data={**form, "csrf": csrf[0]}).headers["location"]
    page = first.get(f"/inbox/patients/{patient}").text
    assert "Called the patient" in page
    assert page.count("All is well.") == 1
    with house.out.sessions() as session:
        assert b"All is well." not in session.scalars(select(Note.body_sealed)).one()
    assert actions(house) == ["task.taken", "task.given_back", "note.added", "task.closed"]


def test_who_closes_a_task_is_told_of_what_has_come_in_meanwhile(house: House) -> None:
    patient = house.patient()
    wrote(house, patient, "Can I drive?")
    task_id, desk = waits(house, patient, "reply"), house.desk()
    page = desk.get(f"/inbox/patients/{patient}").text
    form = {"csrf": field(page, "csrf"), "until": field(page, "until"), "outcome": "answered"}
    wrote(house, patient, "And I feel dizzy", minutes=1)
    late = desk.post(f"/inbox/{task_id}/close", data=form)
    assert late.headers["location"].endswith("?done=news#tasks")
    page = desk.get(late.headers["location"].partition("#")[0]).text
    assert "Something new has come in" in page
    again = desk.post(f"/inbox/{task_id}/close", data=form | {"until": field(page, "until")})
    assert again.headers["location"].endswith("?done=closed#tasks")


def test_the_page_says_why_it_is_due_so_soon_and_who_on_call_was_reached(house: House) -> None:
    patient = house.patient()
    with house.out.sessions.begin() as session:
        course, zone = enrolments.course_for(session, house.clinic_id, patient, NOW), "America/Chicago"
        infusions.add(session, clinic_id=house.clinic_id, course_id=course, zone=zone, minutes=40, now=NOW,
                      starts=wall_at(NOW, zone) - timedelta(days=2))  # fmt: skip
    soon, alarm = waits(house, patient, "reply"), waits(house, patient, "urgent")
    inbound = wrote(house, patient, "I feel dizzy")
    with house.out.sessions.begin() as session:
        session.execute(update(InboundMessage).where(InboundMessage.id == inbound).values(wish="symptom"))
        session.execute(update(Task).where(Task.id == soon).values(due_at=NOW + SYMPTOM_DUE))
        assert escalate(session, ("en",), NOW) == 1
        session.execute(update(Message).where(Message.step == STEP).values(status="delivered", sent_at=NOW))
    page = " ".join(house.desk().get(f"/inbox/patients/{patient}").text.split())
    assert page.count("Tells of a symptom 2 days after an infusion.") == 1
    assert re.search(r"Told to who is on call: 1 message</summary>.{0,60}<bdi>Dana Desk</bdi>.{0,200}Delivered", page)
    with house.out.sessions() as session:
        assert set(of_tasks(session, house.clinic_id, [soon, alarm], STEP)) == {alarm}
        assert of_tasks(session, add_clinic(house.out, "south", "+12025550199"), [alarm], STEP) == {}


def test_who_tells_of_a_symptom_stands_above_ordinary_replies_due_the_same_day_read_or_not(house: House) -> None:
    for number, (name, hours) in enumerate((("Early", 5), ("Dizzy", 2), ("Late", 1), ("Joined", 4), ("Alarm", 0))):
        who, text = named(house, name, number), "Can I drive?"
        inbound = wrote(house, who, text, minutes=-60 * hours)
        waits(house, who, "urgent" if name == "Alarm" else "reply", ago=timedelta(hours=hours), inbound_id=inbound)
        if name == "Joined":
            inbound = wrote(house, who, "And I feel dizzy", minutes=1)
        if name in ("Dizzy", "Joined"):
            with house.out.sessions.begin() as session:
                session.execute(update(InboundMessage).where(InboundMessage.id == inbound)
                                .values(wish="symptom", read_at=NOW))  # fmt: skip
    page = house.desk().get("/inbox").text
    assert order(page) == ["Alarm", "Joined", "Dizzy", "Early", "Late"]
    assert page.count("tells of a symptom") == 2


def test_reading_marks_only_what_stood_on_the_page(house: House) -> None:
    patient = house.patient()
    wrote(house, patient, "first", minutes=-2)
    desk = house.desk()
    page = desk.get(f"/inbox/patients/{patient}").text
    wrote(house, patient, "second", minutes=-1)
    form = {"csrf": field(page, "csrf"), "until": field(page, "until")}
    desk.post(f"/inbox/patients/{patient}/read", data=form)
    desk.post(f"/inbox/patients/{patient}/read", data=form)
    with house.out.sessions() as session:
        marks = session.scalars(select(InboundMessage.read_at).order_by(InboundMessage.received_at)).all()
    assert marks == [NOW, None]
    assert actions(house) == ["inbox.read"]


def test_looking_changes_nothing(house: House) -> None:
    patient = house.patient()
    wrote(house, patient, "hello")
    desk = house.desk()
    for path in ("/inbox", f"/inbox/patients/{patient}"):
        desk.get(path)
    with house.out.sessions() as session:
        assert session.scalars(select(InboundMessage.read_at)).all() == [None]


def test_a_familys_phone_is_named(house: House) -> None:
    patient = house.patient()
    with house.out.sessions.begin() as session:
        other = patients.add(session, clinic_id=house.clinic_id, name="Ben Sample", locale="en", zone="America/Chicago",
                             wording="full", now=NOW)  # fmt: skip
        patients.set_address(session, house.clinic_id, other, Channel.SMS, "+12025550143", NOW)
    page = house.desk().get(f"/inbox/patients/{patient}").text
    assert "This phone is also of:" in page
    assert "Ben Sample" in page


def test_another_clinics_ids_are_not_found(house: House) -> None:
    south = add_clinic(house.out, "south", "+12025550120")
    patient = house.patient(clinic_id=south)
    task_id = waits(house, patient, "urgent", clinic_id=south)
    stranger = wrote(house, None, "hello", clinic_id=south)
    desk = house.desk()
    csrf = {"csrf": field(desk.get("/inbox").text, "csrf")}
    assert order(desk.get("/inbox?show=all").text) == []
    for path in (f"/inbox/{task_id}", f"/inbox/patients/{patient}", f"/inbox/numbers/{stranger}", "/inbox/nonsense"):
        assert desk.get(path).status_code == 404, path
    for path in (
        f"/inbox/{task_id}/take", f"/inbox/{task_id}/give-back", f"/inbox/{task_id}/close",
        f"/inbox/patients/{patient}/count", f"/inbox/patients/{patient}/notes", f"/inbox/patients/{patient}/read",
        f"/inbox/numbers/{stranger}/read",
    ):  # fmt: skip
        assert desk.post(path, data=csrf | {"note": "x", "text": "x", "outcome": "called"}).status_code == 404, path
    form = csrf | {"text": "x", "once": str(uuid4()), "seen": "", "until": "1"}
    assert desk.post(f"/inbox/patients/{patient}/answer", data=form).status_code == 404
    assert sent(house) == []


def test_a_form_of_another_session_is_refused(house: House) -> None:
    task_id = waits(house, house.patient(), "reply")
    desk = house.desk()
    assert desk.post(f"/inbox/{task_id}/take", data={"csrf": "wrong"}).status_code == 403
    assert desk.post("/on-call", data={"csrf": "wrong"}).status_code == 403


def test_viewers_do_not_get_in(house: House) -> None:
    colleague(house, "vic@north.example", Role.VIEWER)
    assert house.desk("vic@north.example").get("/inbox").status_code == 403


def test_a_page_asks_as_often_for_many_as_for_one(house: House) -> None:
    first = named(house, "First", 0)
    wrote(house, first, "one")
    waits(house, first, "reply")
    desk = house.desk()
    counts = []
    for more in (0, 30):
        for number in range(more):
            patient = named(house, f"M{number}", 100 + number)
            wrote(house, patient, "more", minutes=-number)
            waits(house, patient, "reply")
            wrote(house, first, f"and {number}", minutes=-number)
            waits(house, first, "call")
        lengths = []
        for path in ("/inbox", f"/inbox/patients/{first}"):
            with count_queries(house.out.engine) as asked:
                assert desk.get(path).status_code == 200
            lengths.append(len(asked))
        counts.append(lengths)
    assert counts[0] == counts[1]


def test_a_long_conversation_is_read_in_parts(house: House) -> None:
    patient = house.patient()
    for number in range(75):
        wrote(house, patient, f"word {number:02}.", minutes=number)
    desk = house.desk()
    page = desk.get(f"/inbox/patients/{patient}").text
    assert re.findall(r"word (\d\d)\.", page) == [f"{n:02}" for n in range(35, 75)]
    found = re.search(r'href="([^"]*before=\d+)"', page)
    assert found
    assert re.findall(r"word (\d\d)\.", desk.get(found[1]).text) == [f"{n:02}" for n in range(35)]


def test_today_leads_to_the_inbox(house: House) -> None:
    task_id = waits(house, house.patient(), "urgent")
    desk = house.desk()
    assert f'href="/inbox/{task_id}"' in desk.get("/today").text
    assert 'href="/inbox"' in desk.get("/today").text


def test_the_order_on_call_is_kept_and_who_has_no_phone_is_shown(house: House) -> None:
    bea = colleague(house)
    desk = house.desk()
    page = desk.get("/on-call").text
    assert page.count("no phone: by e-mail only") == 2
    assert "Nobody is on call." in page
    with house.out.sessions() as session:
        dana = staff.id_of(session, "desk@north.example")
    form = {"csrf": field(page, "csrf"), f"turn-{dana}": "2", f"turn-{bea}": "1", "turn-x": "1", f"turn-{uuid4()}": "3"}
    assert desk.post("/on-call", data=form).headers["location"] == "/on-call?done=kept"
    assert desk.post("/on-call", data=form).headers["location"] == "/on-call?done=same"
    after = desk.get("/on-call").text
    assert after.index(f"turn-{bea}") < after.index(f"turn-{dana}")
    assert "Nobody is on call." not in after
    assert actions(house) == ["staff.on_call_arranged"]
    assert house.desk("bea@north.example").get("/on-call").status_code == 403
