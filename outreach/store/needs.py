"""What of a clinic does not go by itself, as numbers: one question to the database for all that Today says of it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import InstrumentedAttribute, Session

from outreach.domain.consent import Standing
from outreach.store.brakes import Alert, Pause
from outreach.store.doubts import UNKNOWN
from outreach.store.office import Task
from outreach.store.tables import Course, Infusion, Patient
from outreach.store.tasks import WHOSE, in_inbox
from outreach.store.traffic import Message


class Numbers(NamedTuple):
    """`conversations` that wait for a person, as the inbox lists them; `in_doubt`: messages of unknown fate.

    `pauses`: those that are on. `not_agreed`: visits of patients who have not answered yet whether we may write. Of
    open alerts: `unusable` say that nothing arrives at an address, `unapproved` name texts (such as `es/pre.tomorrow`)
    that messages wait for, and `alerts` are the others.
    """

    conversations: int
    in_doubt: int
    pauses: int
    not_agreed: int
    unusable: int
    unapproved: list[str]
    alerts: int


def numbers(
    session: Session, clinic_id: UUID, now: datetime, since: datetime, until: datetime, unusable: str, unapproved: str
) -> Numbers:
    """As of `now`; visits that begin in [since, until) of their own wall clocks (naive). The last two: the kinds of
    alerts that are told apart."""
    asked = {"clinic_id": clinic_id, "now": now, "since": since, "until": until, "unusable": unusable,
             "unapproved": unapproved}  # fmt: skip
    found = Numbers(*session.execute(_NUMBERS, asked).one())
    return found._replace(unapproved=found.unapproved or [])


def _count(*where: ColumnElement[bool] | InstrumentedAttribute[bool]) -> Select[int]:
    return select(func.count()).where(*where)


_CLINIC: BindParameter[UUID] = bindparam("clinic_id")
_NOW: BindParameter[datetime] = bindparam("now")
_KIND = Alert.kind
_RAISED = Alert.clinic_id == _CLINIC, Alert.cleared_at.is_(None)
_UNUSABLE: BindParameter[str] = bindparam("unusable")
_UNAPPROVED: BindParameter[str] = bindparam("unapproved")
_NOT_AGREED = (
    # Those that the list of patients shows when asked for them (roll.page).
    _count(Patient.clinic_id == _CLINIC, Patient.active, ~Patient.test, Patient.standing == Standing.OPEN.value)
    .select_from(Patient)
    .join(Course, Course.patient_id == Patient.id)
    .join(Infusion, Infusion.course_id == Course.id)
    .where(
        Infusion.clinic_id == _CLINIC, Infusion.starts >= bindparam("since"), Infusion.starts < bindparam("until"),
        Infusion.status != "cancelled",
    )
)  # fmt: skip
_NUMBERS = select(  # built once: building it costs more than running it
    in_inbox(select(func.count(WHOSE.distinct()))).where(Task.clinic_id == _CLINIC).scalar_subquery(),
    _count(*UNKNOWN, Message.clinic_id == _CLINIC).scalar_subquery(),
    _count(
        Pause.lifted_at.is_(None),
        or_(Pause.until.is_(None), Pause.until > _NOW),
        or_(Pause.clinic_id.is_(None), Pause.clinic_id == _CLINIC),
    ).scalar_subquery(),
    _NOT_AGREED.scalar_subquery(),
    _count(*_RAISED, _KIND == _UNUSABLE).scalar_subquery(),
    select(func.array_agg(aggregate_order_by(Alert.key, Alert.key)))
    .where(*_RAISED, _KIND == _UNAPPROVED)
    .scalar_subquery(),
    _count(*_RAISED, _KIND != _UNUSABLE, _KIND != _UNAPPROVED).scalar_subquery(),
)
