"""A clinic, a patient with a phone and a mailbox, and messages taken through their life by the real store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from outreach.domain.channel import Channel
from outreach.domain.message import Found, text_hash
from outreach.domain.status import Status
from outreach.domain.window import tz_version, wall_at
from outreach.errors import Uncertain
from outreach.store import clinics, messages, patients, queue
from outreach.store.ids import fresh_id
from outreach.store.senders import of_clinics
from outreach.store.traffic import Attempt, Event, Flight, Message
from outreach.store.vault import Vault
from tests import shipped

NOW = datetime(2026, 12, 7, 18, tzinfo=UTC)  # noon in Chicago
ZONE = "America/Chicago"
PHONE = "+12025550143"
NUMBER = "+12025550100"
WORDS = "Your visit is tomorrow."


class Listing:
    """A carrier that is only ever asked: what it lists, by number, and what it was asked."""

    channel = Channel.SMS

    def __init__(self, *entries: Found, away: bool = False) -> None:
        self.entries = list(entries)
        self.away = away
        self.questions: list[tuple[str, date]] = []

    def find(self, to: str, day: date) -> Sequence[Found]:
        self.questions.append((to, day))
        if self.away:
            raise Uncertain("not asked")
        return [one for one in self.entries if one.to == to]


def listed(carrier_id: str = "SM1", status: Status | None = Status.ACCEPTED, **other: object) -> Found:
    """An entry of the carrier's list that fits WORDS to PHONE."""
    fits: dict[str, object] = {"to": PHONE, "sender": NUMBER, "body": WORDS}
    return Found(carrier_id=carrier_id, status=status, **(fits | other))  # type: ignore[arg-type]


@dataclass
class Stage:
    """What a test of one message needs. `now` is the clock it hands out; leases run on the database's."""

    sessions: sessionmaker[Session]
    clinic_id: UUID
    patient_id: UUID
    addresses: dict[Channel, UUID]
    now: datetime = NOW
    number: int = field(default=0)

    def clock(self) -> datetime:
        return self.now

    def plan(self, channel: Channel = Channel.SMS, useful: timedelta = timedelta(days=1), **other: UUID) -> UUID:
        """A message that is due now."""
        self.number += 1
        with self.sessions.begin() as session:
            made = messages.add_occasion(
                session, clinic_id=self.clinic_id, patient_id=other.get("patient_id", self.patient_id),
                address_id=other.get("address_id", self.addresses[channel]), channel=channel, step="pre.tomorrow",
                occasion=f"test:{self.number}", zone=ZONE, due_at=self.now, useful_until=self.now + useful,
                wall=wall_at(self.now, ZONE), tz_version=tz_version(),
            )  # fmt: skip
        assert made
        return made

    def begin(self, message_id: UUID, words: str = WORDS, lease: timedelta = timedelta(minutes=1)) -> UUID:
        """Committed as sending, as the pump does before the first byte; the attempt's id."""
        attempt_id = fresh_id()
        with self.sessions.begin() as session:
            row = session.execute(
                select(Message.clinic_id, Message.channel).where(Message.id == message_id).with_for_update()
            ).one()
            sender = next(
                one for one in of_clinics(session, [row.clinic_id])[row.clinic_id] if one.channel == row.channel
            )
            vault: Vault = session.info["vault"]
            sealed = vault.seal(words, "message.body", row.clinic_id, message_id)
            going = queue.Going(message_id, attempt_id, sender.id, "en", "full", None, sealed, 1, text_hash(words))
            queue.begin_sending(session, [going], lease)
        return attempt_id

    def record(self, message_id: UUID, attempt_id: UUID, status: Status, word: str, **more: object) -> None:
        """The worker that held the attempt writes what it read."""
        outcome = queue.Outcome(
            message_id, self.clinic_id, attempt_id, status, word, self.now, **more  # type: ignore[arg-type]
        )  # fmt: skip
        with self.sessions.begin() as session:
            queue.record(session, [outcome])

    def doubt(self, channel: Channel = Channel.SMS, **other: UUID) -> tuple[UUID, UUID]:
        """A message whose answer was not read: (message, attempt)."""
        message_id = self.plan(channel, **other)
        attempt_id = self.begin(message_id)
        self.record(message_id, attempt_id, Status.UNKNOWN, "no answer")
        return message_id, attempt_id

    def age(self, attempt_id: UUID, minutes: float) -> None:
        """Let the attempt have begun so long ago."""
        with self.sessions.begin() as session:
            ago = text("now() - :age").bindparams(age=timedelta(minutes=minutes))
            session.execute(update(Attempt).where(Attempt.id == attempt_id).values(started_at=ago))

    def lease_over(self, message_id: UUID) -> None:
        with self.sessions.begin() as session:
            over = text("now() - interval '1 second'")
            session.execute(update(Message).where(Message.id == message_id).values(lease_until=over))
            session.execute(update(Flight).where(Flight.messages.contains([message_id])).values(lease_until=over))

    def row(self, message_id: UUID) -> Message:
        with self.sessions() as session:
            return session.get_one(Message, message_id)

    def status(self, message_id: UUID) -> Status:
        return Status(self.row(message_id).status)

    def news(self, message_id: UUID) -> list[Event]:
        with self.sessions() as session:
            return list(session.scalars(select(Event).where(Event.message_id == message_id).order_by(Event.id)))

    def words(self, message_id: UUID) -> list[str]:
        return [one.word for one in self.news(message_id)]

    def patient(self, phone: str = PHONE) -> dict[str, UUID]:
        """One more patient, perhaps on the same phone; fit for `plan` and `doubt`."""
        with self.sessions.begin() as session:
            patient_id = patients.add(
                session, clinic_id=self.clinic_id, name="Bo Example", locale="en", zone=ZONE, wording="full",
                now=self.now,
            )  # fmt: skip
            address_id, _ = patients.set_address(session, self.clinic_id, patient_id, Channel.SMS, phone, self.now)
        return {"patient_id": patient_id, "address_id": address_id}


def staged(engine: Engine, vault: Vault) -> Stage:
    """A new clinic in this database."""
    sessions = sessionmaker(engine, info={"vault": vault}, expire_on_commit=False)
    with sessions.begin() as session:
        known = len(clinics.every(session))
        clinic = clinics.add(
            session, slug=f"fern-{known}", name="Fern Street", zone=ZONE, country="US", locale="en",
            phone="+12025550199", address="12 Fern Street", emergency="911", email_sender="care@fern.example",
            sms_sender=NUMBER if not known else f"+1202555{known:04}",
        )  # fmt: skip
        shipped.approve(session, clinic.id, "en")
        patient_id = patients.add(
            session, clinic_id=clinic.id, name="Ada Example", locale="en", zone=ZONE, wording="full", now=NOW
        )
        both = ((Channel.SMS, PHONE), (Channel.EMAIL, "ada@example.org"))
        addresses = {
            channel: patients.set_address(session, clinic.id, patient_id, channel, value, NOW)[0]
            for channel, value in both
        }
        return Stage(sessions, clinic.id, patient_id, addresses)
