"""Reading a carrier's signed form: method, type, size and signature, without a framework's cost."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from outreach.providers.twilio_signature import valid
from outreach.web.forms import LIMIT, MOST_FIELDS

FORM = b"application/x-www-form-urlencoded"


class Unfit(Exception):
    """This is not a carrier's call: answer with `status` and read no further."""

    def __init__(self, status: int) -> None:
        self.status = status


async def read(scope: Scope, receive: Receive, tokens: Sequence[str], public_url: str) -> dict[str, str]:
    """The fields of a form that one of `tokens` signed for our own public URL; raises Unfit for anything else."""
    if scope["method"] != "POST":
        raise Unfit(405)
    kind = signature = length = b""
    for name, value in scope["headers"]:
        if name == b"x-twilio-signature":
            signature = value
        elif name == b"content-type":
            kind = value
        elif name == b"content-length":
            length = value
    if not kind.lower().startswith(FORM):
        raise Unfit(415)
    if length.isdigit() and int(length[:12]) > LIMIT:
        raise Unfit(413)
    body = await _body(receive)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:  # not UTF-8, or hundreds of fields: not from Twilio
        raise Unfit(403) from None
    if not valid(tokens, public(scope, public_url), pairs, signature.decode("latin-1")):
        raise Unfit(403)
    return dict(pairs)


def public(scope: Scope, public_url: str) -> str:
    """The URL as Twilio was given it: from the settings, never from the Host header, which anyone may write."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string", b"")
    path = raw.partition(b"?")[0] + (b"?" + query if query else b"")
    return public_url + path.decode("latin-1")


async def _body(receive: Receive) -> bytes:
    """The body, at most LIMIT bytes, whatever its Content-Length claims."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LIMIT:
            break
    if message["type"] == "http.disconnect":
        raise Unfit(400)
    if len(body) > LIMIT:
        raise Unfit(413)
    return body
