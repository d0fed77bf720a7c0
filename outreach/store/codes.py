"""One-time codes (TOTP, RFC 6238): a sealed secret for each person, and the last step whose code was used."""

from __future__ import annotations

import hmac
from datetime import datetime
from uuid import UUID

import pyotp
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from outreach.store.tables import Staff
from outreach.store.vault import vault_of

STEP_SECONDS = 30
AROUND = 1
"""Steps that a telephone's clock may be off, either way."""
_PLACE = "staff.totp"


def begin(session: Session, clinic_id: UUID, staff_id: UUID) -> None:
    """Make a secret that waits for its first code. One that waits already stays: its picture may have been taken."""
    secret = vault_of(session).seal(pyotp.random_base32(), _PLACE, clinic_id, staff_id)
    session.execute(
        update(Staff)
        .where(Staff.clinic_id == clinic_id, Staff.id == staff_id, Staff.totp_sealed.is_(None))
        .values(totp_sealed=secret, totp_step=None)
    )


def waiting(session: Session, clinic_id: UUID, staff_id: UUID) -> str | None:
    """The secret that waits for its first code (base32); None when there is none, or it is in use and stays secret."""
    person = _person(session, clinic_id, staff_id)
    if person is None or person.totp_sealed is None or person.totp_step is not None:
        return None
    return vault_of(session).open(person.totp_sealed, _PLACE, clinic_id, staff_id)


def take_away(session: Session, clinic_id: UUID, staff_id: UUID) -> bool:
    """From here on no code is asked. Whether one was."""
    person = _person(session, clinic_id, staff_id)
    asked = person is not None and person.totp_step is not None
    session.execute(
        update(Staff)
        .where(Staff.clinic_id == clinic_id, Staff.id == staff_id)
        .values(totp_sealed=None, totp_step=None)
    )  # fmt: skip
    return asked


def accept(session: Session, clinic_id: UUID, staff_id: UUID, code: str, now: datetime) -> bool:
    """Whether this is a code of now, give or take a step, that nobody has used. It is used from here on.

    The first one puts the secret in use. Two browsers with one code: the row decides, and one of them is refused.
    """
    person = _person(session, clinic_id, staff_id)
    if person is None or person.totp_sealed is None:
        return False
    totp = pyotp.TOTP(vault_of(session).open(person.totp_sealed, _PLACE, clinic_id, staff_id))
    given = "".join(code.split()).encode()
    here = int(now.timestamp()) // STEP_SECONDS
    around = range(here - AROUND, here + AROUND + 1)
    # Every step is compared, so that the time taken does not tell which one fitted.
    fits = [step for step in around if hmac.compare_digest(totp.generate_otp(step).encode(), given)]
    return any(_use(session, clinic_id, staff_id, step) for step in fits)


def _use(session: Session, clinic_id: UUID, staff_id: UUID, step: int) -> bool:
    used = session.execute(
        update(Staff)
        .where(
            Staff.clinic_id == clinic_id,
            Staff.id == staff_id,
            or_(Staff.totp_step.is_(None), Staff.totp_step < step),
        )
        .values(totp_step=step)
        .returning(Staff.id)
    )
    return used.one_or_none() is not None


def _person(session: Session, clinic_id: UUID, staff_id: UUID) -> Staff | None:
    return session.scalars(
        select(Staff)
        .where(Staff.clinic_id == clinic_id, Staff.id == staff_id)
        .execution_options(populate_existing=True)
    ).one_or_none()  # fmt: skip
