"""What the server has prepared stays prepared when a reading ends; a kept desk begins with nothing prepared."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from outreach.actions.desk import Desk
from outreach.store.reach import reach
from outreach.store.rows import fetch, run
from outreach.store.tables import Clinic

MANY = 8
"""The driver prepares what it has been asked for five times."""


@pytest.fixture
def engine_of_ours(engine: Engine) -> Engine:
    return reach(engine.url.render_as_string(hide_password=False))


def prepared(session: Session) -> set[str]:
    return set(session.scalars(text("select statement from pg_prepared_statements")))


def test_whoever_only_reads_leaves_its_statements_prepared(engine_of_ours: Engine) -> None:
    sessions = sessionmaker(engine_of_ours)
    for _ in range(MANY):
        with sessions() as session:
            session.scalars(select(Clinic.slug)).all()
            fetch(session, "select 7 where %(one)b::int = 1", one=1)
            session.rollback()
    with sessions() as session:
        kept = prepared(session)
    assert any("FROM clinic" in one for one in kept)
    assert any("select 7" in one for one in kept)
    engine_of_ours.dispose()


def test_what_is_undone_is_undone_and_a_fault_leaves_a_connection_that_works(engine_of_ours: Engine) -> None:
    sessions = sessionmaker(engine_of_ours)
    made = "create table if not exists tried (n int primary key)"
    with sessions.begin() as session:
        run(session, made)
    for _ in range(MANY):
        with sessions() as session:
            run(session, "insert into tried values (1)")
            session.rollback()
            assert fetch(session, "select count(*) from tried")[0][0] == 0
        with sessions() as session, pytest.raises(IntegrityError):
            run(session, "insert into tried values (2), (2)")
    with sessions.begin() as session:
        assert fetch(session, "select count(*) from tried")[0][0] == 0
        run(session, "drop table tried")
    engine_of_ours.dispose()


def test_a_desk_begins_with_nothing_prepared_and_outlives_an_undone_savepoint(engine: Engine) -> None:
    ours = create_engine(engine.url, pool_size=1, max_overflow=0)
    for one in (ours, reach(engine.url.render_as_string(hide_password=False))):
        sessions = sessionmaker(one)
        for _ in range(MANY):
            with sessions() as session:
                session.scalars(select(Clinic.slug)).all()
        desk = Desk(sessions, one)
        for _ in range(MANY):
            with desk.transaction() as session:
                fetch(session, "select 8 where %(one)b::int = 1", one=1)
                session.scalars(select(Clinic.slug)).all()
                with session.begin_nested() as attempt:
                    fetch(session, "select 9 where %(one)b::int = 1", one=1)
                    attempt.rollback()
        desk.close()
        one.dispose()
