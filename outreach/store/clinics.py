"""Clinics: finding one by its short name, and making one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.errors import BadInput, NotFound
from outreach.store import senders
from outreach.store.tables import Clinic


def by_id(session: Session, clinic_id: UUID) -> Clinic:
    found = session.get(Clinic, clinic_id)
    if found is None:
        raise NotFound("no such clinic")
    return found


def locked(session: Session, clinic_id: UUID) -> Clinic:
    """The same as it stands now, to be changed: nobody else changes it before this transaction ends."""
    asked = select(Clinic).where(Clinic.id == clinic_id).with_for_update().execution_options(populate_existing=True)
    found = session.scalars(asked).one_or_none()
    if found is None:
        raise NotFound("no such clinic")
    return found


def every(session: Session) -> Sequence[Clinic]:
    """All clinics, oldest first."""
    return session.scalars(select(Clinic).order_by(Clinic.created_at, Clinic.slug)).all()


def find(session: Session, slug: str) -> Clinic | None:
    return session.scalar(select(Clinic).where(Clinic.slug == slug))


def demo(session: Session) -> str | None:
    """The name of the demo clinic, if this database has one."""
    return session.scalar(select(Clinic.name).where(Clinic.demo).order_by(Clinic.created_at).limit(1))


def chosen(session: Session, slug: str | None) -> Clinic:
    """The clinic of this short name; without one, the only clinic there is. BadInput lists what can be chosen."""
    clinics = every(session)
    wanted = [clinic for clinic in clinics if slug is None or clinic.slug == slug]
    if len(wanted) == 1:
        return wanted[0]
    if not clinics:
        raise BadInput("There is no clinic yet. Begin one with `outreach clinic add`; a demo gets the sample clinic.")
    names = ", ".join(clinic.slug for clinic in clinics)
    what = f'There is no clinic "{slug}".' if slug is not None else "There are several clinics."
    raise BadInput(f"{what} Name one with --clinic: {names}.")


def add(session: Session, *, sms_sender: str = "", email_sender: str = "", **values: Any) -> Clinic:
    """Add a clinic with its first senders; `values` are the columns of the table. BadInput: its short name is taken."""
    if find(session, values["slug"]) is not None:
        raise BadInput(f'There is a clinic "{values["slug"]}" already. Choose another short name (slug).')
    clinic = Clinic(**values)
    session.add(clinic)
    session.flush()
    for channel, address in ((Channel.SMS, sms_sender), (Channel.EMAIL, email_sender)):
        if address:
            senders.add(session, clinic.id, channel, address)
    return clinic
