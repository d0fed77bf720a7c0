"""A small world for the pump: one clinic, patients with a phone each, and a carrier that remembers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from outreach.actions import reply
from outreach.actions.dispatch import Pump
from outreach.actions.speak import Speakers
from outreach.content.compose import Words
from outreach.content.lexicon import Lexicon
from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentKind
from outreach.domain.message import Inbound, Planned
from outreach.domain.status import Status
from outreach.errors import Reason
from outreach.providers.memory import MemoryProvider
from outreach.store import clinics, consents, enrolments, infusions, patients, senders
from outreach.store.messages import planning
from outreach.store.rows import together
from outreach.store.seen import Seen, timeline
from outreach.store.turns import Ahead
from outreach.store.vault import Vault
from tests import shipped

NOON = datetime(2026, 12, 7, 18, tzinfo=UTC)  # 12:00 in Chicago
PHONE = "+12025550143"
CLINIC = "+12025550100"
ZONE = "America/Chicago"


@dataclass
class World:
    """One clinic, one patient with one phone, and a carrier that remembers."""

    sessions: sessionmaker[Session]
    carrier: MemoryProvider
    words: Words
    clinic_id: UUID
    patient_id: UUID
    address_id: UUID
    course_id: UUID
    infusion_id: UUID
    enrolment_id: UUID
    now: datetime = NOON

    def pump(self) -> Pump:
        sequence = shipped.sequence()
        return Pump(
            self.sessions,
            {"memory": self.carrier},
            Lexicon.of(self.words),
            {sequence.name: sequence},
            "https://reach.example.org",
            lambda: self.now,
            window=8,
            timeout=1,
            lease=30,
            ahead=Ahead(None),
        )

    def plan(self, step: str = "post.check_in", due: datetime | None = None, revision: int = 0) -> None:
        due = due or self.now
        one = Planned(
            step,
            Channel.SMS,
            due.replace(tzinfo=None),
            ZONE,
            "2026c",
            due,
            due + timedelta(days=1),
            "test",
            infusion_id=self.infusion_id,
            course_id=self.course_id,
            revision=revision,
        )
        with self.sessions.begin() as session:
            wanted = planning(
                clinic_id=self.clinic_id, patient_id=self.patient_id, enrolment_id=self.enrolment_id, planned=[one],
                addresses={Channel.SMS: self.address_id}, now=self.now,
            )  # fmt: skip
            together(session, wanted)

    def agree(self, warned: bool = True) -> None:
        with self.sessions.begin() as session:
            consents.add(
                session,
                clinic_id=self.clinic_id,
                patient_id=self.patient_id,
                address_id=self.address_id,
                channel=Channel.SMS,
                kind=ConsentKind.AGREED,
                method="paper",
                actor="desk",
                warned=warned,
                at=self.now - timedelta(days=1),
                evidence="form 1",
            )

    def agree_to_mails(self, mailbox: str) -> UUID:
        """The patient's mailbox, which they agreed to on paper."""
        with self.sessions.begin() as session:
            address_id, _ = patients.set_address(
                session, self.clinic_id, self.patient_id, Channel.EMAIL, mailbox, self.now
            )
            consents.add(
                session, clinic_id=self.clinic_id, patient_id=self.patient_id, address_id=address_id,
                channel=Channel.EMAIL, kind=ConsentKind.AGREED, method="paper", actor="desk", at=self.now,
                evidence="form 2",
            )  # fmt: skip
            return address_id

    def neighbour(self, number: int) -> World:
        """Another patient of the same clinic."""
        with self.sessions.begin() as session:
            return replace(self, **_patient(session, self.clinic_id, f"+1202555{2000 + number}", f"n{number}", "en"))

    def write(self, body: str, carrier_id: str | None = None) -> None:
        said = Inbound(carrier_id or f"SM{uuid4().hex}", Channel.SMS, PHONE, CLINIC, body)
        with self.sessions.begin() as session:
            reply.heard(session, said, replies=shipped.replies(), words=self.words, speakers=Speakers(),
                        laws=shipped.laws(), now=self.now)  # fmt: skip

    def seen(self) -> list[Seen]:
        with self.sessions() as session:
            return timeline(session, self.clinic_id, self.patient_id)

    def states(self) -> list[tuple[str, Status, Reason | None]]:
        return [(one.step, one.status, one.reason) for one in self.seen()]


def make_world(engine: Engine, vault: Vault, words: Words, locale: str = "en") -> World:
    sessions = sessionmaker(engine, info={"vault": vault}, expire_on_commit=False)
    with sessions.begin() as session:
        clinic = clinics.add(
            session, slug="fern", name="Fern Street Clinic", zone=ZONE, country="US", locale="en",
            phone="+12025550199", address="12 Fern Street", emergency="911",
        )  # fmt: skip
        senders.add(session, clinic.id, Channel.SMS, CLINIC, carrier="memory")
        shipped.approve(session, clinic.id, *shipped.SPOKEN)
        whose = _patient(session, clinic.id, PHONE, "v1", locale)
        return World(sessions, MemoryProvider(), words, clinic.id, **whose)


def _patient(session: Session, clinic_id: UUID, phone: str, external: str, locale: str) -> dict[str, UUID]:
    """Enrolled, with a phone and a visit; not yet agreed."""
    before = NOON - timedelta(days=30)
    patient = patients.add(
        session, clinic_id=clinic_id, name="Ada Example", locale=locale, zone=ZONE, wording="full", now=before
    )
    address, _ = patients.set_address(session, clinic_id, patient, Channel.SMS, phone, before)
    course = enrolments.course_for(session, clinic_id, patient, before)
    infusion = infusions.add(
        session,
        clinic_id=clinic_id,
        course_id=course,
        starts=datetime(2026, 12, 10, 9, 30),
        zone=ZONE,
        minutes=60,
        now=before,
        external=external,
    )
    enrolment = uuid4()
    series = enrolments.course(session, course)
    together(session, enrolments.enrolling(enrolment, series, "ketamine-infusion", "d", before))
    return {
        "patient_id": patient, "address_id": address, "course_id": course, "infusion_id": infusion,
        "enrolment_id": enrolment,
    }  # fmt: skip
