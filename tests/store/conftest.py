"""Makers of clinics and patients."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from outreach.store import clinics, patients
from outreach.store.tables import Clinic
from tests.store.stock import Stock

NOW = datetime(2026, 12, 1, 18, tzinfo=UTC)


@pytest.fixture
def clinic(session: Session) -> Callable[..., Clinic]:
    def make(slug: str = "a") -> Clinic:
        return clinics.add(
            session, slug=slug, name=slug, zone="America/Chicago", country="US", locale="en", phone="", address="",
            emergency="911", sms_sender="", email_sender="", quiet_from=time(21), quiet_to=time(8),
        )  # fmt: skip

    return make


@pytest.fixture
def person(session: Session) -> Callable[..., UUID]:
    def make(clinic_id: UUID, name: str = "Élodie Ørsted", external: str = "") -> UUID:
        return patients.add(session, clinic_id=clinic_id, name=name, locale="en", zone="America/Chicago",
                            wording="full", external=external, now=NOW)  # fmt: skip

    return make


@pytest.fixture
def stock(session: Session, clinic: Callable[..., Clinic], person: Callable[..., UUID]) -> Stock:
    """A clinic with one patient and whatever messages a test brings there."""
    made = clinic()
    return Stock(session, made, person(made.id))
