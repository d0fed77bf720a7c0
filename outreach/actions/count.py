"""Counting: the tallies of every clinic's days that have news, a bounded amount at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from time import monotonic
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from outreach.domain.window import moment, wall_at
from outreach.store import clinics, counts

BACK = 400
"""Days that figures reach back."""
RECENT = 100
"""Days that are counted anew every night, for what was not noticed when it came."""
AT_MOST = 60
"""Days counted in one go; what is left is counted in the next."""
_DAY = timedelta(days=1)

Todo = tuple[UUID, str, date]


def count(
    sessions: sessionmaker[Session], clock: Callable[[], datetime], *, seconds: float = 20.0, whole: bool = False
) -> int:
    """Count the days that changed, newest first, for so many seconds. Returns how many days were counted.

    `whole`: every day of the last hundred, whatever is known of it. A day to a transaction; stopped half-way, the
    next call goes on. Only days up to today: what is still to come is no figure yet.
    """
    started, done = monotonic(), 0
    with sessions() as session:
        todo = _whole(session, clock()) if whole else _changed(session, clock())
    for clinic_id, zone, day in todo if whole else todo[:AT_MOST]:
        if monotonic() - started > seconds:
            break
        start, end = bounds(day, zone)
        with sessions.begin() as session:
            counts.count_day(session, clinic_id, day, start, end, clock())
        done += 1
    return done


def bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """The instants from which to which a day lasts on the clock of a zone."""
    return moment(datetime.combine(day, time(0)), zone).at, moment(datetime.combine(day + _DAY, time(0)), zone).at


def _whole(session: Session, now: datetime) -> list[Todo]:
    found = []
    for clinic in clinics.every(session):
        today = wall_at(now, clinic.zone).date()
        first = _first(session, clinic.id, clinic.zone, today - RECENT * _DAY)
        if first is not None:
            found += [(clinic.id, clinic.zone, day) for day in _days(first, today)]
    return found


def _changed(session: Session, now: datetime) -> list[Todo]:
    """Days with news since they were counted, then those that never were."""
    every = {clinic.id: clinic.zone for clinic in clinics.every(session)}
    today = {clinic_id: wall_at(now, zone).date() for clinic_id, zone in every.items()}
    counted = {clinic_id: counts.counted(session, clinic_id, today[clinic_id] - BACK * _DAY) for clinic_id in every}
    newest = [max(days.values()) for days in counted.values() if days]
    since = min([now - counts.SLACK, *newest]) - counts.SLACK
    news, more = counts.touched(session, every, since, now + 2 * _DAY)
    dirty: dict[tuple[UUID, date], None] = {}
    for one in news:
        here, days = today[one.clinic_id], counted[one.clinic_id]
        # What was put off has left the day that it was due on, and says nothing of it: the last two count as well.
        for day in (wall_at(one.due_at, every[one.clinic_id]).date(), here, here - _DAY):
            if day <= here and (day not in days or one.newest > days[day] - counts.SLACK):
                dirty[one.clinic_id, day] = None
    for clinic_id, zone in every.items():
        if more:
            dirty |= {(clinic_id, today[clinic_id] - back * _DAY): None for back in range(3)}
        first = _first(session, clinic_id, zone, today[clinic_id] - BACK * _DAY)
        if first is not None:
            never = (day for day in _days(first, today[clinic_id]) if day not in counted[clinic_id])
            dirty |= {(clinic_id, day): None for day in never}
    return [(clinic_id, every[clinic_id], day) for clinic_id, day in dirty]


def _first(session: Session, clinic_id: UUID, zone: str, earliest: date) -> date | None:
    due = counts.first_due(session, clinic_id)
    return max(wall_at(due, zone).date(), earliest) if due is not None else None


def _days(first: date, last: date) -> Iterable[date]:
    """Newest first."""
    return (last - back * _DAY for back in range((last - first).days + 1))
