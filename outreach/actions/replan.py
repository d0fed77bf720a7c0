"""Re-planning a course: the one idempotent way in which planned messages come into being and go."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentEvent, State, may_contact
from outreach.domain.decision import ANSWERS
from outreach.domain.message import Planned
from outreach.domain.plan import Visit, plan
from outreach.domain.sequence import Sequence
from outreach.domain.status import Status
from outreach.domain.window import QuietHours, wall_at
from outreach.errors import Reason
from outreach.store import clinics, enrolments, messages, plans
from outreach.store.due import ClinicFacts
from outreach.store.people import Reach
from outreach.store.plans import Unsent
from outreach.store.tables import Clinic

Key = tuple[str, Channel, UUID | None, int]

# Decisions of the planner that a new plan may take back; every other end was decided at its time and stays.
PLANNERS_OWN = frozenset({Reason.NEXT_INFUSION_NEAR.value, Reason.QUIET_HOURS.value})


@dataclass(frozen=True)
class Planning:
    """What a re-plan changed. `by`: the rules it went by, as the clinic has them; None: there was nothing to plan."""

    added: int = 0
    cancelled: int = 0
    by: Sequence | None = None


def quiet_of(clinic: Clinic | ClinicFacts) -> QuietHours:
    """When patients of this clinic may be written to."""
    return QuietHours.outside(clinic.quiet_from, clinic.quiet_to)


def replan(session: Session, course_id: UUID, sequence: Sequence, now: datetime) -> Planning:
    """Make the planned messages of a course what its infusions, addresses and sequence now ask for.

    `sequence` is the file's: what the clinic chose of it is applied here, where every plan is made. Twice in a row
    changes nothing. What went out, or possibly did, is never planned again but where a step says so.
    """
    course = enrolments.lock_course(session, course_id)
    clinic = clinics.by_id(session, course.clinic_id)
    known = plans.ground(session, course, sequence.name, now)
    sequence, person = known.choice.of(sequence), known.person
    wanted = plan(sequence, known.visits, person.zone, known.reach.keys(), now, quiet_of(clinic), known.said)
    over = course.status != "active"
    reach = {channel: one.id for channel, one in known.reach.items()}
    leaving, fresh = compare(known.waiting, wanted if person.active and not over else [], reach, known.visits, now)
    if over:
        leaving = dict.fromkeys(leaving, Reason.COURSE_ENDED)
    added, ledgers = plans.write(session, course, known, sequence.name, sequence.digest, leaving, fresh, now)
    _silence(session, known.reach.values(), ledgers, now)
    return Planning(added, len(leaving), sequence)


def _silence(
    session: Session, theirs: Collection[Reach], ledgers: Mapping[UUID, list[ConsentEvent]], now: datetime
) -> None:
    """What was planned for an address that has said no, or is dead, is suppressed at once, not when it falls due."""
    for address_id, events in ledgers.items():
        permission = may_contact(events, now)
        if permission.reason is not None and permission.state not in (State.NONE, State.ASKED):
            messages.suppress_scheduled(session, [address_id], permission.reason, now, ANSWERS)
    dead = [one.id for one in theirs if not one.usable]
    if dead:
        messages.suppress_scheduled(session, dead, Reason.ADDRESS_UNUSABLE, now)


def compare(
    waiting: list[Unsent], wanted: list[Planned], reach: Mapping[Channel, UUID], visits: list[Visit], now: datetime
) -> tuple[dict[UUID, Reason], list[Planned]]:
    """Which waiting rows leave (with a reason), and which planned messages are new. Pure."""
    plan_by_key = {_key(one.step, one.channel, one.infusion_id, one.revision): one for one in wanted}
    kept: set[Key] = set()
    leaving: dict[UUID, Reason] = {}
    for row in waiting:
        key = _key(row.step, row.channel, row.infusion_id, row.revision)
        one = plan_by_key.get(key)
        if one is not None and _stays(row, one, reach):
            kept.add(key)
        elif one is not None or row.status is Status.SCHEDULED:
            leaving[row.id] = _why(row, visits)
            if one is not None:
                plan_by_key[key] = _not_lost(row, one, now)
    return leaving, [one for key, one in plan_by_key.items() if key not in kept]


def _key(step: str, channel: Channel, infusion_id: UUID | None, revision: int) -> Key:
    return step, channel, infusion_id, revision


def _stays(row: Unsent, one: Planned, reach: Mapping[Channel, UUID]) -> bool:
    # What is late is wanted "now", by each plan anew: a row that waits since an earlier now, or for a retry, is that.
    wall = min(row.wall, one.wall) if one.late else one.wall
    ended = one.late and row.status is not Status.SCHEDULED
    same = (
        (row.wall, row.zone, row.useful_until, row.address_id)
        == (row.wall if ended else wall, one.zone, one.useful_until, reach.get(one.channel))
        # Newer zone data alone is no reason to write the row anew; another instant is. A retry's delay is not one, nor
        # is an instant that has passed: written anew, what is still useful would end as past.
        and (row.tz_version == one.tz_version or row.due_at == one.due_at or one.late
             or one.reason is Reason.PAST_AT_PLANNING)
    )  # fmt: skip
    if row.status is Status.SCHEDULED:
        return same and one.status is not Status.SUPPRESSED
    if one.status is not Status.SCHEDULED:
        return True  # over is over: it needs no second end
    return same and row.reason not in PLANNERS_OWN


def _not_lost(row: Unsent, one: Planned, now: datetime) -> Planned:
    """What replaces a row whose turn had come (a late pump, a retry) and is still of use goes out now, not never."""
    if row.status is Status.SCHEDULED and one.reason is Reason.PAST_AT_PLANNING and now < one.useful_until:
        return one._replace(status=Status.SCHEDULED, reason=None, due_at=max(row.due_at, now))
    if row.status is Status.SCHEDULED and one.late and one.due_at < row.due_at < one.useful_until:
        return one._replace(due_at=row.due_at, wall=wall_at(row.due_at, one.zone))  # a retry's delay stays
    return one


def _why(row: Unsent, visits: list[Visit]) -> Reason:
    visit = next((one for one in visits if one.id == row.infusion_id), None)
    # What goes once for a whole course has no newer plan either, where no visit of it is left.
    whole = row.infusion_id is None and bool(visits) and all(one.status == "cancelled" for one in visits)
    if whole or (visit is not None and visit.status == "cancelled"):
        return Reason.VISIT_CANCELLED
    if visit is not None and visit.revision > row.revision:
        return Reason.VISIT_MOVED
    return Reason.SUPERSEDED
