"""Stopping by link: the page behind the mail program's button, which works however old its message is."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from outreach.actions import withdraw
from outreach.domain.channel import Channel
from outreach.domain.consent import State
from outreach.domain.window import wall_at
from outreach.store import audit, clinics
from outreach.web.forms import Wired
from outreach.web.patient.reader import In, NotShown, Reader, find, show

router = APIRouter()


@router.post("/p/{token}/stop")
def stop(token: str, out: Wired, wanted: In) -> Response:
    """The stop button; its effect is for everything not yet handed over."""
    reader = _stop(out, token, "page", wanted)
    if reader.over:
        raise NotShown(reader)
    return RedirectResponse(reader.place(), 303)


@router.api_route("/u/{token}", methods=["GET", "HEAD"])
def ask_to_stop(token: str, out: Wired, wanted: In) -> HTMLResponse:
    """Asks; it does not unsubscribe."""
    with out.sessions() as session:
        reader = find(session, out, token, out.clock(), wanted)
    return show(out, "unsubscribe", reader)


@router.post("/u/{token}")
def unsubscribe(token: str, out: Wired, wanted: In) -> HTMLResponse:
    """RFC 8058 one-click, and the button of the page above: no cookie, no redirect, 200 however often it comes."""
    return show(out, "unsubscribe", _stop(out, token, "one_click", wanted))


def _stop(out: Wired, token: str, method: str, wanted: str) -> Reader:
    now = out.clock()
    with out.sessions.begin() as session:
        reader = find(session, out, token, now, wanted)
        message = reader.due.message
        if message.address_id and reader.permission.state is not State.OPTED_OUT:
            # A second STOP after a START must count again: the evidence carries the moment, not only the message.
            evidence = f"{method}:{message.id}:{now:%Y%m%dT%H%M%S}"
            whole = _ends_all(session, out, message.clinic_id, now)
            withdraw.stop(session, message.address_id, method=method, evidence=evidence, now=now, locale=reader.locale,
                          every_channel=whole, alone=reader.may_agree)  # fmt: skip
            if not reader.may_agree:  # a no to the question is this patient's alone
                address = [message.address_id]
                withdraw.ask_whose(session, message.clinic_id, message.patient_id, address, message.id, now)
            audit.note(
                session, clinic_id=message.clinic_id, at=now, actor_kind="patient", actor_id=message.patient_id,
                action="consent.stopped", subject="patient", subject_id=message.patient_id,
                detail={"channels": [one.value for one in Channel] if whole else [message.channel.value], "by": method,
                        "message": str(message.id)},
            )  # fmt: skip
        return find(session, out, token, now, wanted)


def _ends_all(session: Session, out: Wired, clinic_id: UUID, now: datetime) -> bool:
    """Whether the clinic's law makes this stop one of all channels, on this day of its calendar."""
    clinic = clinics.by_id(session, clinic_id)
    return out.laws[clinic.law].ends_every_channel(wall_at(now, clinic.zone).date())
