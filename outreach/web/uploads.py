"""A form with a file: read as it streams in, held in memory only, never more than a list may have."""

from __future__ import annotations

import hmac
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from itertools import chain
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from python_multipart.exceptions import MultipartParseError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from outreach.actions.sheet import LARGEST
from outreach.errors import say
from outreach.web.console.desk import AtDesk
from outreach.web.forms import UNREADABLE_FORM, unreadable

AROUND = 64 * 1024
"""What the other fields and the wrapping of the form may take beside the file."""
SWALLOWED = 100 * 1024 * 1024
"""A browser hears our answer only once it has sent everything: so much of what is too large is read and thrown away."""


@dataclass(frozen=True)
class Sent:
    """A form that came with a file. `data` None: no file was chosen. `too_large`: more than LARGEST came; not kept."""

    fields: dict[str, str] = field(default_factory=dict)
    name: str = ""
    data: bytes | None = None
    too_large: int = 0


class _TooLarge(Exception):
    """More came than a form may have."""


class _InMemory(MultiPartParser):
    """Patients' data must not lie in a temporary file."""

    spool_max_size = LARGEST + AROUND


async def checked_upload(request: Request, desk: AtDesk) -> Sent:
    """The form, if it came from one of this session's own pages; 403 otherwise, 400 for what is no such form.

    Who is at the desk is asked before a byte is read.
    """
    sent = await _read(request)
    if not sent.too_large and not hmac.compare_digest(sent.fields.get("csrf", "").encode(), desk.signed.csrf.encode()):
        raise HTTPException(403, say("This form is from another session. Load its page again, then send it."))
    return sent


Uploaded = Annotated[Sent, Depends(checked_upload)]


async def _read(request: Request) -> Sent:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(400, say("This is not a form with a file."))
    stream = request.stream()
    try:
        form = await _InMemory(
            request.headers, _limited(stream), max_files=1, max_fields=10, max_part_size=AROUND
        ).parse()  # fmt: skip
    except _TooLarge:
        size = LARGEST
        async for piece in stream:
            size += len(piece)
            if size > SWALLOWED:
                break
        return Sent(too_large=max(size, int(request.headers.get("content-length", "0") or 0)))
    except (MultiPartException, MultipartParseError, KeyError, ValueError):
        raise HTTPException(400, say("This is not a form with a file.")) from None
    fields = {key: value for key, value in form.multi_items() if isinstance(value, str)}
    file = form.get("file")
    data = await file.read() if isinstance(file, UploadFile) and (file.filename or file.size) else None
    await form.close()
    name = (file.filename or "") if isinstance(file, UploadFile) else ""
    if unreadable(name, *chain.from_iterable(fields.items())):
        raise HTTPException(400, UNREADABLE_FORM)
    return Sent(fields, name, data)


async def _limited(stream: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    size = 0
    async for piece in stream:
        size += len(piece)
        if size > LARGEST + AROUND:
            raise _TooLarge
        yield piece
