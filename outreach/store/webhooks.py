"""Webhooks of a clinic: where its other software listens, for what, and the secret that signs."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from outreach.domain.news import SECRET, Kind
from outreach.errors import NotFound
from outreach.store import alerts
from outreach.store.doors import Webhook, WebhookCall, WebhookMark
from outreach.store.tables import Consent
from outreach.store.traffic import Event
from outreach.store.vault import vault_of

MOST = 20
"""So many a clinic may have."""
SWITCHED_OFF = "webhook off"
"""The kind of alert that says that we have switched one off; its key is the webhook's id."""


@dataclass(frozen=True)
class Hook:
    """A webhook without its secret."""

    id: UUID
    clinic_id: UUID
    url: str
    kinds: tuple[Kind, ...]
    active: bool
    failures: int
    failing_since: datetime | None
    created_at: datetime


_HOOK = (Webhook.id, Webhook.clinic_id, Webhook.url, Webhook.kinds, Webhook.active, Webhook.failures,
         Webhook.failing_since, Webhook.created_at)  # fmt: skip


def add(session: Session, clinic_id: UUID, url: str, kinds: Collection[Kind], now: datetime) -> tuple[UUID, str]:
    """A new one, told of what happens from now on: (its id, the secret, which is shown once)."""
    webhook_id = uuid4()
    secret = SECRET + base64.b64encode(secrets.token_bytes(32)).decode()
    session.execute(
        insert(Webhook).values(
            id=webhook_id, clinic_id=clinic_id, url=url, kinds=sorted(kinds), active=True, failures=0, created_at=now,
            secret_sealed=vault_of(session).seal(secret, "webhook.secret", clinic_id, webhook_id),
        )
    )  # fmt: skip
    _mark(session, clinic_id, now)
    return webhook_id, secret


def change(
    session: Session,
    hook: Hook,
    now: datetime,
    *,
    url: str | None = None,
    kinds: Collection[Kind] | None = None,
    active: bool | None = None,
) -> None:
    """Set some of it. Switched on again it begins afresh and its alert is over; what happened meanwhile is not told,
    what waited is."""
    values: dict[str, Any] = {} if url is None else {"url": url}
    if kinds is not None:
        values["kinds"] = sorted(kinds)
    if active is not None:
        values["active"] = active
        if active and not hook.active:
            values |= {"failures": 0, "failing_since": None}
    if values:
        session.execute(
            update(Webhook)
            .where(Webhook.clinic_id == hook.clinic_id, Webhook.id == hook.id)
            .values(values)
            .execution_options(synchronize_session=False)
        )
    if active and not hook.active:
        _mark(session, hook.clinic_id, now)
    if active:
        alerts.clear(session, hook.clinic_id, SWITCHED_OFF, str(hook.id), now)


def remove(session: Session, clinic_id: UUID, webhook_id: UUID, now: datetime) -> None:
    """Take it away with the history of its calls and its alert. NotFound as get()."""
    get(session, clinic_id, webhook_id)
    session.execute(delete(WebhookCall).where(WebhookCall.clinic_id == clinic_id, WebhookCall.webhook_id == webhook_id))
    session.execute(delete(Webhook).where(Webhook.clinic_id == clinic_id, Webhook.id == webhook_id))
    alerts.clear(session, clinic_id, SWITCHED_OFF, str(webhook_id), now)


def listing(session: Session, clinic_id: UUID) -> list[Hook]:
    """A clinic's webhooks, oldest first."""
    return _read(session, Webhook.clinic_id == clinic_id)


def get(session: Session, clinic_id: UUID, webhook_id: UUID) -> Hook:
    """One, or NotFound."""
    found = _read(session, Webhook.clinic_id == clinic_id, Webhook.id == webhook_id)
    if not found:
        raise NotFound("no such webhook in this clinic")
    return found[0]


def _mark(session: Session, clinic_id: UUID, now: datetime) -> None:
    """Begin at this moment, where no other webhook of the clinic is being told already."""
    others = session.scalar(
        select(func.count()).select_from(Webhook).where(Webhook.clinic_id == clinic_id, Webhook.active)
    )
    event = select(func.coalesce(func.max(Event.id), 0)).scalar_subquery()
    consent = select(func.coalesce(func.max(Consent.seq), 0)).scalar_subquery()
    begin = {"event_id": event, "consent_seq": consent, "inbound_at": now, "task_at": now}
    fresh = upsert(WebhookMark).values(clinic_id=clinic_id, **begin)
    if others == 1:  # only the one that has just begun: an old mark would tell of the months between
        session.execute(fresh.on_conflict_do_update(index_elements=["clinic_id"], set_=begin))
    else:
        # The ledger's rows may be dated back, so that only their number tells the new listener's news from old ones.
        session.execute(
            fresh.on_conflict_do_update(index_elements=["clinic_id"], set_={"consent_seq": begin["consent_seq"]})
        )


def _read(session: Session, *where: ColumnElement[bool]) -> list[Hook]:
    rows = session.execute(select(*_HOOK).where(*where).order_by(Webhook.created_at, Webhook.id))
    return [
        Hook(row.id, row.clinic_id, row.url, tuple(Kind(one) for one in row.kinds if one in set(Kind)), row.active,
             row.failures, row.failing_since, row.created_at)
        for row in rows
    ]  # fmt: skip
