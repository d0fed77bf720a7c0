"""Staff and their sessions: passwords as argon2id, cookies as hashes, a stranger refused as slowly as a wrong word."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from outreach.domain.access import Role
from outreach.errors import BadInput, NotFound
from outreach.store.due import ClinicFacts
from outreach.store.tables import Clinic, Staff, StaffSession
from outreach.store.vault import token_hash, vault_of

# Shown on the start page of a demo clinic; no other clinic gets them.
DEMO_EMAIL, DEMO_PASSWORD = "desk@clinic.example", "try-me-please"
SHORTEST_PASSWORD = 10
IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
_STEP = timedelta(minutes=1)  # how exactly `seen_at` is kept: one write a minute, not one a click
_ANY_CLINIC = UUID(int=0)  # who signs in names no clinic, so the index of a staff address spans them all
_hasher = PasswordHasher()


@dataclass(frozen=True)
class Signed:
    """Who is at the desk: a person of one clinic, and the secret every form of this browser carries."""

    session_id: UUID
    staff_id: UUID
    clinic_id: UUID
    name: str
    csrf: str
    role: Role
    locale: str


def add(session: Session, *, clinic_id: UUID, email: str, name: str, password: str, role: Role = Role.VIEWER) -> UUID:
    """Add a person who may sign in. BadInput for a password that is too short or an address already in use."""
    if len(password) < SHORTEST_PASSWORD:
        raise BadInput(f"The password has {len(password)} characters; it needs at least {SHORTEST_PASSWORD}.")
    if _by_email(session, email) is not None:
        raise BadInput("This e-mail address already belongs to somebody who signs in.")
    vault, staff_id = vault_of(session), uuid4()
    session.add(
        Staff(
            id=staff_id,
            clinic_id=clinic_id,
            email_sealed=vault.seal(email.strip(), "staff.email", clinic_id, staff_id),
            email_index=_email_index(session, email),
            name_sealed=vault.seal(name, "staff.name", clinic_id, staff_id),
            password_hash=_hasher.hash(password),
            role=role,
        )
    )
    session.flush()
    return staff_id


def sign_in(session: Session, email: str, password: str, now: datetime) -> str | None:
    """The cookie of a new session, or None. A stranger costs as long as a wrong password: one argon2 either way."""
    person = _by_email(session, email)
    known = _matches(person.password_hash if person else _nobodys_hash(), password)
    if person is None or not person.active or not known:
        return None
    if _hasher.check_needs_rehash(person.password_hash):
        person.password_hash = _hasher.hash(password)
    cookie = secrets.token_urlsafe(32)
    session.add(
        StaffSession(
            clinic_id=person.clinic_id,
            staff_id=person.id,
            token_hash=token_hash(cookie),
            csrf=secrets.token_urlsafe(24),
            created_at=now,
            seen_at=now,
        )
    )
    session.flush()
    return cookie


def by_cookie(session: Session, cookie: str, now: datetime) -> Signed | None:
    """Who holds this cookie, while the session is neither idle nor old and the person still works here."""
    row = session.execute(
        select(StaffSession, Staff)
        .join(Staff, (Staff.id == StaffSession.staff_id) & (Staff.clinic_id == StaffSession.clinic_id))
        .where(
            StaffSession.token_hash == token_hash(cookie),
            StaffSession.seen_at > now - IDLE,
            StaffSession.created_at > now - LONGEST,
            Staff.active,
        )
    ).one_or_none()
    if row is None:
        return None
    here, person = row
    if now - here.seen_at > _STEP:
        session.execute(update(StaffSession).where(StaffSession.id == here.id).values(seen_at=now))
    name = vault_of(session).open(person.name_sealed, "staff.name", person.clinic_id, person.id)
    return Signed(here.id, person.id, person.clinic_id, name, here.csrf, Role(person.role), person.locale)


def sign_out(session: Session, session_id: UUID) -> None:
    """End one session here, not only in the browser; old ones go with it."""
    session.execute(delete(StaffSession).where(StaffSession.id == session_id))


def forget_old_sessions(session: Session, now: datetime) -> None:
    """Delete sessions that could no longer be used anyway."""
    session.execute(delete(StaffSession).where(StaffSession.created_at < now - LONGEST))


def exists(session: Session, email: str) -> bool:
    """Whether somebody signs in with this address."""
    return _by_email(session, email) is not None


@dataclass(frozen=True)
class ClinicAtDesk:
    """The clinic of a signed-in person, as the console shows it."""

    facts: ClinicFacts
    country: str
    locale: str
    demo: bool


def clinic_of(session: Session, clinic_id: UUID) -> ClinicAtDesk:
    """NotFound when there is no such clinic."""
    clinic = session.get(Clinic, clinic_id)
    if clinic is None:
        raise NotFound("no such clinic")
    facts = ClinicFacts(**{field.name: getattr(clinic, field.name) for field in fields(ClinicFacts)})
    return ClinicAtDesk(facts, clinic.country, clinic.locale, clinic.demo)


def demo_clinic(session: Session) -> str | None:
    """The name of the demo clinic, if this database has one."""
    return session.scalar(select(Clinic.name).where(Clinic.demo).order_by(Clinic.created_at).limit(1))


def _by_email(session: Session, email: str) -> Staff | None:
    return session.scalar(select(Staff).where(Staff.email_index == _email_index(session, email)))


def _email_index(session: Session, email: str) -> bytes:
    return vault_of(session).index("staff.email", email.strip().casefold(), _ANY_CLINIC)


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe(16))
