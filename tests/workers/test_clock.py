"""Tasks on a machine whose clock somebody set days ahead: nothing of what they do by themselves is lasting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, update
from structlog.testing import capture_logs

from outreach.actions.dispatch import drain
from outreach.content.lexicon import Lexicon
from outreach.domain.brakes import Scope
from outreach.domain.status import Status
from outreach.settings import Settings
from outreach.store import pauses
from outreach.store.brakes import Pause
from outreach.store.traffic import Message
from outreach.store.vault import Vault
from outreach.wiring import Outreach
from tests import shipped
from tests.actions.world import World, make_world
from workers import tasks
from workers.app import app

AHEAD = timedelta(days=4)


@pytest.fixture
def world(engine: Engine, vault: Vault) -> World:
    """One message with its carrier for a minute, and a pause until tomorrow."""
    world = make_world(engine, vault, shipped.words())
    now = datetime.now(UTC)
    world.agree()
    world.plan()
    drain(world.pump(), 5)
    with world.sessions.begin() as session:
        session.execute(update(Message).values(due_at=now, sent_at=now, useful_until=now + timedelta(days=1)))
        pauses.switch_on(session, world.clinic_id, Scope.CLINIC, "", "quota", "breaker", now, now + timedelta(days=1))
    return world


def work_on(world: World, clock: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every task of the schedule but dispatch, each as a worker would do it whose clock is days ahead."""
    out = Outreach(
        settings=Settings(database_url="postgresql://x", redis_url="redis://x", clock=clock),
        engine=world.sessions.kw["bind"], sessions=world.sessions, vault=world.sessions.kw["info"]["vault"],
        lexicon=Lexicon.of(world.words), sequences={}, replies=shipped.replies(),
        providers={"memory": world.carrier}, clock=lambda: datetime.now(UTC) + AHEAD, laws=shipped.laws(),
    )  # fmt: skip
    monkeypatch.setattr(tasks, "outreach", lambda: out)
    names = {one["task"] for one in app.conf.beat_schedule.values()} - {"workers.tasks.dispatch"}
    with capture_logs() as logs:
        for name in sorted(names):
            app.tasks[name]()
    assert not [line for line in logs if "will try at the next wake-up" in line["event"]]


def status(world: World) -> str:
    with world.sessions() as session:
        return session.scalars(select(Message.status)).one()


def lifted(world: World) -> bool:
    with world.sessions() as session:
        return session.scalars(select(Pause.lifted_at)).one() is not None


def test_a_clock_that_jumped_ends_no_message_and_lifts_no_pause(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    work_on(world, "system", monkeypatch)
    assert (status(world), lifted(world)) == (Status.ACCEPTED, False)


def test_a_rehearsals_clock_is_ahead_on_purpose(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    work_on(world, "database", monkeypatch)
    assert (status(world), lifted(world)) == (Status.UNDELIVERED, True)
