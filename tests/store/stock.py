"""Messages brought to any place the way the engine writes it down, for tests of what watches over them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, text, update
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.status import Status
from outreach.domain.window import tz_version, wall_at
from outreach.errors import Reason
from outreach.store import messages, patients
from outreach.store.balance import Span, weigh
from outreach.store.ids import fresh_id
from outreach.store.tables import Clinic
from outreach.store.traffic import Attempt, Event, Message, Queued

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


class Stock:
    """A clinic with one patient, and messages brought to any status the way the engine writes it down."""

    def __init__(self, session: Session, clinic: Clinic, patient_id: UUID) -> None:
        self.session, self.clinic, self.clinic_id, self.patient_id = session, clinic, clinic.id, patient_id
        self.address_id, _ = patients.set_address(session, clinic.id, patient_id, Channel.SMS, "+12025550143", NOW)

    def planned(self, due_at: datetime = NOW) -> UUID:
        made = messages.add_occasion(
            self.session, clinic_id=self.clinic_id, patient_id=self.patient_id, address_id=self.address_id,
            channel=Channel.SMS, step="reply.help", occasion=f"test:{uuid4()}", zone="America/Chicago", due_at=due_at,
            useful_until=due_at + timedelta(days=3), wall=wall_at(due_at, "America/Chicago"), tz_version=tz_version(),
        )  # fmt: skip
        assert made
        return made

    def handed_over(self, message_id: UUID, number: int = 1) -> UUID:
        attempt_id = fresh_id()
        self.session.execute(insert(Attempt).values(
            id=attempt_id, clinic_id=self.clinic_id, message_id=message_id, number=number, carrier="twilio",
            started_at=NOW,
        ))  # fmt: skip
        self.session.execute(delete(Queued).where(Queued.message_id == message_id))  # as the claim itself does
        self.set(message_id, status="sending", attempt_id=attempt_id, attempts=number, lease_until=datetime.now(UTC))
        return attempt_id

    def news(self, message_id: UUID, word: str, status: Status, **more: object) -> None:
        values = {"source": "us", "clinic_id": self.clinic_id, "message_id": message_id, "at": NOW}
        self.session.execute(insert(Event).values(values | {"word": word, "status": status.value} | more))

    def accepted(self, message_id: UUID, attempt_id: UUID, carrier_id: str = "SM1") -> None:
        self.news(message_id, "accepted", Status.ACCEPTED, attempt_id=attempt_id, carrier_id=carrier_id)
        self.set(message_id, status="accepted", carrier_id=carrier_id, sent_at=NOW)

    def ended(self, status: Status, reason: Reason | None, told: bool = True) -> UUID:
        message_id = self.planned()
        if status in (Status.DELIVERED, Status.UNDELIVERED, Status.FAILED):
            self.accepted(message_id, self.handed_over(message_id))
        why = reason.value if reason else None
        if told:
            self.news(message_id, "end", status, reason=why)
        self.set(message_id, status=status.value, reason=why, ended_at=NOW)
        return message_id

    def set(self, message_id: UUID, **values: object) -> None:
        self.session.execute(update(Message).where(Message.id == message_id).values(values))

    def faults(self, whole: bool = False) -> list[tuple[str, UUID]]:
        span = Span(self.clinic_id, None if whole else NOW - timedelta(hours=1), None if whole else NOW + DAY)
        return [(one.kind, one.message_id) for one in weigh(self.session, [span], whole).faults]

    def unwritten(self, table: str, message_id: UUID) -> None:
        """As a lost write would leave it: what refuses deletion is switched off."""
        self.session.execute(text("set local session_replication_role = replica"))
        column = "id" if table == "message" else "message_id"
        self.session.execute(text(f"delete from {table} where {column} = :id"), {"id": message_id})
        self.session.execute(text("set local session_replication_role = origin"))
