"""A patient's consent as a document: every event of the ledger with the words shown; and giving one patient back."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from outreach.actions.give_back import give_back
from outreach.content.formats import phone as readable
from outreach.domain.channel import Channel
from outreach.errors import BadInput
from outreach.store import audit, colleagues, consents, patients
from outreach.store.people import Reach
from outreach.web.console.desk import AtDesk, Checked
from outreach.web.console.patient import page_of
from outreach.web.console.typed import date_of, sentence
from outreach.web.forms import Wired, id_of

router = APIRouter()


@router.get("/patients/{patient_id}/consent.html")
def document(patient_id: str, desk: AtDesk, out: Wired) -> HTMLResponse:
    """Everything the ledger knows of this patient, to be read, printed and handed over. That it was read is noted."""
    who, now = id_of(patient_id), out.clock()
    with out.sessions.begin() as session:
        person = patients.get(session, desk.clinic.id, who)
        proofs = consents.history(session, desk.clinic.id, who)
        reach = {one: patients.address(session, one) for one in {proof.address_id for proof in proofs}}
        names = colleagues.names(session, desk.clinic.id, {one for proof in proofs if (one := _staff_id(proof.actor))})
        audit.note(
            session, clinic_id=desk.clinic.id, at=now, actor_kind="staff", actor_id=desk.signed.staff_id,
            action="consent.exported", subject="patient", subject_id=who, detail={"events": len(proofs)},
        )  # fmt: skip
    return desk.page(
        "consent.html", person=person, proofs=proofs, now=now,
        addresses={one: (_shown(at), at.active) for one, at in reach.items()},
        by={proof.actor: names[one] for proof in proofs if (one := _staff_id(proof.actor)) in names},
    )  # fmt: skip


@router.post("/patients/{patient_id}/restore")
def restored(patient_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """The STOP came from somebody else on the same phone: this patient is written to again, by name."""
    who, fields = id_of(patient_id), form.fields
    channel = next((one for one in Channel if one.value == fields.get("channel")), Channel.SMS)
    try:
        with out.sessions.begin() as session:
            give_back(session, desk.clinic.id, who, channel, said_by=fields.get("said_by", ""),
                      said_on=date_of(fields.get("said_on", "")), staff_id=desk.signed.staff_id,
                      now=out.clock())  # fmt: skip
    except BadInput as error:
        return page_of(desk, out, who, values=fields, wrong={"said_by": sentence(error)})
    return RedirectResponse(f"/patients/{who}?saved=given_back#agreement", 303)


def _shown(reach: Reach) -> str:
    return readable(reach.value) if reach.channel is Channel.SMS else reach.value


def _staff_id(actor: str) -> UUID | None:
    kind, _, rest = actor.partition(":")
    try:
        return UUID(rest) if kind == "staff" else None
    except ValueError:
        return None
