"""The planner: sequence + infusions + the patient's zone + now → planned messages. Pure: equal input, equal output.

Days count on the patient's calendar ("3 days before start" starts from the day of the visit as the patient's own clock
has it); hours count real time. The visit's wall time belongs to the visit's zone, every message's to the patient's.
Strange hours follow the rule of `domain.window`: a gap moves forward by the gap, an overlap means its first occurrence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from collections.abc import Sequence as List
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import NamedTuple
from uuid import UUID

from outreach.domain.channel import Channel
from outreach.domain.message import Planned
from outreach.domain.sequence import Sequence, Step
from outreach.domain.status import Status
from outreach.domain.window import Moment, QuietHours, moment, tz_version, wall_at
from outreach.errors import BadInput, Reason

DEFAULT_QUIET = QuietHours()
Said = frozenset[tuple[str, Channel, UUID | None]]
LATE = "; late"
"""In the rule of every message that may go late: a patient's yes brings back what waited for nothing else."""
UNLESS = "; unless told by "
"""In the rule of what another step tells as well that day, before that step: a patient's yes looks at both again."""
LATE_USE = timedelta(hours=3)
"""What is sent late must be of use for so long: instructions for the day help nobody in the waiting room."""


@lru_cache(4096)
def _start(wall: datetime, zone: str, _version: str) -> Moment:
    """A plan asks for it for each of its messages and of its neighbours'; it is true for one edition of the zones'
    data."""
    return moment(wall, zone)


class Visit(NamedTuple):
    """One infusion. `starts` is naive wall time in `zone` (the clinic's); `revision` counts how often it was moved."""

    id: UUID
    course_id: UUID
    starts: datetime
    zone: str
    minutes: int
    revision: int = 0
    status: str = "booked"

    @property
    def start(self) -> datetime:
        return _start(self.starts, self.zone, tz_version()).at

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)


class Visits(tuple[Visit, ...]):
    """The visits of a course, which all messages of it share."""

    @cached_property
    def booked(self) -> list[datetime]:
        """When those begin that are neither cancelled nor over, in order."""
        return sorted(visit.start for visit in self if visit.status == "booked")

    @cached_property
    def by_id(self) -> dict[UUID, Visit]:
        return {visit.id: visit for visit in self}


def plan(
    sequence: Sequence,
    visits: List[Visit],
    zone: str,
    channels: Collection[Channel],
    now: datetime,
    quiet: QuietHours = DEFAULT_QUIET,
    already: Said = frozenset(),
) -> list[Planned]:
    """Every message with a time, in order of due time; what will not be sent is there too, with its status and reason.

    `zone` is the patient's, `channels` those the patient has. `already` holds what was handed over before, as (step,
    channel, infusion id; for steps once per course the course id or None): it is left out, except `again_when_moved`
    steps of a visit that moved. Cancelled visits plan nothing. Steps called for by an event: see `at_once`.
    """
    if now.tzinfo is None:
        raise BadInput("now must carry its zone.")
    live = [visit for visit in visits if visit.status != "cancelled"]
    live.sort(key=lambda visit: (visit.start, visit.id.bytes))
    following = {visit.id: _next(visit, live[place:]) for place, visit in enumerate(live, 1)}
    planned = [
        one if channel is one.channel else one._replace(channel=channel)
        for step in sequence.timed
        for visit in _anchors(step, live)
        for one, channels_of in _times(step, visit, following[visit.id], zone, channels, now, quiet, already)
        for channel in channels_of
    ]
    return sorted(_once_a_day(sequence, planned), key=lambda message: message.due_at)


def at_once(
    step: Step,
    channel: Channel,
    zone: str,
    now: datetime,
    visit: Visit | None = None,
    quiet: QuietHours = DEFAULT_QUIET,
) -> Planned:
    """The message of a step that an event calls for: due now, or when quiet hours end unless it answers the patient."""
    text = f"when {step.trigger}" if step.trigger != "enrolment" else "at enrolment"
    instant = Moment(now.astimezone(UTC), wall_at(now, zone))
    until = step.useful_until.instant(instant, visit.start if visit else None, zone)
    message = Planned(
        step.key, channel, instant.wall, zone, tz_version(), instant.at, until, text,
        infusion_id=visit.id if visit else None, course_id=visit.course_id if visit else None,
        revision=visit.revision if visit else 0,
    )  # fmt: skip
    return _outside_quiet_hours(message, quiet) if step.minds_quiet_hours else message


def _anchors(step: Step, live: List[Visit]) -> Iterable[Visit]:
    """The visits a step is told for: each one, or per course the first or last."""
    if step.once_per != "course":
        return live
    ends: dict[UUID, Visit] = {}
    for visit in live:
        if step.anchor == "last" or visit.course_id not in ends:
            ends[visit.course_id] = visit
    return ends.values()


def _next(visit: Visit, live: List[Visit]) -> Visit | None:
    later = (other for other in live if other.course_id == visit.course_id and other.start > visit.start)
    return next(later, None)


def _said(step: Step, channel: Channel, visit: Visit, already: Said) -> bool:
    if step.once_per == "course":
        return not already.isdisjoint({(step.key, channel, None), (step.key, channel, visit.course_id)})
    if step.again_when_moved and visit.revision > 0:
        return False
    return (step.key, channel, visit.id) in already


def _once_a_day(sequence: Sequence, planned: List[Planned]) -> Iterable[Planned]:
    """The same, without what another message tells as well that day: about that visit, or the course it belongs to."""
    unless = {step.key: step.unless_told for step in sequence.timed if step.unless_told}
    told = {
        (one.step, one.channel, about, one.wall.date())
        for one in planned
        if one.status is Status.SCHEDULED
        for about in (one.infusion_id, one.course_id)
    }
    for one in planned:
        also = (unless.get(one.step), one.channel, one.infusion_id or one.course_id, one.wall.date())
        doubled = one.status is Status.SCHEDULED and also in told
        yield _ended(one, Status.SUPPRESSED, Reason.TOLD_SAME_DAY) if doubled else one


def _times(
    step: Step, visit: Visit, following: Visit | None, zone: str, channels: Collection[Channel], now: datetime,
    quiet: QuietHours, already: Said,
) -> Iterable[tuple[Planned, List[Channel]]]:  # fmt: skip
    """What a step says of a visit, and on which channels: at one time on all, but where one has said it before."""
    wanted = [one for one in step.channels if one in channels and not _said(step, one, visit, already)]
    before = [one for one in wanted if (step.key, one, visit.id) in already]
    for said, alike in ((False, [one for one in wanted if one not in before]), (True, before)):
        if alike:
            yield _one(step, alike[0], visit, following, zone, now, quiet, said), alike


def _one(
    step: Step, channel: Channel, visit: Visit, following: Visit | None, zone: str, now: datetime, quiet: QuietHours,
    said: bool,
) -> Planned:  # fmt: skip
    """`said`: before the visit was moved; then what the move tells takes the place of saying it late."""
    assert step.when is not None
    due = step.when.moment(visit.start, visit.end, zone)
    per_course = step.once_per == "course"
    message = Planned(
        step=step.key,
        channel=channel,
        wall=due.wall,
        zone=zone,
        tz_version=tz_version(),
        due_at=due.at,
        useful_until=step.useful_until.instant(due, visit.start, zone),
        rule=_rule(step, visit, due),
        infusion_id=None if per_course else visit.id,
        course_id=visit.course_id,
        revision=0 if per_course else visit.revision,
    )
    near = step.unless_next_within
    if due.at >= now and near is not None and following and following.start - visit.end <= near:
        return _ended(message, Status.SUPPRESSED, Reason.NEXT_INFUSION_NEAR)
    if due.at >= message.useful_until:
        return _ended(message, Status.EXPIRED, Reason.PAST_AT_PLANNING if due.at < now else Reason.TOO_LATE)
    timely = _outside_quiet_hours(message, quiet)
    if timely.due_at >= now:
        return timely
    late = _late(message, now, quiet) if step.late and not said else None
    return late or _ended(timely, Status.EXPIRED, Reason.PAST_AT_PLANNING)


def _late(message: Planned, now: datetime, quiet: QuietHours) -> Planned | None:
    """Its time is past: at the next hour that is not quiet, if it is of use for long enough then."""
    due = quiet.next_open(now, message.zone)
    if due + LATE_USE > message.useful_until:
        return None
    wall = wall_at(due, message.zone)
    return message._replace(due_at=due, wall=wall, late=True, rule=f"{message.rule}: entered after its time")


def _rule(step: Step, visit: Visit, due: Moment) -> str:
    """The rule in words, with what the clock's strange hours did to it."""
    assert step.when is not None
    which = f" ({step.anchor} infusion)" if step.anchor else ""
    start = _start(visit.starts, visit.zone, tz_version()).note
    notes = [due.note, f"the visit's own time: {start}" if start else ""]
    return (
        "; ".join([step.when.text + which, *filter(None, notes)])
        + (f"{LATE} if need be" if step.late else "")
        + (f"{UNLESS}{step.unless_told}" if step.unless_told else "")
    )


def _outside_quiet_hours(message: Planned, quiet: QuietHours) -> Planned:
    opening = quiet.next_open(message.due_at, message.zone)
    if opening == message.due_at:
        return message
    if opening >= message.useful_until:
        return _ended(message, Status.EXPIRED, Reason.QUIET_HOURS)
    wall = wall_at(opening, message.zone)
    return message._replace(due_at=opening, wall=wall, rule=f"{message.rule}; quiet hours: moved to {wall:%H:%M}")


def _ended(message: Planned, status: Status, reason: Reason) -> Planned:
    return message._replace(status=status, reason=reason)
