"""Escalating: what is urgent goes to the staff on call, one after another, until somebody takes it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.stand_for import stand_in
from outreach.domain.window import tz_version, wall_at
from outreach.store import alerts, audit, clinics, colleagues, messages, on_call, patients, stand_ins, tasks
from outreach.store.tasks import Waiting

STEP = "staff.escalation"
EVERY = timedelta(minutes=10)
"""How long one person has before the next is told."""
ROUNDS = 6
"""So often the whole list is gone through; then only an alert is left."""
USEFUL = timedelta(hours=2)
NOBODY, UNREAD = "nobody on call", "urgent unread"
"""Kinds of alerts, each of a clinic: no list to go by (key ""); nobody took it after all rounds (key: the task)."""


def escalate(session: Session, locales: Collection[str], now: datetime) -> int:
    """Tell whoever's turn it is about each urgent task that nobody has taken. Returns how many people were told.

    `locales`: in which there are words for it; anybody else reads English.
    """
    lists: dict[UUID, list[UUID]] = {}
    told: list[tuple[Waiting, UUID]] = []
    for task in tasks.waiting(session, "urgent", now - EVERY):
        if task.clinic_id not in lists:
            lists[task.clinic_id] = _people(session, task.clinic_id, now)
        staff_id = _next(session, task, lists[task.clinic_id], now)
        if staff_id is not None:
            _tell(session, task, staff_id, locales, now)
            told.append((task, staff_id))
    untaken = {(clinic_id, UNREAD, str(task_id)) for clinic_id, task_id in tasks.untaken(session, "urgent")}
    alerts.clear_others(session, [UNREAD], untaken, now)
    # At the end, and in one order: see audit.note.
    for task, staff_id in sorted(told, key=lambda one: one[0].clinic_id):
        audit.note(
            session, clinic_id=task.clinic_id, at=now, actor_kind="system", actor_id=None, action="task.escalated",
            subject="task", subject_id=task.id, detail={"to": str(staff_id), "number": task.escalated + 1},
        )  # fmt: skip
    return len(told)


def _people(session: Session, clinic_id: UUID, now: datetime) -> list[UUID]:
    """Who is on call, in order; the administrators, and an alert while it lasts, when nobody is."""
    if people := on_call.order(session, clinic_id):
        return people
    if not alerts.is_open(session, clinic_id, NOBODY, ""):
        alerts.raise_alert(session, clinic_id, NOBODY, "", "no list of who is on call", now)
    return on_call.administrators(session, clinic_id)


def _next(session: Session, task: Waiting, people: Sequence[UUID], now: datetime) -> UUID | None:
    """Whose turn it is; None, and an alert, when everybody was told often enough."""
    if people and task.escalated < ROUNDS * len(people):
        return people[task.escalated % len(people)]
    if not alerts.ever(session, UNREAD, [str(task.id)]):
        about = f"task {task.id}, told {task.escalated} times"
        alerts.raise_alert(session, task.clinic_id, UNREAD, str(task.id), about, now)
    return None


def _tell(session: Session, task: Waiting, staff_id: UUID, locales: Collection[str], now: datetime) -> None:
    """By every address the person has, at once: the link to the task, and nothing about the patient."""
    clinic = clinics.by_id(session, task.clinic_id)
    person = stand_ins.own(session, clinic.id, staff_id, lock=True)
    patient_id = stand_in(session, clinic, staff_id, person, now)
    locale = colleagues.row(session, clinic.id, staff_id).locale
    for channel, value in person.reach.items():
        address_id, _ = patients.set_address(session, clinic.id, patient_id, channel, value, now)
        messages.add_occasion(
            session, clinic_id=clinic.id, patient_id=patient_id, address_id=address_id, channel=channel, step=STEP,
            occasion=f"escalation:{task.id}:{task.escalated}", zone=clinic.zone, due_at=now, useful_until=now + USEFUL,
            wall=wall_at(now, clinic.zone), tz_version=tz_version(), facts={"page": f"/inbox/{task.id}"},
            locale=locale if locale in locales else "en", rule="nobody took it",
        )  # fmt: skip
    tasks.escalated(session, task.id, now)
