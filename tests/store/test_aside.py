"""While a plain function waits for the database, the loop whose thread it runs on goes on."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from outreach.actions.desk import Desk
from outreach.store.aside import rest, stepping_aside
from outreach.store.rows import Ask, fetch, together
from tests.store.silent import in_time, way

SLOW = "select pg_sleep(0.3)"


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(sessionmaker(engine), engine)


def _slow(desk: Desk) -> str:
    with desk.transaction() as session:
        fetch(session, SLOW)
        together(session, Ask(SLOW, {}), Ask("select 1", {}))
        return str(session.scalar(text("select 'done'")))


def _beats(work: object) -> tuple[int, object]:
    """How often a loop came round while it did `work`."""

    async def all_of_it() -> tuple[int, object]:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        beats = 0
        while not task.done():
            await asyncio.sleep(0.01)
            beats += 1
        return beats, await task

    return asyncio.run(all_of_it())


def test_the_loop_goes_on_while_the_database_answers(desk: Desk) -> None:
    beats, said = _beats(stepping_aside(_slow, desk))
    assert said == "done"
    assert beats > 20
    desk.close()


def test_two_hands_wait_side_by_side(engine: Engine) -> None:
    desks = [Desk(sessionmaker(engine), engine) for _ in range(2)]

    async def both() -> list[str]:
        return await asyncio.gather(*(stepping_aside(_slow, desk) for desk in desks))

    begun = time.monotonic()
    assert asyncio.run(both()) == ["done", "done"]
    assert time.monotonic() - begun < 1.1  # one after the other: 1.2 s at least
    for desk in desks:
        desk.close()


def test_off_a_loop_the_same_connection_simply_waits(desk: Desk) -> None:
    _beats(stepping_aside(_slow, desk))
    assert _slow(desk) == "done"
    desk.close()


def test_a_connection_that_breaks_while_it_waits_is_a_database_that_is_away(desk: Desk, engine: Engine) -> None:
    def broken(_: None) -> None:
        with desk.transaction() as session:
            me = fetch(session, "select pg_backend_pid()")[0][0]
            with Session(engine) as other:
                other.execute(text("select pg_terminate_backend(:me)"), {"me": me})
            fetch(session, SLOW)

    with pytest.raises(OperationalError):
        _beats(stepping_aside(broken, None))
    assert _beats(stepping_aside(_slow, desk))[1] == "done"
    desk.close()


@pytest.mark.parametrize("aside", [True, False], ids=["on a loop", "off it"])
def test_a_database_that_says_no_more_is_away_and_the_next_connection_is_a_new_one(engine: Engine, aside: bool) -> None:
    with way(engine) as silent:
        desk = Desk(sessionmaker(silent.engine), silent.engine, patience=0.2)

        def ask(_: None = None) -> int:
            with desk.transaction() as session:
                return int(fetch(session, "select 7")[0][0])

        def once() -> object:
            return asyncio.run(stepping_aside(ask, None)) if aside else ask()

        assert once() == 7
        silent.hush()
        assert isinstance(in_time(once), OperationalError)
        assert in_time(once) == 7
        silent.hush()
        assert in_time(desk.close) is None


def test_a_rest_is_the_loops_as_well() -> None:
    assert _beats(stepping_aside(rest, 0.2))[0] > 5
    rest(0.001)
