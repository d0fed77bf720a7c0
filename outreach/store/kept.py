"""Answers kept for a day: a request that comes again with its Idempotency-Key is answered, not done, again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from outreach.store.doors import KeptAnswer
from outreach.store.vault import vault_of

KEPT_FOR = timedelta(hours=24)
_AT_ONCE = 1000


@dataclass(frozen=True)
class Answer:
    """What was answered: status and body as text. `etag` is "" where there was none."""

    status: int
    body: str
    etag: str = ""


def take(session: Session, api_key_id: UUID, key: str) -> bool:
    """Hold this Idempotency-Key until the transaction ends. False: another request with it is being done now."""
    digest = hashlib.sha256(b"idempotency" + api_key_id.bytes + key.encode()).digest()
    lock = int.from_bytes(digest[:8], signed=True)
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(lock))))


def find(session: Session, api_key_id: UUID, key: str, now: datetime) -> tuple[bytes, Answer] | None:
    """(digest of the request, what it was answered), of the last day."""
    row = session.execute(
        select(KeptAnswer.clinic_id, KeptAnswer.request_hash, KeptAnswer.status, KeptAnswer.answer_sealed,
               KeptAnswer.row_id)
        .where(KeptAnswer.api_key_id == api_key_id, KeptAnswer.key == key, KeptAnswer.at > now - KEPT_FOR)
    ).one_or_none()  # fmt: skip
    if row is None or row.status is None or row.answer_sealed is None:
        return None
    etag, _, body = (
        vault_of(session).open(row.answer_sealed, "kept_answer.answer", row.clinic_id, row.row_id).partition("\n")
    )
    return row.request_hash, Answer(row.status, body, etag)


def keep(
    session: Session, clinic_id: UUID, api_key_id: UUID, key: str, request_hash: bytes, answer: Answer, now: datetime
) -> None:
    """Keep it in the transaction of what it tells: after a crash both are there, or neither."""
    row_id = uuid4()
    sealed = vault_of(session).seal(f"{answer.etag}\n{answer.body}", "kept_answer.answer", clinic_id, row_id)
    values = {"clinic_id": clinic_id, "request_hash": request_hash, "status": answer.status, "answer_sealed": sealed,
              "row_id": row_id, "at": now}  # fmt: skip
    session.execute(
        upsert(KeptAnswer)
        .values(api_key_id=api_key_id, key=key, **values)
        .on_conflict_do_update(index_elements=["api_key_id", "key"], set_=values)  # one of an older day gives way
    )


def forget_old(session: Session, now: datetime) -> int:
    """Answers older than a day go: they hold names. Some at a time; returns how many went."""
    old = select(KeptAnswer.api_key_id, KeptAnswer.key).where(KeptAnswer.at <= now - KEPT_FOR).limit(_AT_ONCE)
    chosen = old.subquery()
    gone = session.execute(
        delete(KeptAnswer)
        .where(KeptAnswer.api_key_id == chosen.c.api_key_id, KeptAnswer.key == chosen.c.key)
        .execution_options(synchronize_session=False)
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]
