"""Silence: no word after the question how they are becomes a task the next day, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, update

from outreach.actions.notice import notice
from outreach.content.compose import Words
from outreach.content.sequences import load
from outreach.domain.status import Status
from outreach.settings import ROOT
from outreach.store.office import Task
from outreach.store.tables import Patient
from outreach.store.traffic import Message
from outreach.store.vault import Vault
from tests.actions.world import NOON, World, make_world

EVENING = datetime(2026, 12, 8, 2, tzinfo=UTC)  # 20:00 on the 7th in Chicago, the 8th already in UTC


@pytest.fixture
def world(engine: Engine, vault: Vault, words: Words) -> World:
    return make_world(engine, vault, words)


def asked(world: World, at: datetime, status: Status = Status.DELIVERED, step: str = "post.check_in") -> None:
    """The question went out at this instant, and stands so."""
    world.plan(step, due=at)
    with world.sessions.begin() as session:
        session.execute(update(Message).where(Message.step == step).values(status=status.value, sent_at=at))


def noticed(world: World, now: datetime) -> int:
    sequence = load(ROOT / "config" / "sequences" / "ketamine-infusion.yaml")
    with world.sessions.begin() as session:
        return notice(session, [sequence], now)


def test_not_the_same_day_but_the_next_by_the_patients_calendar_and_once(world: World) -> None:
    asked(world, EVENING)
    assert noticed(world, datetime(2026, 12, 8, 5, 59, tzinfo=UTC)) == 0
    assert noticed(world, datetime(2026, 12, 8, 6, 1, tzinfo=UTC)) == 1
    assert noticed(world, datetime(2026, 12, 8, 7, tzinfo=UTC)) == 0
    with world.sessions() as session:
        [task] = session.scalars(select(Task))
    assert (task.kind, task.patient_id, task.closed_at) == ("silence", world.patient_id, None)


@pytest.mark.parametrize(
    ("status", "step", "tasks"),
    [
        pytest.param(Status.DELIVERED, "post.check_in", 1, id="delivered"),
        pytest.param(Status.SENT, "post.check_in", 1, id="sent"),
        pytest.param(Status.UNDELIVERED, "post.check_in", 0, id="did not arrive"),
        pytest.param(Status.DELIVERED, "pre.the_day", 0, id="asked something else"),
        pytest.param(Status.DELIVERED, "post.first_days", 0, id="asked nothing"),
    ],
)
def test_only_a_check_in_that_went_out_counts(world: World, status: Status, step: str, tasks: int) -> None:
    asked(world, NOON, status, step)
    assert noticed(world, NOON + timedelta(days=1)) == tasks


def test_whoever_wrote_anything_was_not_silent(world: World) -> None:
    asked(world, NOON)
    world.now = NOON + timedelta(hours=1)
    world.write("a bit dizzy, otherwise fine")
    assert noticed(world, NOON + timedelta(days=1)) == 0


def test_what_a_machine_answers_breaks_no_silence_and_settles_none(world: World) -> None:
    asked(world, NOON)
    for hours, found in ((1, 1), (26, 0)):
        world.now = NOON + timedelta(hours=hours)
        world.write("Automatic reply: I am out of the office")
        assert noticed(world, max(world.now, NOON + timedelta(days=1))) == found
    with world.sessions() as session:
        [task] = session.scalars(select(Task).where(Task.kind == "silence"))
    assert task.closed_at is None


def test_a_late_word_settles_the_task(world: World) -> None:
    asked(world, NOON)
    assert noticed(world, NOON + timedelta(days=1)) == 1
    world.now = NOON + timedelta(days=1, hours=2)
    world.write("1")
    assert noticed(world, world.now) == 0
    with world.sessions() as session:
        [task] = session.scalars(select(Task).where(Task.kind == "silence"))
    assert (task.outcome, task.closed_by) == ("answered", None)


def test_nobody_is_missed_who_is_inactive_or_stands_for_staff(world: World) -> None:
    asked(world, NOON)
    with world.sessions.begin() as session:
        session.execute(update(Patient).values(active=False))
    assert noticed(world, NOON + timedelta(days=1)) == 0
    with world.sessions.begin() as session:
        session.execute(update(Patient).values(active=True, test=True))
    assert noticed(world, NOON + timedelta(days=1)) == 0
