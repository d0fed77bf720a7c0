"""Booking visits from a list: what is known stays, what has another time moves, what is new is added."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions import move
from outreach.domain.plan import Visit
from outreach.errors import BadInput
from outreach.store import infusions
from outreach.store.infusions import Booking
from outreach.store.tables import Clinic


@dataclass(frozen=True)
class NewVisit:
    """A visit to book: naive wall time by the clinic's clock. `external`: the clinic's own identifier of it."""

    starts: datetime
    minutes: int
    external: str | None = None
    zone: str | None = None


def book(
    session: Session, clinic: Clinic, course_id: UUID, wanted: Sequence[NewVisit], now: datetime, *, empty: bool = False
) -> tuple[tuple[int, ...], dict[int, Visit]]:
    """Positions of the new visits, and position → the visit as it was for those moved. The caller plans and tells.

    Moves come first: a new visit may take the time that another one leaves. A cancelled visit stays cancelled unless
    its own identifier comes with another time: an old list must not bring it back. `empty`: the course is new.
    """
    known, externals = ([], {}) if empty else infusions.with_externals(session, course_id)
    found = {position: same(one, known, externals) for position, one in enumerate(wanted)}
    moved = {}
    for position, old in found.items():
        one = wanted[position]
        lives = one.zone or clinic.zone
        if old is not None and (old.starts, old.zone, old.minutes) != (one.starts, lives, one.minutes):
            move.rebook(session, old, one.starts, lives, one.minutes)
            moved[position] = old
    if moved:
        known = infusions.of_course(session, course_id)
    taken = {visit.starts for visit in known if visit.status != "cancelled"}
    added = tuple(position for position, old in found.items() if old is None)
    bookings = []
    for position in added:
        one = wanted[position]
        bookings.append(_booking(clinic, one, taken))
        taken.add(one.starts)
    infusions.add_all(session, clinic_id=clinic.id, course_id=course_id, bookings=bookings, now=now)
    return added, moved


def same(one: NewVisit, known: Sequence[Visit], externals: dict[str, UUID]) -> Visit | None:
    """The visit that is meant: by its identifier, else by its time, unless that one has another identifier."""
    if one.external and one.external in externals:
        return next(visit for visit in known if visit.id == externals[one.external])
    named = set(externals.values()) if one.external else set[UUID]()
    at_that_time = [visit for visit in known if visit.starts == one.starts and visit.id not in named]
    return next(iter(sorted(at_that_time, key=lambda visit: visit.status == "cancelled")), None)


def _booking(clinic: Clinic, one: NewVisit, taken: Collection[datetime]) -> Booking:
    lives = one.zone or clinic.zone
    move.check_start(one.starts, lives)
    if one.starts in taken:
        raise BadInput("Another visit of this patient has this time already. Move or cancel that one first.")
    return Booking(one.starts, lives, one.minutes, one.external)
