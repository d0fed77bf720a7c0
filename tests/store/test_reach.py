"""Connections whose far side says no more: noticed, and replaced."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from outreach.store import reach as reaching
from outreach.store.reach import ENDS_KNOWN, reach
from tests.store.silent import Way, in_time, way


@pytest.fixture
def silent(engine: Engine) -> Iterator[Way]:
    with way(engine) as made:
        yield made


def ask(engine: Engine, statement: str = "select 7") -> object:
    with engine.connect() as connection:
        return connection.scalar(text(statement))


def test_a_connection_of_the_pool_that_went_silent_is_replaced(silent: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "AT_REST", 0.1)
    assert ask(silent.engine) == 7
    silent.hush()
    assert in_time(lambda: ask(silent.engine)) == 7


def test_no_statement_is_waited_for_without_end(silent: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "LONGEST", 0.1)
    assert isinstance(in_time(lambda: ask(silent.engine, "select pg_sleep(2)")), OperationalError)
    assert ask(silent.engine) == 7


def test_a_machine_that_has_gone_is_noticed_by_the_settings_of_its_connections_unless_its_url_says_otherwise(
    engine: Engine,
) -> None:
    for more, expected in (({}, "20000"), ({"tcp_user_timeout": "9000"}, "9000")):
        made = reach(engine.url.update_query_dict(more).render_as_string(hide_password=False))
        with made.connect() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            told = driver.info.get_parameters()
        made.dispose()
        assert told["tcp_user_timeout"] == expected
        assert ENDS_KNOWN.keys() <= told.keys()
