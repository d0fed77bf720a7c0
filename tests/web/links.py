"""Patients with visits and messages of every kind, and the links they hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update

from outreach.actions import agree
from outreach.domain.channel import Channel
from outreach.domain.window import tz_version
from outreach.store import clinics, consents, enrolments, infusions, patients
from outreach.store.consents import Proof
from outreach.store.office import Audit
from outreach.store.tables import Base, Clinic, Infusion
from outreach.store.traffic import Message
from tests.web.house import NOW, House

STEPS = ("pre.what_to_expect", "pre.the_day", "pre.tomorrow", "post.first_hours", "post.check_in", "post.first_days",
         "post.two_weeks", "post.three_months", "visit.moved", "visit.cancelled")  # fmt: skip
START = datetime(2026, 11, 24, 9, 30)
"""Of the visit, by the clinic's clock (New York); the patient's (Chicago) is an hour behind."""


@dataclass(frozen=True)
class Held:
    """A patient with phone and mailbox, agreed to both, with one visit and one message of each step."""

    house: House
    patient_id: UUID
    visit_id: UUID
    tokens: dict[str, str]
    ids: dict[str, UUID]
    addresses: dict[Channel, UUID]

    def ledger(self) -> list[Proof]:
        with self.house.out.sessions() as session:
            return consents.history(session, self.house.clinic_id, self.patient_id)

    def person(self) -> patients.Person:
        with self.house.out.sessions() as session:
            return patients.get(session, self.house.clinic_id, self.patient_id)

    def audited(self) -> list[str]:
        with self.house.out.sessions() as session:
            return list(session.scalars(select(Audit.action).order_by(Audit.seq)))

    def set_message(self, step: str, **columns: object) -> None:
        with self.house.out.sessions.begin() as session:
            session.execute(update(Message).where(Message.id == self.ids[step]).values(**columns))

    def set_visit(self, **columns: object) -> None:
        with self.house.out.sessions.begin() as session:
            session.execute(update(Infusion).where(Infusion.id == self.visit_id).values(**columns))


def hold(house: House, locale: str = "en", *, phone: str = "+12025550143", warned: bool = True) -> Held:
    """Make one; `warned`: the agreement told that the channels are not encrypted."""
    with house.out.sessions.begin() as session:
        patient_id = patients.add(
            session, clinic_id=house.clinic_id, name="Ana Sample", locale=locale, zone="America/Chicago",
            wording="full", now=NOW,
        )  # fmt: skip
        for channel, value in ((Channel.SMS, phone), (Channel.EMAIL, f"{patient_id.hex[:8]}@example.com")):
            patients.set_address(session, house.clinic_id, patient_id, channel, value, NOW)
        reach = patients.addresses(session, house.clinic_id, patient_id)
        for one in reach.values():
            agree.agree(session, one.id, method="paper", evidence="form", locale=locale, wording="", warned=warned,
                        now=NOW - timedelta(days=9))  # fmt: skip
        course_id = enrolments.course_for(session, house.clinic_id, patient_id, NOW)
        visit_id = infusions.add(
            session, clinic_id=house.clinic_id, course_id=course_id, starts=START, zone="America/New_York", minutes=40,
            now=NOW,
        )  # fmt: skip
        ids = {step: uuid4() for step in STEPS}
        moved = step_facts(house, ids["visit.moved"])
        for step, message_id in ids.items():
            session.execute(
                insert(Message).values(
                    id=message_id, clinic_id=house.clinic_id, patient_id=patient_id, course_id=course_id,
                    infusion_id=None if step.startswith("visit.") else visit_id,
                    occasion=f"visit:{visit_id}:0:{step}" if step.startswith("visit.") else None,
                    address_id=reach[Channel.SMS].id, step=step, channel="sms", wall=NOW.replace(tzinfo=None),
                    zone="America/Chicago", tz_version=tz_version(), rule="test", due_at=NOW, planned_at=NOW,
                    useful_until=NOW + timedelta(days=9), status="delivered", sent_at=NOW, attempts=1, revision=0,
                    facts_sealed=moved if step == "visit.moved" else None,
                )
            )  # fmt: skip
    tokens = {step: house.out.vault.token("message", message_id) for step, message_id in ids.items()}
    return Held(house, patient_id, visit_id, tokens, ids, {channel: one.id for channel, one in reach.items()})


def step_facts(house: House, message_id: UUID) -> bytes:
    """What the news of a moved visit tells."""
    facts = '{"old_start": "2026-11-23T14:30:00+00:00"}'
    return house.out.vault.seal(facts, "message.facts", house.clinic_id, message_id)


def set_clinic(house: House, **columns: object) -> None:
    with house.out.sessions.begin() as session:
        session.execute(update(Clinic).where(Clinic.id == house.clinic_id).values(**columns))
        assert clinics.by_id(session, house.clinic_id)


def everything(house: House) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    with house.out.sessions() as session:
        return {
            name: sorted((tuple(row) for row in session.execute(select(table))), key=repr)
            for name, table in Base.metadata.tables.items()
        }
