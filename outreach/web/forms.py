"""What a handler asks of a request: the wiring, and its form read as raw bytes within a limit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import Annotated
from urllib.parse import parse_qsl, unquote_plus
from uuid import UUID

from fastapi import Depends, HTTPException, Request

from outreach.errors import NotFound, say
from outreach.web.tongue import asked_for
from outreach.wiring import Outreach

LIMIT = 64 * 1024
MOST_FIELDS = 200
UNREADABLE_FORM = say("This form holds a character or a number that cannot be read.")
_UNREADABLE = re.compile(r"\0|(?<!\d)\d{4000}")
"""What no row can hold, and what Python refuses to read as a number (4,300 digits): either would be a bug of ours."""


@dataclass(frozen=True)
class Form:
    """A posted form as received: pairs in order, names perhaps repeated. `fields` keeps the last of each name."""

    pairs: tuple[tuple[str, str], ...]

    @property
    def fields(self) -> dict[str, str]:
        return dict(self.pairs)


def outreach_of(request: Request) -> Outreach:
    """The wiring this app was created with."""
    wired = request.app.state.outreach
    assert isinstance(wired, Outreach)
    return wired


def language_of(request: Request) -> str:
    """For pages without a desk: the language of whoever is signed in, else of the browser."""
    signed: str = getattr(request.state, "staff_locale", "")
    return signed or asked_for(request.headers.get("accept-language", ""))


def id_of(text: str) -> UUID:
    """An id from a path; what is none is not found."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("no such id") from None


def unreadable(*texts: str) -> bool:
    """Whether one of them holds what no row and no number can."""
    return any(_UNREADABLE.search(text) for text in texts)


async def readable(request: Request) -> None:
    """Asked of every request, before anything else is: 400 for an address with what nothing here can read."""
    if unreadable(request.scope["path"], unquote_plus(request.url.query)):
        raise HTTPException(400, say("This address holds a character or a number that cannot be read."))


async def read_body(request: Request) -> bytes:
    """The body, at most LIMIT bytes: 413 as soon as it is longer, whatever its Content-Length claims."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LIMIT:
            raise HTTPException(413, say("This is more than we read."))
    return bytes(body)


def read_form(body: Annotated[bytes, Depends(read_body)]) -> Form:
    """A urlencoded form; 400 for what is none, or holds what nobody types."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise HTTPException(400, say("This is not a form.")) from None
    if unreadable(*chain.from_iterable(pairs)):
        raise HTTPException(400, UNREADABLE_FORM)
    return Form(tuple(pairs))


Wired = Annotated[Outreach, Depends(outreach_of)]
Posted = Annotated[Form, Depends(read_form)]
