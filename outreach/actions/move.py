"""Moving and cancelling a visit: a new plan, and one notice to whoever had heard of the old time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.replan import Planning, quiet_of, replan
from outreach.domain.plan import Visit, at_once
from outreach.domain.sequence import Sequence
from outreach.domain.status import Status
from outreach.domain.window import moment
from outreach.errors import BadInput, NotFound, Reason
from outreach.store import clinics, enrolments, infusions, messages, patients


@dataclass(frozen=True)
class Moved:
    """What moving or cancelling changed; `noticed`: messages queued that tell of it."""

    planning: Planning
    noticed: int


def move(
    session: Session,
    infusion_id: UUID,
    starts: datetime,
    zone: str,
    sequence: Sequence,
    now: datetime,
    *,
    minutes: int | None = None,
    clinic_id: UUID | None = None,
) -> Moved:
    """Move a visit to the wall time `starts` in `zone`. The time it already has changes nothing.

    `clinic_id`: whose staff asks; a visit of another clinic is then NotFound.
    """
    old = _visit(session, clinic_id, infusion_id)
    new_minutes = minutes or old.minutes
    if (old.starts, old.zone, old.minutes, old.status) == (starts, zone, new_minutes, "booked"):
        return Moved(Planning(), 0)
    rebook(session, old, starts, zone, new_minutes)
    planning = replan(session, old.course_id, sequence, now)
    return Moved(planning, tell(session, old, sequence, now))


def cancel(
    session: Session, infusion_id: UUID, sequence: Sequence, now: datetime, *, clinic_id: UUID | None = None
) -> Moved:
    """Cancel a visit; `clinic_id` as for move(). A cancelled one changes nothing."""
    old = _visit(session, clinic_id, infusion_id)
    if old.status == "cancelled":
        return Moved(Planning(), 0)
    infusions.rebook(session, old, starts=old.starts, zone=old.zone, minutes=old.minutes, status="cancelled")
    planning = replan(session, old.course_id, sequence, now)
    return Moved(planning, tell(session, old, sequence, now))


def rebook(session: Session, old: Visit, starts: datetime, zone: str, minutes: int) -> None:
    """Write the new time. BadInput when it cannot be: an hour the clock skips, or a time another visit has."""
    check_start(starts, zone)
    others = infusions.of_course(session, old.course_id)
    if any(one.starts == starts and one.status != "cancelled" and one.id != old.id for one in others):
        raise BadInput("Another visit of this patient has this time already. Move or cancel that one first.")
    infusions.rebook(session, old, starts=starts, zone=zone, minutes=minutes)


def check_start(starts: datetime, zone: str) -> None:
    """BadInput for a wall time that is none, or that the zone's clock skips."""
    if starts.tzinfo is not None:
        raise BadInput("Give the start of a visit by the clinic's clock, without an offset: 2026-11-28T10:00.")
    if moment(starts, zone).note.startswith("gap"):
        raise BadInput(f"This hour does not exist on that day in {zone}: the clocks go forward. Choose another.")


def tell(session: Session, old: Visit, sequence: Sequence, now: datetime) -> int:
    """Queue the notice of a change to whoever knows the old time, after the re-plan. Returns how many messages.

    Notices still waiting are replaced by one that spans both changes; back at the time that is known, none is needed.
    """
    new = infusions.get(session, old.id)
    waiting = infusions.waiting_notices(session, old.id)
    messages.finish(session, [one.message_id for one in waiting], Status.CANCELLED, Reason.SUPERSEDED, now)
    # Where one channel's notice is out already, its time is the one that is known.
    unheard = [] if infusions.heard_any(session, [one.occasion for one in waiting]) else waiting
    if not unheard and not infusions.told(session, old.id):
        return 0
    facts = _facts(old, new) | ({"old_start": unheard[0].facts["old_start"]} if unheard else {})
    if new.status != "cancelled" and facts["old_start"] == facts["new_start"]:
        return 0
    return _queue(session, new, sequence, facts, now)


def _facts(old: Visit, new: Visit) -> dict[str, str]:
    facts = {"infusion_id": str(new.id), "revision": str(new.revision), "minutes": str(new.minutes),
             "old_start": old.start.isoformat()}  # fmt: skip
    return facts if new.status == "cancelled" else facts | {"new_start": new.start.isoformat()}


def _queue(session: Session, visit: Visit, sequence: Sequence, facts: Mapping[str, str], now: datetime) -> int:
    course = enrolments.lock_course(session, visit.course_id)
    clinic = clinics.by_id(session, course.clinic_id)
    person = patients.get(session, clinic.id, course.patient_id)
    reach = patients.addresses(session, clinic.id, person.id)
    queued = 0
    for step in sequence.triggered("cancelled" if visit.status == "cancelled" else "moved"):
        for channel in (channel for channel in step.channels if channel in reach):
            one = at_once(step, channel, person.zone, now, visit, quiet_of(clinic))
            queued += messages.add_occasion(
                session, clinic_id=clinic.id, patient_id=person.id, address_id=reach[channel].id, channel=channel,
                step=step.key, occasion=f"visit:{visit.id}:{visit.revision}", zone=one.zone, due_at=one.due_at,
                useful_until=one.useful_until, wall=one.wall, tz_version=one.tz_version, facts=facts,
                course_id=course.id,
            ) is not None  # fmt: skip
    dead = [one.id for one in reach.values() if not one.usable]
    if dead:
        messages.suppress_scheduled(session, dead, Reason.ADDRESS_UNUSABLE, now)
    return queued


def _visit(session: Session, clinic_id: UUID | None, infusion_id: UUID) -> Visit:
    """The visit, its course locked: two moves of one visit take turns."""
    course, visit = infusions.locked(session, infusion_id)
    if clinic_id is not None and course.clinic_id != clinic_id:
        raise NotFound("no such infusion in this clinic")
    return visit
