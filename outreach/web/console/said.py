"""What a message was said with: the approved words, kept for ever, and the clinic's decisions on them."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from outreach.content import approvals as content
from outreach.store import approvals, reading
from outreach.web.console.desk import AtDesk
from outreach.web.forms import Wired, id_of

router = APIRouter()


@router.get("/said/{message_id}")
def said(message_id: str, desk: AtDesk, out: Wired) -> HTMLResponse:
    """By the message, which is the clinic's: the words themselves are kept once for all clinics."""
    with out.sessions() as session:
        message = reading.message(session, desk.clinic.id, id_of(message_id))
        text = approvals.said(session, message.said_id) if message.said_id else None
        ledger = approvals.ledger(session, desk.clinic.id, text.locale, text.key) if text else []
    language = out.words.language(text.locale) if text and text.locale in out.words.voices else None
    return desk.page(
        "said.html", message=message, text=text, language=language,
        current=text is not None and language is not None and text.key in content.grouped(out.words),
        decisions=[one for one in ledger if text and one.digest == text.digest],
    )  # fmt: skip
