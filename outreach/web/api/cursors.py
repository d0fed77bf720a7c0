"""Pages of a list: a cursor holds where the next page begins, signed, and good for the same question only."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime
from typing import Annotated, Generic, NamedTuple, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from outreach.store.vault import Vault
from outreach.web.api.problems import Trouble

Item = TypeVar("Item")
MOST = 200
SIGNED = 12

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]
Cursor = Annotated[
    str | None,
    Query(max_length=200, description="`next_cursor` of the page before; leave it out for the first."),
]


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next_cursor: str | None = Field(description="Ask again with it for the next page; null on the last.")


class After(NamedTuple):
    """The last row of the page before, by what the list is ordered by."""

    at: datetime
    id: UUID


def write(vault: Vault, clinic_id: UUID, question: str, after: After) -> str:
    """A cursor for `question` (the list and its filters)."""
    text = json.dumps([after.at.astimezone(UTC).isoformat(), after.id.hex], separators=(",", ":"))
    return base64.urlsafe_b64encode(_seal(vault, clinic_id, question, text) + text.encode()).decode().rstrip("=")


def read(vault: Vault, clinic_id: UUID, question: str, cursor: str | None) -> After | None:
    """Where the page begins; None: at the first row. Trouble 422 for a cursor of another list, clinic or question."""
    if not cursor:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        text = raw[SIGNED:].decode()
    except ValueError:
        raise _foreign() from None
    if not hmac.compare_digest(raw[:SIGNED], _seal(vault, clinic_id, question, text)):
        raise _foreign()
    at, row_id = json.loads(text)  # ours, since it is signed
    return After(datetime.fromisoformat(at), UUID(row_id))


def _foreign() -> Trouble:
    return Trouble(422, "This cursor is none of ours, or belongs to another question. Begin without one.",
                   "query.cursor")  # fmt: skip


def _seal(vault: Vault, clinic_id: UUID, question: str, text: str) -> bytes:
    return vault.index(f"cursor|{question}", text, clinic_id)[:SIGNED]
