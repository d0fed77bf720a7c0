"""Appointing: what a colleague may do, whether they still work here, whether a code is asked of them.

Somebody's sessions end with each of these, and the clinic always keeps an administrator who can sign in.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.access import Role
from outreach.errors import NotAllowed, say
from outreach.store import audit, codes, colleagues, invites, staff
from outreach.store.tables import Staff

OWN_ACCOUNT = say("For yourself, use My account: it asks for your password.")


def appoint(session: Session, clinic_id: UUID, staff_id: UUID, role: Role, now: datetime, *, by: UUID | None) -> bool:
    """Give somebody a role. False: they have it already. NotAllowed: nobody would be left to administer."""
    person = _locked(session, clinic_id, staff_id)
    if person.role == role.value:
        return False
    if role is not Role.ADMINISTRATOR:
        _keep_one(session, person)
    was, person.role = person.role, role.value
    staff.end_sessions(session, staff_id)
    noted(session, clinic_id, staff_id, "staff.role_changed", now, by, {"old": was, "new": role.value})
    return True


def dismiss(session: Session, clinic_id: UUID, staff_id: UUID, now: datetime, *, by: UUID | None) -> bool:
    """Somebody no longer works here: they are out at once, their links end, what they did stays. False: long since."""
    person = _locked(session, clinic_id, staff_id)
    if not person.active:
        return False
    _keep_one(session, person)
    person.active = False
    staff.end_sessions(session, staff_id)
    invites.forget(session, clinic_id, staff_id)
    noted(session, clinic_id, staff_id, "staff.deactivated", now, by)
    return True


def bring_back(session: Session, clinic_id: UUID, staff_id: UUID, now: datetime, *, by: UUID | None) -> bool:
    """Somebody works here again, with the role and password they had. False: they do already."""
    person = _locked(session, clinic_id, staff_id)
    if person.active:
        return False
    person.active = True
    noted(session, clinic_id, staff_id, "staff.reactivated", now, by)
    return True


def take_codes(session: Session, clinic_id: UUID, staff_id: UUID, now: datetime, *, by: UUID | None) -> bool:
    """No code is asked of somebody any more: their telephone is lost. False: none was. NotAllowed: one's own.

    One's own codes end under My account, which asks for the password: a borrowed browser must not do it here.
    """
    if by == staff_id:
        raise NotAllowed(OWN_ACCOUNT)
    _locked(session, clinic_id, staff_id)
    if not codes.take_away(session, clinic_id, staff_id):
        return False
    staff.end_sessions(session, staff_id)
    noted(session, clinic_id, staff_id, "staff.codes_taken_away", now, by)
    return True


def _locked(session: Session, clinic_id: UUID, staff_id: UUID) -> Staff:
    """The administrators first, always in one order: two who appoint each other wait, and do not lock up."""
    colleagues.lock_administrators(session, clinic_id)
    return colleagues.row(session, clinic_id, staff_id, lock=True)


def _keep_one(session: Session, person: Staff) -> None:
    if not colleagues.others_who_administer(session, person.clinic_id, person.id):
        raise NotAllowed(
            say("Nobody else here could administer the clinic. Make somebody else an administrator first.")
        )


def noted(
    session: Session, clinic_id: UUID, staff_id: UUID, action: str, now: datetime, by: UUID | None,
    detail: dict[str, str] | None = None,
) -> None:  # fmt: skip
    """Write into the audit what was done to a colleague. `by` None: the operator did it."""
    audit.note(session, clinic_id=clinic_id, at=now, actor_kind="staff" if by else "operator", actor_id=by,
               action=action, subject="staff", subject_id=staff_id, detail=detail)  # fmt: skip
