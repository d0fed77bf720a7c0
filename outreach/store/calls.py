"""Calls to webhooks: kept once per news, taken with a lease, recorded, and made due again when somebody asks."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, func, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from outreach.errors import NotFound
from outreach.store.doors import Webhook, WebhookCall
from outreach.store.happened import Happened
from outreach.store.vault import vault_of

LEASE = timedelta(seconds=60)
EACH = 10
"""Calls of one webhook in one round: a slow listener must not keep the others waiting."""
KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True)
class Due:
    """A call that this worker holds."""

    id: UUID
    clinic_id: UUID
    webhook_id: UUID
    url: str
    secret: str
    body: str
    attempts: int
    created_at: datetime


@dataclass(frozen=True)
class Made:
    """A call of the history. state: due, told, given_up."""

    id: UUID
    kind: str
    state: str
    attempts: int
    status_code: int | None
    note: str
    created_at: datetime
    due_at: datetime
    done_at: datetime | None


_MADE = (WebhookCall.id, WebhookCall.kind, WebhookCall.state, WebhookCall.attempts, WebhookCall.status_code,
         WebhookCall.note, WebhookCall.created_at, WebhookCall.due_at, WebhookCall.done_at)  # fmt: skip


def keep(session: Session, news: Sequence[Happened], now: datetime) -> int:
    """One call for each; what was kept before stays as it is. Returns how many are new."""
    vault, rows = vault_of(session), []
    for one in news:
        call_id = uuid4()
        payload = {"type": one.kind, "timestamp": one.at.isoformat().replace("+00:00", "Z"), "data": one.data}
        body = json.dumps(payload, separators=(",", ":"))
        rows.append(
            {"id": call_id, "clinic_id": one.clinic_id, "webhook_id": one.webhook_id, "kind": one.kind,
             "source": one.source, "state": "due", "attempts": 0, "due_at": now, "note": "", "created_at": now,
             "payload_sealed": vault.seal(body, "webhook_call.payload", one.clinic_id, call_id)}
        )  # fmt: skip
    if not rows:
        return 0
    table = WebhookCall.__table__
    statement = upsert(table).on_conflict_do_nothing().returning(table.c.id)  # type: ignore[arg-type]
    return len(list(session.connection().scalars(statement, rows)))


_TAKE = text("""
with mine as (
    select c.id from (
        select c.id, c.due_at, row_number() over (partition by c.webhook_id order by c.due_at, c.id) as place
        from webhook_call c join webhook w on w.id = c.webhook_id and w.active
        where c.state = 'due' and c.due_at <= :now and (c.lease_until is null or c.lease_until < :now)
    ) f join webhook_call c on c.id = f.id
    where f.place <= :each order by f.due_at limit :most
    for update of c skip locked
)
update webhook_call c set lease_until = :until, attempts = attempts + 1
from mine, webhook w
where c.id = mine.id and w.id = c.webhook_id and (c.lease_until is null or c.lease_until < :now) and c.state = 'due'
returning c.id, c.clinic_id, c.webhook_id, w.url, w.secret_sealed, c.payload_sealed, c.attempts, c.created_at
""")


def take(session: Session, now: datetime, most: int) -> list[Due]:
    """Due calls, each held by nobody else until its lease is over: a worker that dies leaves them to the next."""
    vault = vault_of(session)
    rows = session.execute(_TAKE, {"now": now, "until": now + LEASE, "each": EACH, "most": most})
    return [
        Due(row.id, row.clinic_id, row.webhook_id, row.url,
            vault.open(row.secret_sealed, "webhook.secret", row.clinic_id, row.webhook_id),
            vault.open(row.payload_sealed, "webhook_call.payload", row.clinic_id, row.id), row.attempts,
            row.created_at)
        for row in rows
    ]  # fmt: skip


def record(
    session: Session,
    call_id: UUID,
    state: str,
    now: datetime,
    *,
    status_code: int | None,
    note: str,
    due_at: datetime | None = None,
) -> None:
    """What became of a call that was taken. `due_at`: when it is tried again."""
    values = {"state": state, "lease_until": None, "status_code": status_code, "note": note,
              "done_at": None if state == "due" else now}  # fmt: skip
    session.execute(
        update(WebhookCall)
        .where(WebhookCall.id == call_id)
        .values(values | ({"due_at": due_at} if due_at else {}))
        .execution_options(synchronize_session=False)
    )


def count(session: Session, webhook_id: UUID, well: bool, now: datetime) -> datetime | None:
    """Keep how a webhook does. Returns since when it has been failing without a success between."""
    values = (
        {"failures": 0, "failing_since": None}
        if well
        else {"failures": Webhook.failures + 1, "failing_since": func.coalesce(Webhook.failing_since, now)}
    )
    changed = update(Webhook).where(Webhook.id == webhook_id).values(values).returning(Webhook.failing_since)
    return session.scalar(changed.execution_options(synchronize_session=False))


def switch_off(session: Session, webhook_id: UUID) -> bool:
    """No more calls until somebody switches it on. False: it was off."""
    off = update(Webhook).where(Webhook.id == webhook_id, Webhook.active).values(active=False).returning(Webhook.id)
    return session.scalar(off.execution_options(synchronize_session=False)) is not None


def history(
    session: Session,
    clinic_id: UUID,
    webhook_id: UUID,
    limit: int,
    after: tuple[datetime, UUID] | None = None,
    states: Collection[str] = (),
) -> list[Made]:
    """The calls of a webhook, newest first."""
    where = [
        WebhookCall.clinic_id == clinic_id,
        WebhookCall.webhook_id == webhook_id,
        *([WebhookCall.state.in_(states)] if states else []),
        *([tuple_(WebhookCall.created_at, WebhookCall.id) < after] if after else []),
    ]
    asked = select(*_MADE).where(*where).order_by(WebhookCall.created_at.desc(), WebhookCall.id.desc())
    return [Made(*row) for row in session.execute(asked.limit(limit))]


def replay(session: Session, clinic_id: UUID, webhook_id: UUID, call_id: UUID, now: datetime) -> bool:
    """Make it once more, with the same id. False: it is due now anyway. NotFound: this webhook has no such call."""
    its = (WebhookCall.clinic_id == clinic_id, WebhookCall.webhook_id == webhook_id, WebhookCall.id == call_id)
    if session.scalar(select(WebhookCall.id).where(*its)) is None:
        raise NotFound("this webhook has no such call")
    return _again(session, now, *its, or_(WebhookCall.state != "due", WebhookCall.due_at > now)) > 0


def replay_failed(session: Session, clinic_id: UUID, webhook_id: UUID, since: datetime, now: datetime) -> int:
    """Make all again that were given up since then. Returns how many."""
    return _again(session, now, WebhookCall.clinic_id == clinic_id, WebhookCall.webhook_id == webhook_id,
                  WebhookCall.state == "given_up", WebhookCall.created_at >= since)  # fmt: skip


def add(session: Session, clinic_id: UUID, webhook_id: UUID, kind: str, source: str, data: dict[str, str],
        now: datetime) -> None:  # fmt: skip
    """A call that no news brought about: a trial."""
    keep(session, [Happened(webhook_id, clinic_id, kind, source, now, dict(data))], now)


def forget_old(session: Session, now: datetime) -> int:
    """The history ends after a while; some at a time."""
    old = select(WebhookCall.id).where(WebhookCall.created_at < now - KEPT_FOR, WebhookCall.state != "due").limit(1000)
    gone = session.execute(delete(WebhookCall).where(WebhookCall.id.in_(old.scalar_subquery()))
                           .execution_options(synchronize_session=False))  # fmt: skip
    return int(gone.rowcount)  # type: ignore[attr-defined]


def _again(session: Session, now: datetime, *where: object) -> int:
    """Its days of trying begin anew with created_at."""
    done = session.execute(
        update(WebhookCall)
        .where(*where)  # type: ignore[arg-type]
        .values(state="due", due_at=now, attempts=0, lease_until=None, done_at=None, note="", created_at=now)
        .execution_options(synchronize_session=False)
    )
    return int(done.rowcount)  # type: ignore[attr-defined]
