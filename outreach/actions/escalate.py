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
from outreach.store.told import TOLD

STEP = "staff.escalation"
EVERY = timedelta(minutes=10)
"""How long one person has before the next is told."""
ROUNDS = 6
"""So often the whole list is gone through with a carrier taking what is told; then only an alert is left."""
AT_MOST = 4 * ROUNDS
"""So often where carriers take nothing: each telling waits for its carrier, and would come with all the others."""
USEFUL = timedelta(hours=2)
NOBODY, UNREAD = "nobody on call", "urgent unread"
"""Kinds of alerts, each of a clinic: no list to go by (key ""); nobody took it after all rounds (key: the task)."""


def escalate(session: Session, locales: Collection[str], now: datetime) -> int:
    """Tell whoever's turn it is in each clinic of the urgent tasks that nobody has taken. Returns how many were told.

    What comes between two rounds waits for the next, or until what was told of is taken.
    `locales`: in which there are words for it; anybody else reads English.
    """
    rounds: dict[UUID, list[Waiting]] = {}
    for task in tasks.waiting(session, "urgent", now - EVERY):
        rounds.setdefault(task.clinic_id, []).append(task)
    told: list[tuple[Waiting, UUID]] = []
    for clinic_id, waiting in rounds.items():
        people = _people(session, clinic_id, now)
        due = [task for task in waiting if _still(session, task, people, now)]
        if due:
            staff_id = people[due[0].escalated % len(people)]
            _tell(session, due, staff_id, locales, now)
            told += [(task, staff_id) for task in due]
    untaken = {(clinic_id, UNREAD, str(task_id)) for clinic_id, task_id in tasks.untaken(session, "urgent")}
    alerts.clear_others(session, [UNREAD], untaken, now)
    # At the end, and in one order: see audit.note.
    for task, staff_id in sorted(told, key=lambda one: one[0].clinic_id):
        audit.note(
            session, clinic_id=task.clinic_id, at=now, actor_kind="system", actor_id=None, action=TOLD,
            subject="task", subject_id=task.id, detail={"to": str(staff_id), "number": task.escalated + 1},
        )  # fmt: skip
    return len({task.clinic_id for task, _ in told})


def _people(session: Session, clinic_id: UUID, now: datetime) -> list[UUID]:
    """Who is on call, in order; the administrators, and an alert while it lasts, when nobody is."""
    if people := on_call.order(session, clinic_id):
        return people
    if not alerts.is_open(session, clinic_id, NOBODY, ""):
        alerts.raise_alert(session, clinic_id, NOBODY, "", "no list of who is on call", now)
    return on_call.administrators(session, clinic_id)


def _still(session: Session, task: Waiting, people: Sequence[UUID], now: datetime) -> bool:
    """Whether somebody is to be told of it; an alert is left when everybody was told often enough, or should have been.

    Only what a carrier took counts as told: nobody has read what waits here.
    """
    enough = ROUNDS * len(people)
    if task.escalated < enough:
        return True
    went = on_call.taken(session, task.clinic_id, STEP, task.opened_at)
    if not alerts.ever(session, UNREAD, [str(task.id)]):
        about = f"task {task.id}: {task.escalated} times somebody was to be told, {went} times a carrier took it"
        alerts.raise_alert(session, task.clinic_id, UNREAD, str(task.id), about, now)
    return went < enough and task.escalated < AT_MOST * len(people)


def _tell(session: Session, due: Sequence[Waiting], staff_id: UUID, locales: Collection[str], now: datetime) -> None:
    """By every address the person has, at once: the link to the task, and nothing about the patient.

    One message for all that is due in a clinic, which then leads to the inbox: ten would bury each other.
    """
    task, page = due[0], f"/inbox/{due[0].id}" if len(due) == 1 else "/inbox"
    clinic = clinics.by_id(session, task.clinic_id)
    person = stand_ins.own(session, clinic.id, staff_id, lock=True)
    patient_id = stand_in(session, clinic, staff_id, person, now)
    locale = colleagues.row(session, clinic.id, staff_id).locale
    for channel, value in person.reach.items():
        address_id, _ = patients.set_address(session, clinic.id, patient_id, channel, value, now)
        messages.add_occasion(
            session, clinic_id=clinic.id, patient_id=patient_id, address_id=address_id, channel=channel, step=STEP,
            occasion=f"escalation:{task.id}:{task.escalated}", zone=clinic.zone, due_at=now, useful_until=now + USEFUL,
            wall=wall_at(now, clinic.zone), tz_version=tz_version(), facts={"page": page},
            locale=locale if locale in locales else "en", rule="nobody took it",
        )  # fmt: skip
    tasks.escalated(session, [one.id for one in due], now)
