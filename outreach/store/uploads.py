"""Uploaded lists: kept sealed while they are needed, claimed by one worker at a time, remembered by their headers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from outreach.errors import NotFound
from outreach.store.intake import ColumnMapping, Upload
from outreach.store.vault import vault_of

UNDECIDED = ("reading", "mapping", "checking", "checked")
WORK = ("reading", "checking", "waiting", "running", "undoing")
"""States in which a worker has something to do."""
KEPT_UNDECIDED = timedelta(days=7)


@dataclass(frozen=True)
class List:
    """An upload without what stands in it. `done` of `total` rows (of undone patients, while it is taken back)."""

    id: UUID
    clinic_id: UUID
    staff_id: UUID | None
    name: str
    state: str
    mapping: dict[str, Any]
    total: int
    done: int
    result: dict[str, Any]
    created_at: datetime
    changed_at: datetime
    lease_until: datetime | None


_LIST = (Upload.id, Upload.clinic_id, Upload.staff_id, Upload.name_sealed, Upload.state, Upload.mapping, Upload.total,
         Upload.done, Upload.result, Upload.created_at, Upload.changed_at, Upload.lease_until)  # fmt: skip


def add(
    session: Session,
    *,
    clinic_id: UUID,
    staff_id: UUID | None,
    name: str,
    content: str,
    state: str,
    now: datetime,
) -> UUID:
    """Keep a list that just came, sealed."""
    vault, upload_id = vault_of(session), uuid4()
    session.execute(
        insert(Upload).values(
            id=upload_id, clinic_id=clinic_id, staff_id=staff_id, state=state, mapping={}, total=0,
            name_sealed=vault.seal(name, "upload.name", clinic_id, upload_id), done=0, result={}, created_at=now,
            content_sealed=vault.seal(content, "upload.content", clinic_id, upload_id), changed_at=now,
        )
    )  # fmt: skip
    return upload_id


def get(session: Session, clinic_id: UUID, upload_id: UUID) -> List:
    """One list of the clinic, or NotFound."""
    row = session.execute(select(*_LIST).where(Upload.clinic_id == clinic_id, Upload.id == upload_id)).one_or_none()
    if row is None:
        raise NotFound("no such list in this clinic")
    return _list(session, row)


def listing(session: Session, clinic_id: UUID, limit: int, offset: int = 0) -> tuple[list[List], int]:
    """(the clinic's lists, newest first; how many there are)."""
    rows = session.execute(
        select(*_LIST).where(Upload.clinic_id == clinic_id).order_by(Upload.created_at.desc()).limit(limit)
        .offset(offset)
    )  # fmt: skip
    total = session.scalar(select(func.count()).select_from(Upload).where(Upload.clinic_id == clinic_id)) or 0
    return [_list(session, row) for row in rows], total


def content(session: Session, one: List) -> str | None:
    """The sheet as it was kept; None once it is gone."""
    sealed = session.scalar(select(Upload.content_sealed).where(Upload.id == one.id))
    return vault_of(session).open(sealed, "upload.content", one.clinic_id, one.id) if sealed else None


def faults(session: Session, one: List) -> str:
    """What was found in its rows, as it was written; "" before the check."""
    sealed = session.scalar(select(Upload.faults_sealed).where(Upload.id == one.id))
    return vault_of(session).open(sealed, "upload.faults", one.clinic_id, one.id) if sealed else ""


def turn(
    session: Session, one: List, before: Collection[str], now: datetime, *, content: str | None = None,
    faults: str | None = None, forget: bool = False, **values: Any,
) -> bool:  # fmt: skip
    """Write `values` if the list is still in one of the states `before`. False: somebody was faster; nothing changed.

    `forget`: what the patients' rows said is needed no more.
    """
    if content is not None:
        values["content_sealed"] = vault_of(session).seal(content, "upload.content", one.clinic_id, one.id)
    if faults is not None:
        values["faults_sealed"] = vault_of(session).seal(faults, "upload.faults", one.clinic_id, one.id)
    if forget:
        values["content_sealed"] = None
    turned = session.execute(
        update(Upload)
        .where(Upload.id == one.id, Upload.clinic_id == one.clinic_id, Upload.state.in_(before))
        .values(**values, changed_at=now)
        .returning(Upload.id)
        .execution_options(synchronize_session=False)
    )
    return turned.one_or_none() is not None


def claim(session: Session, now: datetime, lease: timedelta) -> List | None:
    """The oldest list with work that nobody holds, leased; two workers never get the same one."""
    row = session.execute(
        select(Upload.id, Upload.state)
        .where(Upload.state.in_(WORK), or_(Upload.lease_until.is_(None), Upload.lease_until < now))
        .order_by(Upload.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if row is None:
        return None
    session.execute(
        update(Upload)
        .where(Upload.id == row.id)
        .values(lease_until=now + lease, state="running" if row.state == "waiting" else row.state, changed_at=now)
        .execution_options(synchronize_session=False)
    )
    return _list(session, session.execute(select(*_LIST).where(Upload.id == row.id)).one())


def hold(session: Session, one: List, now: datetime, lease: timedelta) -> List | None:
    """Keep a claimed list for another while, locked until the transaction ends; None: it is somebody else's by now."""
    row = session.execute(
        select(*_LIST)
        .where(Upload.id == one.id, Upload.state == one.state, Upload.lease_until == one.lease_until)
        .with_for_update()
    ).one_or_none()
    if row is None:
        return None
    until = now + lease
    session.execute(
        update(Upload).where(Upload.id == one.id).values(lease_until=until)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    return _list(session, session.execute(select(*_LIST).where(Upload.id == one.id)).one())


def remembered(session: Session, clinic_id: UUID, headers: str) -> Mapping[str, Any] | None:
    """What this clinic said the last time about columns of these names."""
    key = vault_of(session).index("headers", headers, clinic_id)
    return session.scalar(
        select(ColumnMapping.mapping).where(ColumnMapping.clinic_id == clinic_id, ColumnMapping.headers == key)
    )


def remember(session: Session, clinic_id: UUID, headers: str, mapping: Mapping[str, Any], now: datetime) -> None:
    key = vault_of(session).index("headers", headers, clinic_id)
    said = {"mapping": dict(mapping), "used_at": now}
    session.execute(
        upsert(ColumnMapping)
        .values(clinic_id=clinic_id, headers=key, **said)
        .on_conflict_do_update(index_elements=["clinic_id", "headers"], set_=said)
    )


def forget_undecided(session: Session, now: datetime) -> list[tuple[UUID, UUID]]:
    """Of every clinic: lists nobody decided about for a week lose what stood in them. Returns (clinic, list) of each.

    It must not wait for somebody to upload the next list: a clinic that never does would keep the rows for ever.
    """
    gone = session.execute(
        update(Upload)
        .where(Upload.state.in_(UNDECIDED), Upload.changed_at < now - KEPT_UNDECIDED)
        .values(state="dropped", content_sealed=None, faults_sealed=None, lease_until=None, changed_at=now)
        .returning(Upload.clinic_id, Upload.id)
        .execution_options(synchronize_session=False)
    )
    return [(row.clinic_id, row.id) for row in gone]


def _list(session: Session, row: Sequence[Any]) -> List:
    upload_id, clinic_id, staff_id, name, *rest = row
    opened = vault_of(session).open(name, "upload.name", clinic_id, upload_id)
    return List(upload_id, clinic_id, staff_id, opened, *rest)
