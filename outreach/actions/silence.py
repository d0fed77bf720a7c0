"""Silencing: the patient told the clinic to write no more; every address of theirs, at once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.withdraw import revoke
from outreach.domain.channel import Channel
from outreach.domain.consent import Scope, State, may_contact
from outreach.store import audit, consents, patients, tasks

STOP, DONE = "stop", "done"
"""The kind of the task that a request to stop becomes, and how it ends once it is met."""


def silence(
    session: Session,
    clinic_id: UUID,
    patient_id: UUID,
    *,
    staff_id: UUID,
    now: datetime,
    channels: Collection[Channel] = tuple(Channel),
    asked_on: date | None = None,
    every_channel: bool = False,
) -> int:
    """Revoke what was agreed for these channels. Returns how many waiting messages were suppressed.

    An address the clinic has revoked already is left as it is: pressing twice writes one row. `asked_on`: when the
    patient asked. `every_channel`: the law's switch, which makes a stop on one channel one of all.
    """
    patients.lock(session, clinic_id, patient_id)
    channels = tuple(Channel) if every_channel else channels
    scope = Scope.ALL if set(channels) == set(Channel) else Scope.ADDRESS
    evidence = f"desk:{now.isoformat()}" + (f":asked:{asked_on.isoformat()}" if asked_on else "")
    reach = [one for one in patients.addresses(session, clinic_id, patient_id).values() if one.channel in channels]
    ledgers = consents.ledgers(session, [one.id for one in reach])
    open_ones = [one for one in reach if may_contact(ledgers.get(one.id, ()), now).state is not State.REVOKED_BY_STAFF]
    count = sum(
        revoke(session, one.id, actor=f"staff:{staff_id}", evidence=evidence, now=now, scope=scope) for one in open_ones
    )
    for task in tasks.of_patient(session, clinic_id, patient_id):
        if task.kind == STOP and task.closed_at is None:
            tasks.close(session, clinic_id, task.id, staff_id, DONE, now)
    if open_ones:
        audit.note(
            session, clinic_id=clinic_id, at=now, actor_kind="staff", actor_id=staff_id, action="consent.revoked",
            subject="patient", subject_id=patient_id,
            detail={"channels": sorted(one.channel.value for one in open_ones), "messages": count,
                    "asked_on": str(asked_on or "")},
        )  # fmt: skip
    return count


def silence_later(
    session: Session, clinic_id: UUID, patient_id: UUID, *, asked_on: date, due_at: datetime, staff_id: UUID,
    now: datetime,
) -> None:  # fmt: skip
    """A request that cannot be met at once (a letter that names nobody clearly) becomes a task with the law's deadline.

    The same request noted twice is one task. Messages go on until somebody presses Stop.
    """
    patients.lock(session, clinic_id, patient_id)
    opened = tasks.open_task(session, clinic_id=clinic_id, patient_id=patient_id, kind=STOP,
                             occasion=f"asked:{patient_id}:{asked_on.isoformat()}", now=now, due_at=due_at)  # fmt: skip
    if opened:
        audit.note(
            session, clinic_id=clinic_id, at=now, actor_kind="staff", actor_id=staff_id, action="consent.stop_asked",
            subject="patient", subject_id=patient_id, detail={"asked_on": str(asked_on), "due": due_at.isoformat()},
        )  # fmt: skip
