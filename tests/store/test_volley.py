"""Several statements in one write, on the connection of a desk."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest
from psycopg.errors import DivisionByZero
from sqlalchemy import Engine, text
from sqlalchemy.orm import sessionmaker

from outreach.actions.desk import Desk
from outreach.store.arrays import Ids, Texts
from outreach.store.rows import Ask, fetch, run, run_by_commit, together

ID = uuid4()
ROUND_TRIP = Ask(
    "select %(n)b::int, %(ids)b::uuid[], %(words)b::text[], %(none)b::text, %(some)s::text[], 'x' like '%%', "
    "%(n)b::int + 1",
    {"n": 7, "ids": Ids.of([ID]), "words": Texts.of(["a", None]), "none": None, "some": ["é"]},
)
SAID = (7, [ID], ["a", None], None, ["é"], True, 8)


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(sessionmaker(engine), engine)


def test_rows_are_those_that_the_driver_gives_again_and_again_and_after_the_desk_was_closed(
    desk: Desk, engine: Engine
) -> None:
    with sessionmaker(engine)() as session:
        assert together(session, ROUND_TRIP) == [[SAID]]
    for _ in range(3):
        with desk.transaction() as session:
            assert [list(rows) for rows in together(session, ROUND_TRIP, Ask("select 1", {}), ROUND_TRIP)] == [
                [SAID], [(1,)], [SAID]
            ]  # fmt: skip
        desk.close()
    with engine.connect() as connection:
        ours = "select count(*) from pg_prepared_statements where starts_with(name, 'volley_')"  # beside the driver's
        assert connection.exec_driver_sql(ours).scalar() == 0


def test_each_sees_what_the_one_before_it_did_and_what_waits_goes_before_the_next_or_with_the_commit(
    desk: Desk,
) -> None:
    with desk.transaction() as session:
        run(session, "create temp table said (n int)")
        run_by_commit(session, "insert into said values (%(n)b::int)", n=1)
        assert run(session, "update said set n = n + 1") == 1
        run_by_commit(session, "insert into said values (%(n)b::int)", n=5)
    with desk.transaction() as session:
        assert list(fetch(session, "select n from said order by n")) == [(2,), (5,)]
    desk.close()


@pytest.mark.parametrize("by_commit", [True, False])
def test_after_one_that_fails_nothing_is_kept_and_the_desk_goes_on(desk: Desk, engine: Engine, by_commit: bool) -> None:
    name = f"gone_{uuid4().hex}"

    def fail() -> None:
        with desk.transaction() as session:
            run(session, f"create table {name} ()")
            (run_by_commit if by_commit else run)(session, "select 1 / %(n)b::int", n=0)

    with pytest.raises(DivisionByZero):
        fail()
    with desk.transaction() as session:
        assert fetch(session, f"select to_regclass('{name}')") == [(None,)]
    desk.close()
    with engine.connect() as connection:
        assert connection.scalar(text("select 1")) == 1


@pytest.mark.parametrize("last", [Ask("select 1 / %(n)b::int", {"n": 0}), Ask("select from nowhere", {})])
def test_faults_leave_nothing_prepared_on_a_connection_that_goes_back_to_the_pool(
    desk: Desk, engine: Engine, last: Ask
) -> None:
    before = [Ask(f"select {n}, %(a)b::int", {"a": 1}) for n in range(3)]
    for _ in range(3):
        with pytest.raises(psycopg.Error), desk.transaction() as session:
            together(session, *before, last, Ask("select 9", {}))
    with engine.connect() as connection:
        ours = "select count(*) from pg_prepared_statements where starts_with(name, 'volley_')"
        assert connection.exec_driver_sql(ours).scalar() == 0
