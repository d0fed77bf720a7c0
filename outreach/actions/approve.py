"""Approving: a clinic lets exact words reach its patients, or takes that back; what waited for them goes on."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.speak import UNAPPROVED
from outreach.content.approvals import texts
from outreach.content.compose import Words
from outreach.domain.approval import Text
from outreach.errors import BadInput, Reason, say
from outreach.store import alerts, approvals, audit, pauses


class Reviewer(NamedTuple):
    """Who read the words and answers for them. `basis` demo: nobody did, and only the demo clinic may say so.

    `staff_id`: who decides at the desk, `key_id`: the other software that does; neither: the operator, by a command.
    """

    name: str
    role: str
    staff_id: UUID | None = None
    basis: Literal["named", "demo"] = "named"
    key_id: UUID | None = None


DEMO = Reviewer("nobody: demo data", "none", basis="demo")


def approve(session: Session, clinic_id: UUID, wanted: Collection[Text], by: Reviewer, now: datetime) -> int:
    """Approve exact words; returns how many waiting messages this woke. BadInput: nobody is named as having read them,
    or some are not there to be approved; nothing is approved then."""
    _named(by)
    if not wanted:
        raise BadInput(say("Mark at least one text."))
    for one in wanted:
        if not one.complete:
            raise BadInput(say("%(text)s is not translated in full; it cannot be approved.", text=one.key))
    kept = approvals.keep(session, wanted, now)
    known = {one.said_id for one in approvals.standing(session, clinic_id)}
    new = [kept[one.digest] for one in wanted if kept[one.digest] not in known]
    _decide(session, clinic_id, new, by, True, now)
    woken = 0
    if new:
        # All of them: what goes with every message is named by none of them. What still lacks words says so anew.
        for raised in alerts.open_alerts(session, clinic_id):
            if raised.kind == UNAPPROVED:
                alerts.clear(session, clinic_id, UNAPPROVED, raised.key, now)
        woken = pauses.wake(session, clinic_id, now, Reason.UNAPPROVED)
        _note(session, clinic_id, "words.approved", wanted, by, now)
    return woken


def withdraw(session: Session, clinic_id: UUID, locale: str, key: str, by: Reviewer, now: datetime) -> int:
    """Take back every approval of one text in one language; returns how many there were."""
    _named(by)
    standing = [one for one in approvals.standing(session, clinic_id) if (one.locale, one.key) == (locale, key)]
    _decide(session, clinic_id, [one.said_id for one in standing], by, False, now)
    if standing:
        _note(session, clinic_id, "words.withdrawn", [Text(locale, key, (), standing[0].digest)], by, now)
    return len(standing)


def approve_everything(
    session: Session, clinic_id: UUID, words: Words, now: datetime, locales: Iterable[str] = (), by: Reviewer = DEMO
) -> None:
    """Every complete text of these languages (none named: of all), as the demo and the benchmarks have it."""
    wanted = [one for locale in locales or words.voices for one in texts(words, locale).values() if one.complete]
    kept = approvals.keep(session, wanted, now)
    _decide(session, clinic_id, [kept[one.digest] for one in wanted], by, True, now)


def _named(by: Reviewer) -> None:
    if not by.name.strip() or not by.role.strip():
        raise BadInput(say("Say who read the words, and what they are: a name and a role."))


def _decide(
    session: Session, clinic_id: UUID, said_ids: Collection[int], by: Reviewer, approved: bool, now: datetime
) -> None:
    approvals.decide(
        session, clinic_id, said_ids, approved=approved, reviewer=by.name.strip(), role=by.role.strip(),
        basis=by.basis, staff_id=by.staff_id, now=now,
    )  # fmt: skip


def _note(session: Session, clinic_id: UUID, action: str, wanted: Iterable[Text], by: Reviewer, now: datetime) -> None:
    kind = "staff" if by.staff_id else "key" if by.key_id else "command"
    by_locale: dict[str, list[str]] = {}
    for one in wanted:
        by_locale.setdefault(one.locale, []).append(one.key)
    for locale, keys in by_locale.items():
        audit.note(
            session, clinic_id=clinic_id, at=now, actor_kind=kind, actor_id=by.staff_id or by.key_id,
            action=action, subject="words", subject_id=locale, detail={"texts": sorted(keys), "basis": by.basis},
        )  # fmt: skip
