"""New zone data: everything unsent gets the instant that its wall time now means; what went out is never touched.

What happens to a row, decided row by row:

    a step dated from a visit     dated again as the planner would today, in place: same row, same attempts
    the planner would now end it,
    or would now send what it
    had ended for the night       the course is re-planned (actions.replan), as after a move
    an occasion still to come     its own wall time made an instant again
    an occasion already due       stays: it answers something that has happened
    a row its sequence no
    longer knows                  its own wall time made an instant again
    a try after a refusal, a
    row held back                 keeps its wait, once its turn has come by the new data too

A visit stays at its wall time. Whose instant is already past by the new data goes at once, if it is still useful.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.orm import Session, sessionmaker

from outreach.actions.replan import PLANNERS_OWN, replan
from outreach.domain.channel import Channel
from outreach.domain.message import Planned
from outreach.domain.plan import Visit, plan
from outreach.domain.sequence import Sequence, Step
from outreach.domain.status import Status
from outreach.domain.window import QuietHours, moment, tz_version
from outreach.errors import OutreachError, Reason
from outreach.store import choices, enrolments, infusions, zones
from outreach.store.choices import AS_WRITTEN, Choices
from outreach.store.zones import Retimed, Unit, Waiting

BATCH = 1000
Key = tuple[str, Channel, UUID | None, int]

log = structlog.get_logger()


@dataclass(frozen=True)
class Progress:
    """How far a refresh is: rows looked at, rows whose times moved, courses planned anew, courses that failed."""

    looked: int = 0
    moved: int = 0
    replanned: int = 0
    failed: int = 0

    def __add__(self, other: Progress) -> Progress:
        return Progress(self.looked + other.looked, self.moved + other.moved, self.replanned + other.replanned,
                        self.failed + other.failed)  # fmt: skip


def refresh(sessions: sessionmaker[Session], sequences: Mapping[str, Sequence], clock: Callable[[], datetime]) -> int:
    """Bring every plan made with other zone data up to date. Returns how many rows' times moved.

    Twice in a row changes nothing; stopped half-way, the next call goes on with the rest.
    """
    done = Progress()
    for so_far in steps(sessions, sequences, clock):
        done = so_far
    if done.looked:
        log.info("zone data", version=tz_version(), count=done.looked, rescheduled=done.moved, status="refreshed")
    return done.moved


def steps(
    sessions: sessionmaker[Session], sequences: Mapping[str, Sequence], clock: Callable[[], datetime],
    batch: int = BATCH,
) -> Iterator[Progress]:  # fmt: skip
    """The same, page by page: how far it is after each. No transaction is open while the caller looks."""
    done, place, first = Progress(), None, True
    while first or place is not None:
        first = False
        with sessions() as session:
            units, place = zones.stale(session, tz_version(), place, batch)
        if units:
            done += _page(sessions, sequences, units, clock())
            yield done


@dataclass
class Findings:
    """What new zone data mean for one course: rows that stay, rows with new times, rows that need a new plan."""

    same: list[Retimed] = field(default_factory=list)
    moved: list[Retimed] = field(default_factory=list)
    anew: list[Waiting] = field(default_factory=list)

    @property
    def calm(self) -> bool:
        return not self.moved and not self.anew


def _page(
    sessions: sessionmaker[Session], sequences: Mapping[str, Sequence], units: list[Unit], now: datetime
) -> Progress:
    """Most zones did not change: their rows are stamped at once, and only courses that something moves are locked."""
    calm: list[UUID] = []
    moving: list[Unit] = []
    done = Progress()
    with sessions() as session:
        found = zones.waiting(session, units, PLANNERS_OWN)
        visits = infusions.of_courses(session, {course_id for _, course_id in units if course_id})
        chosen = choices.of_clinics(session, {row.clinic_id for rows in found.values() for row in rows})
    for unit, rows in found.items():
        try:
            theirs = _of_clinic(rows, sequences, chosen)
            findings = derive(rows, visits.get(unit[1], []) if unit[1] else [], theirs, now)
        except OutreachError as error:
            done += _failed(unit, error)
            continue
        if findings.calm:
            calm += [one.row.id for one in findings.same]
        else:
            moving.append(unit)
    with sessions.begin() as session:
        zones.stamp(session, calm, tz_version())
    done += Progress(looked=len(calm))
    for unit in moving:
        try:
            with sessions.begin() as session:
                done += refresh_one(session, unit, sequences, now)
        except OutreachError as error:
            done += _failed(unit, error)
    return done


def _of_clinic(rows: list[Waiting], sequences: Mapping[str, Sequence], chosen: Choices) -> dict[str, Sequence]:
    """The sequences as the clinic of these rows has them; rows of one patient are of one clinic."""
    clinic_id = rows[0].clinic_id if rows else None
    return {
        name: chosen.get((clinic_id, name), AS_WRITTEN).of(sequence) if clinic_id else sequence
        for name, sequence in sequences.items()
    }


def _failed(unit: Unit, error: OutreachError) -> Progress:
    """One course that cannot be dated (its zone's name is gone) holds up no other; the next pass asks again."""
    log.error("zone data", patient=str(unit[0]), course=str(unit[1]), error=type(error).__name__, status="failed")
    return Progress(failed=1)


def refresh_one(session: Session, unit: Unit, sequences: Mapping[str, Sequence], now: datetime) -> Progress:
    """One course, or one patient's messages without a course, under the locks that a re-plan takes."""
    _, course_id = unit
    if course_id:
        enrolments.lock_course(session, course_id)
    visits = infusions.of_course(session, course_id) if course_id else []
    rows = zones.waiting(session, [unit], PLANNERS_OWN, lock=True)[unit]
    chosen = choices.of_clinics(session, {row.clinic_id for row in rows})
    findings = derive(rows, visits, _of_clinic(rows, sequences, chosen), now)
    zones.stamp(session, [one.row.id for one in findings.same], tz_version())
    zones.retime(session, findings.moved, tz_version(), now)
    zones.renew_notices(session, _notices(findings.moved, visits))
    if course_id:
        for name in sorted({row.sequence for row in findings.anew if row.sequence}):
            replan(session, course_id, sequences[name], now)
        zones.stamp(session, [row.id for row in findings.anew], tz_version())  # those that the new plan left waiting
    looked = len(findings.same) + len(findings.moved) + len(findings.anew)
    return Progress(looked, len(findings.moved), int(bool(findings.anew)))


def derive(rows: Iterable[Waiting], visits: list[Visit], sequences: Mapping[str, Sequence], now: datetime) -> Findings:
    """Date the unsent rows of one course by the zone data of today. Pure."""
    stale = [row for row in rows if row.tz_version != tz_version()]
    plans = _plans(stale, visits, sequences, now)
    findings = Findings()
    for row in stale:
        one = plans.get((row.sequence, row.zone), {}).get((row.step, row.channel, row.infusion_id, row.revision))
        if _decides_anew(row, one):
            findings.anew.append(row)
        elif row.status is Status.SCHEDULED:
            retimed = _as_planned(row, one, now) if one else _by_wall(row, visits, sequences, now)
            (findings.same if retimed.same else findings.moved).append(retimed)
    return findings


def _plans(
    rows: list[Waiting], visits: list[Visit], sequences: Mapping[str, Sequence], now: datetime
) -> dict[tuple[str | None, str], dict[Key, Planned]]:
    """What the planner wants today, by the rows' sequence and zone."""
    plans: dict[tuple[str | None, str], dict[Key, Planned]] = {}
    channels = {row.channel for row in rows}
    for row in rows:
        sequence = sequences.get(row.sequence or "")
        if sequence is not None and (row.sequence, row.zone) not in plans:
            quiet = QuietHours.outside(row.quiet_from, row.quiet_to)
            wanted = plan(sequence, visits, row.zone, channels, now, quiet)
            plans[row.sequence, row.zone] = {
                (one.step, one.channel, one.infusion_id, one.revision): one for one in wanted
            }
    return plans


def _decides_anew(row: Waiting, one: Planned | None) -> bool:
    """Whether the planner would now end what waits, or let wait what it had ended."""
    if one is None:
        return False
    if row.status is not Status.SCHEDULED:
        return one.status is Status.SCHEDULED and not one.late
    return one.status is not Status.SCHEDULED and one.reason is not Reason.PAST_AT_PLANNING


def _as_planned(row: Waiting, one: Planned, now: datetime) -> Retimed:
    return Retimed(row, one.wall, _turn(row, one.due_at, now), one.useful_until, one.rule)


def _turn(row: Waiting, planned: datetime, now: datetime) -> datetime:
    """When a row is due. A turn that has come has come: a wait is kept, anything else is decided on at once."""
    if planned > now:
        return planned
    waits = row.attempts > 0 or row.reason is not None
    return row.due_at if waits or row.due_at <= now else now


def _by_wall(row: Waiting, visits: list[Visit], sequences: Mapping[str, Sequence], now: datetime) -> Retimed:
    """The row's own wall time as an instant. An occasion that is due already happened when it happened."""
    kept = Retimed(row, row.wall, row.due_at, row.useful_until, row.rule)
    step = _step(row.step, sequences)
    visit = _about(row, visits)
    if step is not None and step.useful_until.text == "start" and visit is not None:
        kept = replace(kept, useful_until=visit.start)
    if row.occasion is not None and row.due_at <= now:
        return kept
    due = _turn(row, moment(row.wall, row.zone).at, now)
    calendar = step is not None and (step.useful_until.calendar or step.useful_until.text == "end of day")
    if due > now and (calendar or step is None):
        return replace(kept, due_at=due, useful_until=row.useful_until + (due - row.due_at))
    return replace(kept, due_at=due)


def _step(key: str, sequences: Mapping[str, Sequence]) -> Step | None:
    return next((step for sequence in sequences.values() for step in sequence.steps if step.key == key), None)


def _about(row: Waiting, visits: list[Visit]) -> Visit | None:
    """The visit a row tells of: its own, or that of the notice "visit:<id>:<revision>"."""
    for visit in visits:
        if visit.id == row.infusion_id or row.occasion == f"visit:{visit.id}:{visit.revision}":
            return visit
    return None


def _notices(moved: Iterable[Retimed], visits: list[Visit]) -> dict[UUID, tuple[UUID, datetime]]:
    about = ((one.row, _about(one.row, visits)) for one in moved if one.row.occasion)
    return {row.id: (row.clinic_id, visit.start) for row, visit in about if visit and visit.status != "cancelled"}
