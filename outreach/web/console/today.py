"""The day: visits, messages, and what needs a person, each one click from its remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from outreach.actions.fallback import UNUSABLE
from outreach.actions.instruct import waiting
from outreach.actions.speak import UNAPPROVED
from outreach.domain.window import moment, wall_at
from outreach.errors import Reason
from outreach.store import days, needs, patients, todo
from outreach.store.days import Due, Tally
from outreach.store.needs import Numbers
from outreach.store.people import Person
from outreach.store.todo import Todo
from outreach.store.waiting import awaiting_yes
from outreach.web.console.desk import AtDesk, Desk
from outreach.web.console.timeline import Item
from outreach.web.console.typed import date_of
from outreach.web.forms import Wired

router = APIRouter()
MOST, VISITS, NEXT, TASKS = 60, 60, 5, 10
WEEK, AHEAD = timedelta(days=7), timedelta(days=366)


@dataclass(frozen=True)
class Needs:
    """What does not go by itself; `tasks`: the most pressing of each of the first few conversations that wait.

    `words_missing`: messages of the day that were not sent for want of words; `instructions`: of the clinic's own, how
    many wait for approval by language.
    """

    tasks: list[Todo]
    numbers: Numbers
    words_missing: int
    instructions: Mapping[str, int]

    @property
    def nothing(self) -> bool:
        return not any((*self.numbers, self.words_missing, self.instructions))


@dataclass(frozen=True)
class Day:
    """A day of the clinic's calendar. `start` and `end` are instants, `wall` is its first minute on the wall."""

    wall: datetime
    start: datetime
    end: datetime
    is_today: bool

    @property
    def before(self) -> date:
        return self.wall.date() - timedelta(days=1)

    @property
    def after(self) -> date:
        return self.wall.date() + timedelta(days=1)


@router.get("/today")
def today(desk: AtDesk, out: Wired, day: str = "") -> HTMLResponse:
    """One day of the clinic's calendar; `day` is YYYY-MM-DD, today by default."""
    shown, now, clinic_id = _day(desk, out, day), out.clock(), desk.clinic.id
    with out.sessions() as session:
        tally = days.tally(session, clinic_id, shown.start, shown.end, now)
        visits = days.visits(session, clinic_id, shown.wall, shown.wall + timedelta(days=1), VISITS + 1)
        coming = [] if visits else days.visits(session, clinic_id, shown.wall, shown.wall + AHEAD, NEXT)
        found = _needs(session, desk, now, tally)
        names = _names(session, clinic_id, visits or coming, found.tasks)
    return desk.page(
        "today.html", day=shown, tally=tally, visits=visits[:VISITS], more_visits=len(visits) > VISITS, needs=found,
        names=names, coming=coming,
    )  # fmt: skip


@router.get("/today/messages")
def messages(desk: AtDesk, out: Wired, day: str = "", show: str = "", reason: str = "", after: int = 0) -> HTMLResponse:
    """The day's messages: all, those of one group (days.GROUPS), or those that ended for one reason."""
    shown, now, clinic_id = _day(desk, out, day), out.clock(), desk.clinic.id
    group, reason = show if show in days.GROUPS else "", reason if reason in set(Reason) else ""
    after = min(max(after, 0), 100_000)
    with out.sessions() as session:
        tally = days.tally(session, clinic_id, shown.start, shown.end, now)
        rows = days.listing(session, clinic_id, shown.start, shown.end, now, MOST + 1, group=group, reason=reason,
                            offset=after)  # fmt: skip
        held = awaiting_yes(session, [row.id for row in rows if row.reason is Reason.NO_CONSENT], now)
        names = patients.named(session, clinic_id, {row.patient_id for row in rows})
    items = [Item(row, row.due_at, desk.clinic.zone, name=names[row.patient_id].name, waits=row.id in held)
             for row in rows[:MOST]]  # fmt: skip
    return desk.page("today_messages.html", day=shown, tally=tally, items=items, show=group, reason=reason, after=after,
                     more=after + MOST if len(rows) > MOST else None, most=MOST)  # fmt: skip


def _needs(session: Session, desk: Desk, now: datetime, tally: Tally) -> Needs:
    clinic_id, here = desk.clinic.id, wall_at(now, desk.clinic.zone)
    return Needs(
        todo.of_clinic(session, clinic_id, TASKS),
        needs.numbers(session, clinic_id, now, here, here + WEEK, UNUSABLE, UNAPPROVED),
        tally.reasons.get(Reason.WORDS_MISSING.value, 0),
        waiting(session, clinic_id, desk.locale),
    )


def _names(session: Session, clinic_id: UUID, visits: list[Due], tasks: list[Todo]) -> dict[UUID, Person]:
    """Of those shown, and nobody else: every name is opened by itself."""
    wanted = {one.patient_id for one in visits} | {one.patient_id for one in tasks if one.patient_id}
    return patients.named(session, clinic_id, wanted)


def _day(desk: Desk, out: Wired, text: str) -> Day:
    zone = desk.clinic.zone
    present = wall_at(out.clock(), zone).date()
    shown = date_of(text) or present
    start, end = (moment(datetime.combine(one, time()), zone).at for one in (shown, shown + timedelta(days=1)))
    return Day(datetime.combine(shown, time()), start, end, shown == present)
