"""The migrations make exactly the schema that the code believes in, and the ledgers cannot be rewritten."""

from __future__ import annotations

import threading

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from outreach.store import brakes, doors, intake, migrate, office, tallies, wordings  # noqa: F401  every table is compared
from outreach.store.tables import Base
from outreach.store.traffic import APPEND_ONLY

PARTIAL = text("select indexname from pg_indexes where tablename = :t and indexdef like '% WHERE %'")


def test_the_migrated_schema_equals_the_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_check_constraints_and_partial_indexes_are_there_too(engine: Engine) -> None:
    """Alembic's comparison passes over both."""
    with engine.connect() as connection:
        here = inspect(connection)
        for table in Base.metadata.tables.values():
            wanted = {str(one.name) for one in table.constraints if isinstance(one, CheckConstraint)}
            assert {one["name"] for one in here.get_check_constraints(table.name)} == wanted
            partial = {str(i.name) for i in table.indexes if i.dialect_options["postgresql"]["where"] is not None}
            found = connection.execute(PARTIAL, {"t": table.name})
            assert set(found.scalars()) == partial


def test_migrating_again_changes_nothing_and_two_at_once_do_not_collide(bare_database_url: str) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            migrate.upgrade(bare_database_url)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    migrate.upgrade(bare_database_url)
    assert failures == []


def test_there_is_one_newest_revision() -> None:
    assert len(ScriptDirectory.from_config(migrate.config()).get_heads()) == 1


def test_the_first_revision_can_be_taken_back(bare_database_url: str) -> None:
    migrate.upgrade(bare_database_url)
    engine = create_engine(bare_database_url)
    with engine.begin() as connection:
        command.downgrade(migrate.config(connection), "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
    engine.dispose()


CLINIC = """insert into clinic (id, slug, name, zone, country, locale, phone, address, emergency,
    wording, quiet_from, quiet_to, most_a_day, most_a_week, demo, directions, law, carrier_answers,
    join_open, unapproved, words_version)
    values (gen_random_uuid(), 'a', 'A', 'UTC', 'US', 'en', '', '', '', 'full', '21:00', '8:00', 4, 14, false,
    '', 'us', 'none', false, 'default', 0)"""
ROWS = (
    CLINIC,
    """insert into patient (id, clinic_id, name_sealed, locale, zone, wording, active, created_at, test, version,
    search) select gen_random_uuid(), id, '', 'en', 'UTC', 'full', true, now(), false, 0, '{}' from clinic""",
    """insert into address (id, clinic_id, patient_id, channel, value_sealed, value_index, active, created_at)
    select gen_random_uuid(), clinic_id, id, 'sms', '', '', true, now() from patient""",
    """insert into consent_event (id, clinic_id, patient_id, address_id, channel, kind, purpose, warned, method,
    wording_version, locale, actor, at, evidence) select gen_random_uuid(), clinic_id, patient_id, id, 'sms', 'agreed',
    'care', true, 'sms', '', 'en', 'patient', now(), 'x' from address""",
    """insert into message (id, clinic_id, patient_id, occasion, step, channel, revision, wall, zone, tz_version, rule,
    due_at, useful_until, planned_at, status, attempts, segments, urgent) select gen_random_uuid(), clinic_id, id,
    'x', 's', 'sms', 0, now(), 'UTC', '', '', now(), now(), now(), 'scheduled', 0, 0, false from patient""",
    """insert into event (clinic_id, message_id, source, word, at) select clinic_id, id, 'us', 'planned', now()
    from message""",
    """insert into audit (clinic_id, at, actor_kind, action, subject, subject_id, detail, previous, digest)
    select id, now(), 'staff', 'x', '', '', '{}', '', '' from clinic""",
)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize(
    "change", ["update {} set at = now()", "delete from {}", "truncate {} cascade"], ids=["update", "delete", "empty"]
)
def test_a_ledger_refuses_to_be_rewritten(engine: Engine, table: str, change: str) -> None:
    with engine.begin() as connection:
        for row in ROWS:
            connection.execute(text(row))
    with pytest.raises(DBAPIError, match=f"{table} is append-only"), engine.begin() as connection:
        connection.execute(text(change.format(table)))


def test_the_busiest_table_is_vacuumed_early(engine: Engine) -> None:
    with engine.connect() as connection:
        options = connection.scalar(text("select reloptions from pg_class where relname = 'message'"))
    assert options is not None
    assert "autovacuum_vacuum_scale_factor=0.01" in options
