"""`outreach restored`: a database from a backup sends nothing a second time."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from sqlalchemy import Engine
from typer.testing import CliRunner

from outreach.actions.dispatch import drain
from outreach.cli.restored import register
from outreach.domain.brakes import Scope
from outreach.domain.status import Status
from outreach.errors import BadInput, Reason
from outreach.store import pauses
from outreach.store.balance import Span, weigh
from outreach.store.vault import Vault
from tests import shipped
from tests.actions.world import make_world

NOW = datetime.now(UTC)


@pytest.fixture
def app(fresh_database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> typer.Typer:
    environment = {"DATABASE_URL": fresh_database_url, "REDIS_URL": redis_url, "VAR": str(tmp_path),
                   "KEY": base64.b64encode(bytes(range(32))).decode()}  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(f"OUTREACH_{name}", value)
    made = typer.Typer()
    register(made)
    made.command("another")(lambda: None)  # else typer would drop the noun
    return made


def test_what_was_due_before_the_workers_stopped_is_not_sent_again_and_all_else_is_held(
    app: typer.Typer, engine: Engine, vault: Vault
) -> None:
    world = make_world(engine, vault, shipped.words())
    world.now = NOW
    world.agree()
    stopped = NOW - timedelta(hours=1)
    for step, due in (("post.check_in", stopped - timedelta(hours=3)), ("pre.tomorrow", NOW - timedelta(minutes=1))):
        world.plan(step, due)
    done = CliRunner().invoke(app, ["restored", "--stopped", f"{stopped:%Y-%m-%dT%H:%MZ}"])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("1 messages that were due by ")
    drain(world.pump(), 5)
    assert world.carrier.parcels == []
    assert sorted(world.states()) == [
        ("post.check_in", Status.EXPIRED, Reason.TOO_LATE), ("pre.tomorrow", Status.SCHEDULED, None),
    ]  # fmt: skip
    with world.sessions() as session:
        [pause] = pauses.listing(session, world.clinic_id, NOW)
        assert (pause.scope, pause.until) == (Scope.SERVICE, None)
        assert f"outreach pause off {pause.id}" in done.stdout
        assert weigh(session, [Span(world.clinic_id, None, None)], True).holds


def test_a_time_that_is_still_to_come_changes_nothing(app: typer.Typer, engine: Engine, vault: Vault) -> None:
    world = make_world(engine, vault, shipped.words())
    world.plan(due=NOW)
    done = CliRunner().invoke(app, ["restored", "--stopped", f"{NOW + timedelta(days=1):%Y-%m-%dT%H:%MZ}"])
    assert isinstance(done.exception, BadInput)
    assert [status for _, status, _ in world.states()] == [Status.SCHEDULED]
