"""The audit: rows that nobody changes, and a chain that shows it when somebody did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Thread
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from outreach.store import audit, clinics
from outreach.store.tables import Clinic

NOW = datetime(2026, 12, 1, 18, tzinfo=UTC)


def write(session: Session, clinic_id: UUID, n: int) -> None:
    audit.note(session, clinic_id=clinic_id, at=NOW + timedelta(seconds=n), actor_kind="staff", actor_id=uuid4(),
               action="visit.moved", subject="visit", subject_id=uuid4(),
               detail={"n": n, "share": 0.10, "who": uuid4(), "text": "é", "none": None})  # fmt: skip


def test_a_chain_fits_and_clinics_have_one_each(session: Session, clinic: Callable[..., Clinic]) -> None:
    one, other = clinic("a"), clinic("b")
    for n in range(3):
        write(session, one.id, n)
        write(session, other.id, n)
    session.expire_all()
    verdict = audit.verify(session, one.id)
    assert (verdict.rows, verdict.broken) == (3, None)
    assert audit.knows(session, one.id, verdict.head)
    assert not audit.knows(session, other.id, verdict.head)
    assert audit.verify(session, uuid4()).rows == 0


def test_a_row_cannot_be_changed_or_removed(session: Session, clinic: Callable[..., Clinic]) -> None:
    write(session, clinic().id, 1)
    for statement in ("update audit set action = 'x'", "delete from audit"):
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(text(statement))


@pytest.mark.parametrize(
    "deed",
    ["update audit set action = 'x' where seq = :seq", "update audit set detail = '{}' where seq = :seq",
     "update audit set actor_id = null where seq = :seq", "delete from audit where seq = :seq"],
    ids=["another deed", "another detail", "another person", "gone"],
)  # fmt: skip
def test_the_first_broken_row_is_found(session: Session, clinic: Callable[..., Clinic], deed: str) -> None:
    mine = clinic()
    for n in range(5):
        write(session, mine.id, n)
    seqs = list(session.scalars(text("select seq from audit where clinic_id = :id order by seq"), {"id": mine.id}))
    session.execute(text("alter table audit disable trigger audit_append_only"))  # as whoever owns the database can
    session.execute(text(deed), {"seq": seqs[2]})
    session.expire_all()
    verdict = audit.verify(session, mine.id)
    assert verdict.broken == (seqs[3] if deed.startswith("delete") else seqs[2])


def test_two_who_write_at_once_make_one_chain(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        mine = clinics.add(session, slug="a", name="a", zone="America/Chicago", country="US", locale="en", phone="",
                           address="", emergency="911").id  # fmt: skip

    def work() -> None:
        for n in range(10):
            with Session(engine) as session, session.begin():
                write(session, mine, n)

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Session(engine) as session:
        verdict = audit.verify(session, mine)
    assert (verdict.rows, verdict.broken) == (30, None)
