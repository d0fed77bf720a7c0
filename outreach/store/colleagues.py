"""The people of a clinic as an administrator sees them: who they are, what they may, whether they still sign in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from outreach.domain.access import Role
from outreach.errors import NotFound
from outreach.store.office import StaffInvite
from outreach.store.staff import IDLE
from outreach.store.tables import Staff, StaffSession
from outreach.store.vault import vault_of


@dataclass(frozen=True)
class Colleague:
    """One person. `name` and `email` are opened; never log them.

    invited_until: of a link that is still open. Not `joined`: no password was ever set. `here`: signed in just now.
    """

    id: UUID
    name: str
    email: str
    role: Role
    active: bool
    joined: bool
    codes: bool
    invited_until: datetime | None
    here: bool


def listing(session: Session, clinic_id: UUID, now: datetime) -> list[Colleague]:
    """Everybody of the clinic, those who still work here first, by name."""
    people = session.scalars(select(Staff).where(Staff.clinic_id == clinic_id)).all()
    found = _opened(session, clinic_id, people, now)
    return sorted(found, key=lambda one: (not one.active, one.name.casefold(), one.id))


def page(
    session: Session, clinic_id: UUID, now: datetime, limit: int, after: UUID | None = None
) -> tuple[list[Colleague], UUID | None]:
    """So many in the same order below `after`, and below whom the next page begins; None on the last.

    Names are sealed, so that everybody's is opened to put them in order; nothing else is.
    """
    vault = vault_of(session)
    rows = session.execute(select(Staff.id, Staff.name_sealed, Staff.active).where(Staff.clinic_id == clinic_id))
    order = sorted(
        (not active, vault.open(sealed, "staff.name", clinic_id, one).casefold(), one) for one, sealed, active in rows
    )
    ids = [one for _, _, one in order]
    begin = ids.index(after) + 1 if after in ids else 0
    shown = ids[begin : begin + limit]
    people = session.scalars(select(Staff).where(Staff.clinic_id == clinic_id, Staff.id.in_(shown))).all()
    found = sorted(_opened(session, clinic_id, people, now), key=lambda one: shown.index(one.id))
    return found, shown[-1] if begin + limit < len(ids) else None


def one(session: Session, clinic_id: UUID, staff_id: UUID, now: datetime) -> Colleague:
    """NotFound when there is no such person in this clinic."""
    return _opened(session, clinic_id, [row(session, clinic_id, staff_id)], now)[0]


def row(session: Session, clinic_id: UUID, staff_id: UUID, *, lock: bool = False) -> Staff:
    """The row itself, to be changed. NotFound when there is no such person in this clinic."""
    asked = select(Staff).where(Staff.clinic_id == clinic_id, Staff.id == staff_id)
    found = session.scalars((asked.with_for_update() if lock else asked).execution_options(populate_existing=True))
    person = found.one_or_none()
    if person is None:
        raise NotFound("no such person")
    return person


def lock_administrators(session: Session, clinic_id: UUID) -> None:
    """Whoever changes who administers a clinic takes turns: the rows are locked in one order, until the commit."""
    session.execute(_administer(clinic_id).order_by(Staff.id).with_for_update()).all()


def others_who_administer(session: Session, clinic_id: UUID, staff_id: UUID) -> int:
    """How many administrators can sign in besides this one: an invitation that nobody took does not count."""
    return len(set(session.scalars(_administer(clinic_id).where(Staff.password_hash != ""))) - {staff_id})


def _administer(clinic_id: UUID) -> Select[UUID]:
    return select(Staff.id).where(Staff.clinic_id == clinic_id, Staff.role == Role.ADMINISTRATOR.value, Staff.active)


def names(session: Session, clinic_id: UUID, ids: Collection[UUID] | None = None) -> dict[UUID, str]:
    """The names of these people, of everybody without `ids`."""
    asked = select(Staff.id, Staff.name_sealed).where(Staff.clinic_id == clinic_id)
    vault = vault_of(session)
    found = session.execute(asked if ids is None else asked.where(Staff.id.in_(set(ids))))
    return {staff_id: vault.open(sealed, "staff.name", clinic_id, staff_id) for staff_id, sealed in found}


def _opened(session: Session, clinic_id: UUID, people: Collection[Staff], now: datetime) -> list[Colleague]:
    vault = vault_of(session)
    invited = session.execute(
        select(StaffInvite.staff_id, func.max(StaffInvite.expires_at))
        .where(StaffInvite.clinic_id == clinic_id, StaffInvite.used_at.is_(None), StaffInvite.expires_at > now)
        .group_by(StaffInvite.staff_id)
    )
    open_until: dict[UUID, datetime] = {staff_id: until for staff_id, until in invited}  # noqa: C416
    here = select(StaffSession.staff_id).where(
        StaffSession.clinic_id == clinic_id, StaffSession.csrf != "", StaffSession.seen_at > now - IDLE
    )
    signed_in = set(session.scalars(here))
    return [
        Colleague(
            id=person.id,
            name=vault.open(person.name_sealed, "staff.name", clinic_id, person.id),
            email=vault.open(person.email_sealed, "staff.email", clinic_id, person.id),
            role=Role(person.role),
            active=person.active,
            joined=bool(person.password_hash),
            codes=person.totp_step is not None,
            invited_until=open_until.get(person.id),
            here=person.id in signed_in,
        )
        for person in people
    ]


@dataclass(frozen=True)
class Own:
    """What a person decides for themselves. `phone`: E.164 or ""; opened, never log it."""

    email: str
    phone: str
    locale: str
    codes: bool


def own(session: Session, clinic_id: UUID, staff_id: UUID) -> Own:
    """Somebody's own account. NotFound when there is no such person in this clinic."""
    person, vault = row(session, clinic_id, staff_id), vault_of(session)
    email = vault.open(person.email_sealed, "staff.email", clinic_id, staff_id)
    phone = vault.open(person.phone_sealed, "staff.phone", clinic_id, staff_id) if person.phone_sealed else ""
    return Own(email, phone, person.locale, person.totp_step is not None)


def keep_own(session: Session, clinic_id: UUID, staff_id: UUID, *, phone: str, locale: str) -> None:
    """Write down somebody's own choices; `phone` is E.164 or ""."""
    person, vault = row(session, clinic_id, staff_id, lock=True), vault_of(session)
    person.phone_sealed = vault.seal(phone, "staff.phone", clinic_id, staff_id) if phone else None
    person.locale = locale
    session.flush()
