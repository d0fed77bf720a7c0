"""Noticing silence: who was asked how they are and has not answered by the next day becomes a task, once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from outreach.domain.sequence import Sequence
from outreach.domain.window import wall_at
from outreach.errors import BadInput
from outreach.store import clinics, silences, tasks
from outreach.store.silences import Asked

BACK = timedelta(days=3)
"""How far back questions are looked at: older ones have had their task, or the service was down for days."""
AT_ONCE = 2000
ANSWERED = "answered"
"""The outcome of a task that the patient settled by writing after all."""


def notice(session: Session, sequences: Iterable[Sequence], now: datetime) -> int:
    """Open a task for each silence of all clinics, and close those that were broken. Returns how many were opened."""
    steps = {step.key for sequence in sequences for step in sequence.steps
             if step.asks and step.key.startswith("post.")}  # fmt: skip
    opened = 0
    for clinic in clinics.every(session):
        asked = silences.unanswered(session, clinic.id, steps, now - BACK, now, AT_ONCE)
        for one in asked:
            if _next_day(one, now):
                opened += _open(session, one, now)
    for task_id, clinic_id in silences.broken(session):
        tasks.close(session, clinic_id, task_id, None, ANSWERED, now)
    return opened


def _next_day(asked: Asked, now: datetime) -> bool:
    """Whether the day after the question has begun on the patient's calendar."""
    try:
        return wall_at(asked.sent_at, asked.zone).date() < wall_at(now, asked.zone).date()
    except BadInput:  # the zone is gone from the data: a day is a day
        return now - asked.sent_at >= timedelta(days=1)


def _open(session: Session, one: Asked, now: datetime) -> bool:
    task_id = tasks.open_task(
        session, clinic_id=one.clinic_id, patient_id=one.patient_id, kind="silence", occasion=one.occasion, now=now,
        message_id=one.message_id,
    )  # fmt: skip
    return task_id is not None
