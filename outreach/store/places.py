"""Where a page of a list begins, as text for an address: the instant and the id of the last row above it."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)


def mark(at: datetime, row_id: UUID) -> str:
    raw = ((at - _FIRST) // timedelta(microseconds=1)).to_bytes(8) + row_id.bytes
    return base64.urlsafe_b64encode(raw).decode()


def place(text: str) -> tuple[datetime, UUID] | None:
    """None, the beginning of the list, for what is no place: an old or garbled address shows the first page."""
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
    except ValueError:
        return None
    if len(raw) != 24 or not raw[0] < 16:
        return None
    try:
        at = _FIRST + timedelta(microseconds=int.from_bytes(raw[:8]))
    except OverflowError:
        return None
    return at, UUID(bytes=raw[8:])
