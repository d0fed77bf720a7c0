"""What is urgent goes to whoever is on call, then to the next, until somebody takes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, select

from outreach.actions.arrange import arrange
from outreach.actions.dispatch import drain
from outreach.actions.escalate import AT_MOST, EVERY, NOBODY, ROUNDS, UNREAD, escalate
from outreach.actions.unanswered import CALL_KIND
from outreach.content.compose import Words
from outreach.domain.access import Role
from outreach.domain.channel import Channel
from outreach.errors import Reason, Refused
from outreach.providers.memory import MemoryProvider
from outreach.store import alerts, colleagues, senders, staff, tasks
from outreach.store.office import Audit, Task
from outreach.store.tables import Patient, Staff
from outreach.store.traffic import Message
from outreach.store.vault import Vault
from tests.actions.world import World, make_world

LOCALES = ("en", "es")


@dataclass
class Office:
    """A world with people who can be on call, by name, and one urgent task."""

    world: World
    people: dict[str, UUID]
    task_id: UUID

    def after(self, by: timedelta = timedelta(0)) -> int:
        """Escalate once, later by so much; how many were told."""
        self.world.now += by
        with self.world.sessions.begin() as session:
            return escalate(session, LOCALES, self.world.now)

    def on_call(self, *names: str) -> None:
        with self.world.sessions.begin() as session:
            ids = [self.people[name] for name in names]
            arrange(session, self.world.clinic_id, ids, self.world.now, by=self.people["Ann"])

    def told(self) -> list[str]:
        """To whom, by which channel, in the order in which they were planned."""
        names = {staff_id: name for name, staff_id in self.people.items()}
        with self.world.sessions() as session:
            whose = {row.test_patient_id: names[row.id] for row in session.scalars(select(Staff))}
            sent = session.scalars(
                select(Message)
                .where(Message.step == "staff.escalation")
                .order_by(Message.due_at, Message.channel.desc())
            )
            return [f"{whose[one.patient_id]} {one.channel}" for one in sent]

    def open_alerts(self) -> list[str]:
        with self.world.sessions() as session:
            return sorted(one.kind for one in alerts.open_alerts(session, self.world.clinic_id))


@pytest.fixture
def office(engine: Engine, vault: Vault, words: Words) -> Office:
    world = make_world(engine, vault, words)
    people = {}
    with world.sessions.begin() as session:
        senders.add(session, world.clinic_id, Channel.EMAIL, "care@fern.example", carrier="memory")
        for name, role in (("Ann", Role.ADMINISTRATOR), ("Bea", Role.COORDINATOR), ("Vic", Role.VIEWER)):
            people[name] = staff.add(
                session, clinic_id=world.clinic_id, email=f"{name.lower()}@fern.example", name=name, role=role,
                password="a long enough word", locale="es" if name == "Bea" else "en",
            )  # fmt: skip
        colleagues.keep_own(session, world.clinic_id, people["Ann"], phone="+12025550166", locale="en")
        task_id = tasks.open_task(
            session, clinic_id=world.clinic_id, patient_id=world.patient_id, kind="urgent", occasion="inbound:1",
            now=world.now,
        )  # fmt: skip
    assert task_id
    return Office(world, people, task_id)


def test_it_goes_at_once_by_text_and_mail_then_every_ten_minutes_to_the_next(office: Office) -> None:
    office.on_call("Ann", "Bea")
    assert office.after() == 1
    assert office.told() == ["Ann sms", "Ann email"]
    assert office.after(EVERY - timedelta(seconds=1)) == 0
    assert office.after(timedelta(seconds=1)) == 1
    assert office.told()[2:] == ["Bea email"]  # who has no phone is told by e-mail alone
    assert office.after(EVERY) == 1
    assert office.told()[3:] == ["Ann sms", "Ann email"]


def test_the_words_lead_to_the_inbox_and_name_nobody(office: Office) -> None:
    office.on_call("Ann")
    office.after()
    drain(office.world.pump(), 5)
    [parcel] = [one for one in office.world.carrier.parcels if one.channel is Channel.SMS]
    assert f"https://reach.example.org/inbox/{office.task_id}" in parcel.content.text
    assert "Ada" not in parcel.content.text
    assert "/p/" not in parcel.content.text
    with office.world.sessions() as session:
        assert session.scalars(select(Patient.test).where(Patient.id != office.world.patient_id)).all() == [True]


@pytest.mark.parametrize("how", [pytest.param("taken", id="taken"), pytest.param("closed", id="closed")])
def test_who_takes_it_ends_it(office: Office, how: str) -> None:
    office.on_call("Ann", "Bea")
    office.after()
    with office.world.sessions.begin() as session:
        who, now = office.people["Bea"], office.world.now
        if how == "taken":
            assert tasks.take(session, office.world.clinic_id, office.task_id, who, now)
        else:
            assert tasks.close(session, office.world.clinic_id, office.task_id, who, "called", now)
    assert office.after(EVERY) == 0


def test_given_back_it_goes_on(office: Office) -> None:
    office.on_call("Ann", "Bea")
    office.after()
    with office.world.sessions.begin() as session:
        tasks.take(session, office.world.clinic_id, office.task_id, office.people["Bea"], office.world.now)
        assert not tasks.release(session, office.world.clinic_id, office.task_id, office.people["Ann"])
        assert tasks.release(session, office.world.clinic_id, office.task_id, office.people["Bea"])
    assert office.after(EVERY) == 1


def test_after_six_rounds_an_alert_is_left_until_somebody_takes_it(office: Office) -> None:
    office.on_call("Ann")  # and not Bea, who has no phone: this world's carrier takes no e-mail
    told = 0
    for _ in range(ROUNDS + 3):
        told += office.after(EVERY)
        drain(office.world.pump(), 5)
    assert told == ROUNDS
    assert office.open_alerts() == [UNREAD]
    with office.world.sessions.begin() as session:
        tasks.take(session, office.world.clinic_id, office.task_id, office.people["Ann"], office.world.now)
    office.after(EVERY)
    assert office.open_alerts() == []


def test_what_no_carrier_took_does_not_count_as_told(office: Office) -> None:
    office.on_call("Ann", "Bea")
    assert sum(office.after(EVERY) for _ in range(2 * ROUNDS + 1)) == 2 * ROUNDS + 1  # nothing is handed over
    with office.world.sessions() as session:
        [alert] = alerts.open_alerts(session, office.world.clinic_id)
    assert (alert.kind, alert.about) == (
        UNREAD, f"task {office.task_id}: {2 * ROUNDS} times somebody was to be told, 0 times a carrier took it"
    )  # fmt: skip
    assert sum(office.after(EVERY) for _ in range(2 * AT_MOST)) == 2 * (AT_MOST - ROUNDS) - 1


def test_with_nobody_on_call_the_administrators_are_told_and_an_alert_says_so(office: Office) -> None:
    office.after()
    assert office.told() == ["Ann sms", "Ann email"]
    office.after(EVERY)
    assert office.open_alerts() == [NOBODY]
    office.on_call("Bea")
    assert office.open_alerts() == []


def test_only_who_may_answer_can_be_on_call(office: Office) -> None:
    office.on_call("Vic", "Bea")
    office.after()
    assert office.told() == ["Bea email"]


def test_other_tasks_disturb_nobody(office: Office) -> None:
    with office.world.sessions.begin() as session:
        tasks.close(session, office.world.clinic_id, office.task_id, None, "done", office.world.now)
        for kind in ("reply", "call", "change", "shared", "silence", "stop"):
            assert tasks.open_task(
                session, clinic_id=office.world.clinic_id, patient_id=office.world.patient_id, kind=kind,
                occasion="inbound:1", now=office.world.now,
            )  # fmt: skip
    assert office.after() == 0


def test_all_that_is_urgent_in_a_clinic_is_one_message_a_round(office: Office) -> None:
    office.on_call("Bea", "Ann")
    with office.world.sessions.begin() as session:
        more = [
            tasks.open_task(
                session, clinic_id=office.world.clinic_id, patient_id=None, kind="urgent", occasion=f"other:{number}",
                now=office.world.now,
            )
            for number in range(5)
        ]  # fmt: skip
    assert all(more)
    assert office.after() == 1
    assert office.told() == ["Bea email"]
    assert office.after(EVERY) == 1
    assert office.told()[1:] == ["Ann sms", "Ann email"]
    with office.world.sessions() as session:
        assert set(session.scalars(select(Task.escalated))) == {2}
    drain(office.world.pump(), 9)
    [parcel] = [one for one in office.world.carrier.parcels if one.channel is Channel.SMS]
    assert "https://reach.example.org/inbox" in parcel.content.text
    assert "/inbox/" not in parcel.content.text


def test_what_comes_between_two_rounds_waits_for_the_next_or_until_the_first_is_taken(office: Office) -> None:
    office.on_call("Ann", "Bea")
    office.after()
    with office.world.sessions.begin() as session:
        tasks.open_task(session, clinic_id=office.world.clinic_id, patient_id=None, kind="urgent", occasion="other",
                        now=office.world.now)  # fmt: skip
    assert office.after(EVERY / 2) == 0
    with office.world.sessions.begin() as session:
        tasks.take(session, office.world.clinic_id, office.task_id, office.people["Ann"], office.world.now)
    assert office.after() == 1


def test_each_telling_stands_in_the_audit(office: Office) -> None:
    office.on_call("Ann")
    office.after()
    with office.world.sessions() as session:
        [row] = session.scalars(select(Audit).where(Audit.action == "task.escalated"))
        assert (row.subject_id, row.detail) == (str(office.task_id), {"to": str(office.people["Ann"]), "number": 1})


def test_one_occasion_is_one_task_and_one_of_two_takes_it(office: Office) -> None:
    world = office.world
    with world.sessions.begin() as session:
        again = tasks.open_task(
            session, clinic_id=world.clinic_id, patient_id=world.patient_id, kind="urgent", occasion="inbound:1",
            now=world.now,
        )  # fmt: skip
        assert again is None
        assert tasks.take(session, world.clinic_id, office.task_id, office.people["Ann"], world.now)
        assert not tasks.take(session, world.clinic_id, office.task_id, office.people["Bea"], world.now)
        assert not tasks.take(session, uuid4(), office.task_id, office.people["Ann"], world.now)
        assert session.scalars(select(Task.due_at)).one() == world.now + timedelta(minutes=15)


def test_a_call_that_the_carrier_refuses_leaves_an_alert(office: Office) -> None:
    office.on_call("Ann")
    office.after()
    office.world.carrier = MemoryProvider(outcomes=[Refused(Reason.BAD_NUMBER, code="21211")])
    drain(office.world.pump(), 5)
    assert CALL_KIND in office.open_alerts()
