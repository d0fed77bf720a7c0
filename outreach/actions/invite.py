"""Inviting: a person of the clinic gets a link, good once, with which they set a password of their own."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.appoint import OWN_ACCOUNT, noted
from outreach.domain import contact
from outreach.domain import password as passwords
from outreach.domain.access import Role
from outreach.errors import NotAllowed, NotFound, say
from outreach.store import codes, colleagues, invites, staff
from outreach.store.invites import Invited


def invite(
    session: Session, *, clinic_id: UUID, email: str, name: str, role: Role, now: datetime, by: UUID | None,
    locale: str = "en",
) -> tuple[UUID, str]:  # fmt: skip
    """Add somebody without a password; their id and the token of their link, which is shown once.

    `by`: the administrator; None for the operator. BadInput: the address is none, or is taken.
    """
    staff_id = staff.add(
        session, clinic_id=clinic_id, email=contact.email(email), name=name, role=role, locale=locale
    )  # fmt: skip
    token = invites.give(session, clinic_id, staff_id, now)
    noted(session, clinic_id, staff_id, "staff.invited", now, by, {"role": role.value})
    return staff_id, token


def invite_again(session: Session, clinic_id: UUID, staff_id: UUID, now: datetime, *, by: UUID | None) -> str:
    """A new link for somebody who lost the first one, or their password. What they have works until it is used.

    NotAllowed: for oneself, since whoever finds a browser open could take the account with it; or they left.
    """
    if by == staff_id:
        raise NotAllowed(OWN_ACCOUNT)
    person = colleagues.row(session, clinic_id, staff_id, lock=True)
    if not person.active:
        raise NotAllowed(say("This person no longer works here. Let them back in first."))
    token = invites.give(session, clinic_id, staff_id, now)
    noted(session, clinic_id, staff_id, "staff.invited_again", now, by)
    return token


def recover(session: Session, clinic_id: UUID, staff_id: UUID, now: datetime) -> str:
    """The operator's way back in for somebody who lost password and telephone: a new link, and no code is asked."""
    if codes.take_away(session, clinic_id, staff_id):
        noted(session, clinic_id, staff_id, "staff.codes_taken_away", now, None)
    return invite_again(session, clinic_id, staff_id, now, by=None)


def accept(session: Session, token: str, password: str, now: datetime) -> Invited:
    """The person sets their password; the link is used up, and every session they had ends.

    NotFound: the link is used, over, or never was. BadInput: the password is too short or too easy.
    """
    invited = invites.whose(session, token, now, lock=True)
    if invited is None:
        raise NotFound("no such invitation")
    passwords.check(password, (invited.email, invited.clinic), (staff.DEMO_PASSWORD,))
    invites.use(session, token, now)
    staff.set_password(session, invited.staff_id, password)
    noted(session, invited.clinic_id, invited.staff_id, "staff.joined", now, invited.staff_id)
    return invited
