"""The visit that a message is about: when, where, how to get there, and as a file for a calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy.orm import Session

from outreach.actions.compose import visit_of
from outreach.content import calendars
from outreach.content.formats import Language, day, time
from outreach.domain.approval import ASIDES
from outreach.domain.plan import Visit
from outreach.domain.window import zone
from outreach.store import clinics
from outreach.store.due import Due
from outreach.web.forms import Wired
from outreach.web.patient.reader import In, Reader, gone, readable

router = APIRouter()


@dataclass(frozen=True)
class Shown:
    """A visit as its page tells it. `yours`: day and time on the patient's own clock, where that is another. `file`:
    there is one for a calendar, whose title is approved."""

    visit: Visit
    day: str
    time: str
    yours: str
    directions: str
    cancelled: bool
    changed: bool
    file: bool


@router.api_route("/p/{token}/visit.ics", methods=["GET", "HEAD"])
def calendar(token: str, out: Wired, wanted: In) -> Response:
    """The visit for a calendar. Calendars are shared and synced: the title is neutral for everybody."""
    now = out.clock()
    with out.sessions() as session:
        reader = readable(session, out, token, now, wanted)
    visit, locale = about(reader.due, now), _named_in(reader)
    if visit is None or visit.status == "cancelled" or reader.mute or not locale:
        return gone(out)
    summary = reader.spoken.words.ui("calendar.summary", locale)
    ics = calendars.visit(
        str(visit.id), visit.revision, visit.start, visit.minutes, summary,
        reader.due.clinic.address, "PUBLISH", now,
    )  # fmt: skip
    headers = {"Content-Disposition": 'attachment; filename="appointment.ics"'}
    return Response(ics, media_type="text/calendar; charset=utf-8; method=PUBLISH", headers=headers)


def _named_in(reader: Reader) -> str:
    """The language for the title: the reader's, or the clinic's, where the clinic has approved it; "" for neither."""
    wished = (reader.locale, reader.due.clinic.locale)
    return next((one for one in wished if reader.spoken.state(one, ASIDES)), "")


def about(due: Due, now: datetime) -> Visit | None:
    """The visit to show: the message's own until it is over, then the next one that is booked."""
    own = visit_of(due)
    if own is not None and now < own.end:
        return own
    return next((visit for visit in due.visits if visit.status != "cancelled" and now < visit.end), None)


def shown(session: Session, reader: Reader, now: datetime) -> Shown | None:
    """The same in the reader's language, by the clinic's clock and, where it differs, by the patient's."""
    visit = about(reader.due, now)
    if visit is None:
        return None
    language = reader.language
    there, here = visit.start.astimezone(zone(visit.zone)), visit.start.astimezone(zone(reader.due.patient_zone))
    return Shown(
        visit,
        day(language, there),
        time(language, there),
        "" if there.utcoffset() == here.utcoffset() else _told(language, there, here),
        clinics.by_id(session, reader.due.clinic.id).directions,
        cancelled=visit.status == "cancelled",
        changed=reader.due.overtaken and visit.id == reader.due.message.infusion_id,
        file=bool(_named_in(reader)),
    )


def _told(language: Language, there: datetime, here: datetime) -> str:
    said = time(language, here)
    return said if there.date() == here.date() else f"{day(language, here)}, {said}"
