"""A clinic, a sequence and words; and a patient list written as people write one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from outreach.content.compose import Words
from outreach.domain.sequence import Sequence
from outreach.domain.status import Status
from outreach.store import clinics
from outreach.store.tables import Clinic
from outreach.store.traffic import Message
from tests import shipped

NOW = datetime(2026, 12, 1, 18, tzinfo=UTC)  # noon in Chicago
COLUMNS = (
    "external_id,name,phone,email,language,zone,infusion_start,minutes,visit_id,"
    "consent_sms,consent_email,consent_date,consent_form,consent_warned,wording"
)


@pytest.fixture(scope="package")
def words() -> Words:
    return shipped.words()


@pytest.fixture(scope="package")
def sequence() -> Sequence:
    return shipped.sequence()


def lakeside(session: Session) -> Clinic:
    """A clinic that has approved what the tests say."""
    made = clinics.add(
        session, slug="lakeside", name="Lakeside", zone="America/Chicago", country="US", locale="en",
        phone="+1 312-555-0100", address="1 Example Street", emergency="911", sms_sender="+13125550100",
        email_sender="care@lakeside.example", quiet_from=time(21), quiet_to=time(8),
    )  # fmt: skip
    shipped.approve(session, made.id, *shipped.SPOKEN)
    return made


@pytest.fixture
def clinic(session: Session) -> Clinic:
    made = lakeside(session)
    session.refresh(made)
    return made


@pytest.fixture
def rows(session: Session) -> Callable[..., list[Message]]:
    """The messages that are there now, by any of their columns, earliest first."""

    def find(**columns: object) -> list[Message]:
        session.expire_all()
        return list(session.scalars(select(Message).filter_by(**columns).order_by(Message.due_at, Message.channel)))

    return find


@pytest.fixture
def send(session: Session) -> Callable[..., None]:
    """Let messages have gone out, as the pump would have."""

    def went_out(*steps: str, status: Status = Status.DELIVERED, infusion_id: UUID | None = None) -> None:
        about = [Message.infusion_id == infusion_id] if infusion_id else []
        session.execute(
            update(Message)
            .where(Message.step.in_(steps), Message.status == "scheduled", *about)
            .values(status=status.value, sent_at=NOW)
        )

    return went_out


@pytest.fixture
def patient_list(tmp_path: Path) -> Callable[..., Path]:
    """A file of these lines under the usual header."""

    def write(*lines: str, header: str = COLUMNS, encoding: str = "utf-8") -> Path:
        path = tmp_path / "patients.csv"
        path.write_bytes("\n".join([header, *lines, ""]).encode(encoding))
        return path

    return write
