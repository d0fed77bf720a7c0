"""Signing in: passwords as argon2id, sessions by the hashes of their cookies, a stranger refused as slowly as a wrong
word."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from outreach.domain import password as passwords
from outreach.domain.access import Role
from outreach.errors import BadInput, say
from outreach.store.due import ClinicFacts
from outreach.store.rows import fetch
from outreach.store.tables import Clinic, Staff, StaffSession
from outreach.store.vault import token_hash, vault_of

# Shown on the start page of a demo clinic; no other clinic gets them.
DEMO_EMAIL, DEMO_PASSWORD = "desk@clinic.example", "try-me-please"
IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
HALF = timedelta(minutes=5)
"""How long a session may wait for its code after the password was right."""
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


@dataclass(frozen=True)
class ClinicAtDesk:
    """The clinic of a signed-in person, as the console shows it."""

    facts: ClinicFacts
    country: str
    locale: str
    demo: bool


def add(
    session: Session, *, clinic_id: UUID, email: str, name: str, password: str = "", role: Role = Role.VIEWER,
    locale: str = "en",
) -> UUID:  # fmt: skip
    """Add a person; without a password nobody signs in as them until an invitation is taken.

    BadInput for a password that is too short or too easy, or an address already in use.
    """
    if password:
        passwords.check(password)
    if _by_email(session, email) is not None:
        raise BadInput(say("This e-mail address already belongs to somebody who signs in."))
    vault, staff_id = vault_of(session), uuid4()
    session.add(
        Staff(
            id=staff_id,
            clinic_id=clinic_id,
            email_sealed=vault.seal(email.strip(), "staff.email", clinic_id, staff_id),
            email_index=_email_index(session, email),
            name_sealed=vault.seal(name, "staff.name", clinic_id, staff_id),
            password_hash=_hasher.hash(password) if password else "",
            role=role,
            locale=locale,
        )
    )
    session.flush()
    return staff_id


@dataclass(frozen=True)
class Known:
    """Somebody whose password was right. `code`: they must show one more thing. `demo`: their clinic is a demo."""

    staff_id: UUID
    clinic_id: UUID
    role: Role
    code: bool
    demo: bool


def recognise(session: Session, email: str, password: str) -> Known | None:
    """Whose address and password these are, or None. A stranger costs as long as a wrong password: one argon2 each."""
    person = _by_email(session, email)
    stored = person.password_hash if person and person.password_hash else _nobodys_hash()
    known = _matches(stored, password)
    if person is None or not person.active or not known:
        return None
    if _hasher.check_needs_rehash(person.password_hash):
        person.password_hash = _hasher.hash(password)
    demo = session.scalars(select(Clinic.demo).where(Clinic.id == person.clinic_id)).one()
    return Known(person.id, person.clinic_id, Role(person.role), person.totp_step is not None, demo)


def knows_password(session: Session, staff_id: UUID, password: str) -> bool:
    """Whether this is the person's password: asked again before something that a borrowed browser must not do."""
    stored = session.scalars(select(Staff.password_hash).where(Staff.id == staff_id)).one()
    return _matches(stored or _nobodys_hash(), password)


def set_password(session: Session, staff_id: UUID, password: str) -> None:
    """A new password; every session of this person ends."""
    session.execute(update(Staff).where(Staff.id == staff_id).values(password_hash=_hasher.hash(password)))
    end_sessions(session, staff_id)


def begin_session(session: Session, clinic_id: UUID, staff_id: UUID, now: datetime, *, half: bool = False) -> str:
    """The cookie of a new session, never one that a browser had before. `half`: it still waits for a code."""
    cookie = secrets.token_urlsafe(32)
    session.add(
        StaffSession(
            clinic_id=clinic_id,
            staff_id=staff_id,
            token_hash=token_hash(cookie),
            csrf="" if half else secrets.token_urlsafe(24),  # without it no page opens and no form is taken
            created_at=now,
            seen_at=now,
        )
    )
    session.flush()
    return cookie


@dataclass(frozen=True)
class Half:
    """A browser whose password was right and whose code is awaited."""

    session_id: UUID
    staff_id: UUID
    clinic_id: UUID
    role: Role


def half_by_cookie(session: Session, cookie: str, now: datetime) -> Half | None:
    """Whose code is awaited from the browser with this cookie; None after five minutes."""
    row = session.execute(
        select(StaffSession.id, Staff.id, Staff.clinic_id, Staff.role)
        .join(Staff, (Staff.id == StaffSession.staff_id) & (Staff.clinic_id == StaffSession.clinic_id))
        .where(
            StaffSession.token_hash == token_hash(cookie),
            StaffSession.csrf == "",
            StaffSession.created_at > now - HALF,
            Staff.active,
        )
    ).one_or_none()
    return Half(row[0], row[1], row[2], Role(row[3])) if row else None


_AT_DESK = f"""
select s.id, s.csrf, s.seen_at, s.staff_id, s.clinic_id, p.name_sealed, p.role, p.locale, c.country, c.locale, c.demo,
  {", ".join(f"c.{field.name}" for field in fields(ClinicFacts))}
from staff_session s join staff p on p.id = s.staff_id and p.clinic_id = s.clinic_id join clinic c on c.id = s.clinic_id
where s.token_hash = %(token)b and s.csrf <> '' and s.seen_at > %(seen_since)b and s.created_at > %(made_since)b
  and p.active"""
"""For the driver: every page asks it."""


def by_cookie(session: Session, cookie: str, now: datetime) -> tuple[Signed, ClinicAtDesk] | None:
    """Who holds this cookie, and their clinic, while the session is neither idle nor old and the person still works
    here."""
    if not cookie:
        return None
    rows = fetch(session, _AT_DESK, token=token_hash(cookie), seen_since=now - IDLE, made_since=now - LONGEST)
    if not rows:
        return None
    session_id, csrf, seen_at, staff_id, clinic_id, sealed, role, locale, country, speaks, demo, *facts = rows[0]
    if now - seen_at > _STEP:
        session.execute(update(StaffSession).where(StaffSession.id == session_id).values(seen_at=now))
    name = vault_of(session).open(sealed, "staff.name", clinic_id, staff_id)
    signed = Signed(session_id, staff_id, clinic_id, name, csrf, Role(role), locale)
    return signed, ClinicAtDesk(ClinicFacts(*facts), country, speaks, demo)


def sign_out(session: Session, session_id: UUID) -> None:
    """End one session here, not only in the browser; old ones go with it."""
    session.execute(delete(StaffSession).where(StaffSession.id == session_id))


def end_sessions(session: Session, staff_id: UUID) -> None:
    """End every session of a person, wherever their browsers are."""
    session.execute(delete(StaffSession).where(StaffSession.staff_id == staff_id))


def end_by_cookie(session: Session, cookie: str) -> None:
    """End the session that a browser brought along, before it gets another."""
    session.execute(delete(StaffSession).where(StaffSession.token_hash == token_hash(cookie)))


def forget_old_sessions(session: Session, now: datetime) -> None:
    """Delete sessions that could no longer be used anyway."""
    session.execute(
        delete(StaffSession).where(or_(StaffSession.created_at < now - LONGEST, StaffSession.seen_at < now - IDLE))
    )


def exists(session: Session, email: str) -> bool:
    """Whether somebody signs in with this address."""
    return id_of(session, email) is not None


def id_of(session: Session, email: str) -> UUID | None:
    """Who signs in with this address."""
    return session.scalar(select(Staff.id).where(Staff.email_index == _email_index(session, email)))


def clinic_id_of(session: Session, staff_id: UUID) -> UUID:
    """The clinic somebody works at."""
    return session.scalars(select(Staff.clinic_id).where(Staff.id == staff_id)).one()


def account(email: str) -> str:
    """The form in which two spellings of one address are one account."""
    return email.strip().casefold()


def _by_email(session: Session, email: str) -> Staff | None:
    return session.scalar(select(Staff).where(Staff.email_index == _email_index(session, email)))


def _email_index(session: Session, email: str) -> bytes:
    return vault_of(session).index("staff.email", account(email), _ANY_CLINIC)


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe(16))
