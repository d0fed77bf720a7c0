"""What clinics chose of their sequences, and whose plans were made before they chose."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from outreach.domain.sequence import Sequence, adapted
from outreach.domain.status import Status
from outreach.store.office import ClinicSequence
from outreach.store.rows import Ask, together
from outreach.store.tables import Enrolment, Patient
from outreach.store.traffic import Message

MOST_COUNTED = 10_000
"""Counts for a page stop here, so that it never reads a million rows to say "many"."""


@dataclass(frozen=True)
class Choice:
    """On or off, and the changes by step as domain.choices made them. `revision` counts changes; 0: none was made."""

    active: bool = True
    changes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    revision: int = 0
    changed_at: datetime | None = None

    def of(self, sequence: Sequence) -> Sequence:
        """The sequence as this clinic has it."""
        return adapted(sequence, self.changes, self.active)


AS_WRITTEN = Choice()
Choices = dict[tuple[UUID, str], Choice]
"""By clinic and name of the sequence."""


def of_clinics(session: Session, clinic_ids: Collection[UUID]) -> Choices:
    """What these clinics chose; a sequence that nobody touched is absent."""
    chosen = ClinicSequence.clinic_id.in_(clinic_ids)
    return _read(session, chosen) if clinic_ids else {}


def every(session: Session) -> Choices:
    """The same of all clinics."""
    return _read(session)


def get(session: Session, clinic_id: UUID, sequence: str) -> Choice:
    """A clinic's choice of one sequence; as the file has it where it chose nothing."""
    found = told(together(session, asking(clinic_id, sequence))[0])
    return found.get((clinic_id, sequence), AS_WRITTEN)


def asking(clinic_id: UUID, sequence: str) -> Ask:
    """The same, together with others."""
    return Ask(_ONE, {"clinic": clinic_id, "sequence": sequence})


def told(rows: Iterable[Any]) -> Choices:
    """Choices by clinic and sequence."""
    return {(clinic_id, name): Choice(*rest) for clinic_id, name, *rest in rows}


_ONE = """
select clinic_id, sequence, active, changes, revision, changed_at from clinic_sequence
where clinic_id = %(clinic)b and sequence = %(sequence)b"""


def _read(session: Session, *where: Any) -> Choices:
    columns = (ClinicSequence.clinic_id, ClinicSequence.sequence, ClinicSequence.active, ClinicSequence.changes,
               ClinicSequence.revision, ClinicSequence.changed_at)  # fmt: skip
    rows = session.execute(select(*columns).where(*where))
    return told(rows)


def write(session: Session, clinic_id: UUID, sequence: str, choice: Choice, now: datetime) -> bool:
    """Keep a choice made while looking at `choice.revision`. False: somebody else has chosen since."""
    values = {"active": choice.active, "changes": dict(choice.changes), "changed_at": now}
    if choice.revision == 0:
        fresh = upsert(ClinicSequence).values(clinic_id=clinic_id, sequence=sequence, revision=1, **values)
        return session.scalar(fresh.on_conflict_do_nothing().returning(ClinicSequence.revision)) is not None
    mine = (ClinicSequence.clinic_id == clinic_id, ClinicSequence.sequence == sequence,
            ClinicSequence.revision == choice.revision)  # fmt: skip
    written = update(ClinicSequence).where(*mine).values(revision=ClinicSequence.revision + 1, **values)
    kept = session.scalar(written.returning(ClinicSequence.revision).execution_options(synchronize_session=False))
    return kept is not None


def stale(session: Session, clinic_id: UUID, sequence: str, digest: str, limit: int) -> list[UUID]:
    """Courses that were last planned by other rules than `digest`, in the order of their ids."""
    return list(
        session.scalars(
            select(Enrolment.course_id)
            .where(*_enrolled(clinic_id, sequence), Enrolment.sequence_digest != digest)
            .order_by(Enrolment.course_id)
            .limit(limit)
        )
    )


def enrolled(session: Session, clinic_id: UUID) -> dict[str, int]:
    """How many courses of the clinic follow each sequence; those of inactive patients follow none."""
    rows = session.execute(
        select(Enrolment.sequence, func.count()).where(*_following(clinic_id)).group_by(Enrolment.sequence)
    )
    return {name: int(count) for name, count in rows}


def waiting(session: Session, clinic_id: UUID, sequence: str, steps: Collection[str]) -> int:
    """How many messages of these steps are still to come; counted up to MOST_COUNTED."""
    some = select(Message.id).where(*_coming(clinic_id, sequence, steps)).limit(MOST_COUNTED).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def next_to_go(
    session: Session, clinic_id: UUID, sequence: str, steps: Collection[str], before: datetime, limit: int
) -> list[UUID]:
    """Messages of these steps that would go out before `before`, soonest first; locked against the pump."""
    return list(
        session.scalars(
            select(Message.id)
            .where(*_coming(clinic_id, sequence, steps), Message.due_at < before)
            .order_by(Message.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


SOON = timedelta(hours=2)


def _coming(clinic_id: UUID, sequence: str, steps: Collection[str]) -> tuple[Any, ...]:
    theirs = select(Enrolment.id).where(*_enrolled(clinic_id, sequence))
    return (Message.clinic_id == clinic_id, Message.status == Status.SCHEDULED.value, Message.step.in_(steps),
            Message.occasion.is_(None), Message.enrolment_id.in_(theirs))  # fmt: skip


def _enrolled(clinic_id: UUID, sequence: str) -> tuple[Any, ...]:
    return *_following(clinic_id), Enrolment.sequence == sequence


def _following(clinic_id: UUID) -> tuple[Any, ...]:
    """Whoever is made active again is planned anew then, by the rules of that day."""
    gone = select(Patient.id).where(Patient.clinic_id == clinic_id, ~Patient.active)  # few, by an index of their own
    return Enrolment.clinic_id == clinic_id, Enrolment.status == "active", Enrolment.patient_id.not_in(gone)
