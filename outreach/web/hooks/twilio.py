"""Twilio's inbound webhook: the signature first, then what a patient wrote."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import structlog
from fastapi import APIRouter, Depends, HTTPException, Request, Response

from outreach.actions import reply
from outreach.domain.channel import Channel
from outreach.domain.message import Inbound
from outreach.providers.twilio_signature import valid
from outreach.web.forms import MOST_FIELDS, Wired, read_body
from outreach.web.hooks.signed import public
from outreach.wiring import twilio_tokens

log = structlog.get_logger()
router = APIRouter(prefix="/twilio")
NOTED = 204


def signed_fields(request: Request, out: Wired, body: Annotated[bytes, Depends(read_body)]) -> dict[str, str]:
    """The form's fields, once its signature holds for our own public URL; 403 for everything else."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:  # not UTF-8, or hundreds of fields: not from Twilio
        pairs = None
    signature = request.headers.get("X-Twilio-Signature")
    url = public(request.scope, out.settings.public_url.rstrip("/"))
    if pairs is None or not valid(twilio_tokens(out.settings), url, pairs, signature):
        route = request.scope.get("route")
        log.warning("forged hook", route=getattr(route, "path", "?"))
        raise HTTPException(403, "The signature does not fit.")
    return dict(pairs)


Signed = Annotated[dict[str, str], Depends(signed_fields)]


@router.post("/inbound", status_code=NOTED)
def inbound(fields: Signed, out: Wired) -> Response:
    """What a patient wrote. Answers go out by the pump like every message; only a stranger's is in this response."""
    heard = Inbound(
        carrier_id=fields.get("MessageSid", ""),
        channel=Channel.SMS,
        sender=fields.get("From", ""),
        to=fields.get("To", ""),
        body=fields.get("Body", ""),
        opt_out_type=fields.get("OptOutType", ""),
        service=fields.get("MessagingServiceSid", ""),
        media=int(count) if (count := fields.get("NumMedia", "")).isascii() and count.isdigit() else 0,
    )
    if not heard.carrier_id or not heard.sender:
        log.warning("inbound without sender or id", route="inbound")
        return Response(status_code=NOTED)
    with out.sessions.begin() as session:
        words = reply.heard(session, heard, replies=out.replies, words=out.words, speakers=out.speakers, laws=out.laws,
                            now=out.clock())  # fmt: skip
    return _twiml(words) if words else Response(status_code=NOTED)


def _twiml(words: str) -> Response:
    """An answer that the carrier itself sends to whoever wrote."""
    told = f'<?xml version="1.0" encoding="UTF-8"?><Response><Message>{escape(words)}</Message></Response>'
    return Response(told, media_type="text/xml")
