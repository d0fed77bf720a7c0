"""Tallies: whatever happened, they say what a count over the messages says."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session

from outreach.actions.count import bounds, count
from outreach.actions.dispatch import drain
from outreach.content.compose import Words
from outreach.domain.channel import Channel
from outreach.domain.window import wall_at
from outreach.store import counts
from outreach.store.tables import Patient
from outreach.store.tallies import Tally, TallyDay
from outreach.store.traffic import Attempt, InboundMessage, Message
from outreach.store.vault import Vault
from tests.actions.world import NOON, ZONE, World, make_world


@pytest.fixture
def world(engine: Engine, vault: Vault, words: Words) -> World:
    made = make_world(engine, vault, words)
    made.agree()
    return made


STEPS = ["pre.the_day", "pre.tomorrow", "post.check_in", "post.first_days"]


def send(world: World) -> None:
    drain(world.pump(), 5)


def counted(world: World) -> int:
    return count(world.sessions, lambda: world.now)


def by_hand(session: Session, world: World) -> Counter[tuple[Any, ...]]:
    """Every message due up to today, counted one by one in Python."""
    today = wall_at(world.now, ZONE).date()
    test = set(session.scalars(select(Patient.id).where(Patient.test)))
    locales = {row.id: row.locale for row in session.execute(select(Patient.id, Patient.locale))}
    senders = {row.id: row.sender_id for row in session.execute(select(Attempt.id, Attempt.sender_id))}
    answered = set(session.scalars(select(InboundMessage.about_message_id).where(InboundMessage.answer.is_not(None))))
    found: Counter[tuple[Any, ...]] = Counter()
    for one in session.scalars(select(Message)):
        day = wall_at(one.due_at, ZONE).date()
        if day > today or one.patient_id in test:
            continue
        sender = senders.get(one.attempt_id)
        key = (day, one.channel, one.locale or locales[one.patient_id], one.step, str(sender or ""), one.status,
               one.reason or "")  # fmt: skip
        found[key] += 1
        found["segments", one.status] += one.segments if one.status in {each.value for each in counts.OUT} else 0
        found["answered"] += one.id in answered
    return +found


def by_tallies(session: Session) -> Counter[tuple[Any, ...]]:
    found: Counter[tuple[Any, ...]] = Counter()
    for one in session.scalars(select(Tally)):
        found[one.day, one.channel, one.locale, one.step, one.sender, one.status, one.reason] += one.messages
        found["segments", one.status] += one.segments
        found["answered"] += one.answered
    return +found


def agree_with_each_other(world: World) -> None:
    with world.sessions() as session:
        assert by_tallies(session) == by_hand(session, world)


def live(chance: random.Random, people: list[World], who: World, turn: int) -> None:
    """One thing that happens to one of these people, or to all: time passes, somebody counts."""
    act = chance.choice(["plan", "plan", "send", "send", "answer", "later", "count", "stop"])
    if act == "plan":
        who.plan(chance.choice(STEPS), who.now + timedelta(hours=chance.randint(-30, 30)), revision=turn)
    elif act == "send":
        send(who)
    elif act == "later":
        for one in people:
            one.now += timedelta(hours=turn)
    elif act == "count":
        counted(who)
    else:
        who.write("1" if act == "answer" or chance.random() < 0.7 else "STOP", f"SM{turn}")


@pytest.mark.parametrize("seed", range(6))
def test_tallies_say_what_a_count_over_messages_says(world: World, seed: int) -> None:
    chance = random.Random(seed)
    people = [world, *(world.neighbour(number) for number in range(3))]
    for one in people[1:]:
        if chance.random() < 0.7:
            one.agree()
    for turn in range(14):
        live(chance, people, chance.choice(people), turn)
    counted(world)
    agree_with_each_other(world)


def test_a_day_without_news_is_not_counted_again(world: World) -> None:
    world.plan(due=world.now - timedelta(days=3))
    assert counted(world) == 4
    world.now += timedelta(minutes=30)
    counted(world)  # once more: the news was as young as the count
    world.now += timedelta(minutes=30)
    assert counted(world) == 0


def test_a_late_receipt_counts_the_old_day_again(world: World) -> None:
    world.plan()
    send(world)
    counted(world)
    world.now += timedelta(days=9)
    counted(world)
    world.now += timedelta(hours=1)
    with world.sessions.begin() as session:
        session.execute(update(Message).values(status="delivered", ended_at=world.now))
        message = session.scalars(select(Message)).one()
        session.execute(
            text("insert into event (clinic_id, message_id, source, word, status, at)"
                 " values (:c, :m, 'carrier', 'delivered', 'delivered', :at)"),
            {"c": world.clinic_id, "m": message.id, "at": world.now},
        )  # fmt: skip
    assert counted(world) >= 1
    agree_with_each_other(world)


def test_what_staff_send_themselves_is_in_no_figure(world: World) -> None:
    world.plan(due=world.now - timedelta(hours=1))
    with world.sessions.begin() as session:
        session.execute(update(Patient).values(test=True))
    counted(world)
    with world.sessions() as session:
        assert session.scalars(select(Tally)).all() == []
        assert session.scalars(select(TallyDay)).all()


def test_what_is_still_to_come_is_no_figure_yet(world: World) -> None:
    world.plan(due=world.now + timedelta(days=2))
    assert counted(world) == 0


def test_counting_stops_when_its_time_is_up_and_goes_on_later(world: World) -> None:
    world.plan(due=world.now - timedelta(days=5))
    assert count(world.sessions, lambda: world.now, seconds=-1) == 0
    assert counted(world) == 6


def test_every_night_all_is_counted_again(world: World) -> None:
    world.plan(due=world.now - timedelta(days=5))
    counted(world)
    with world.sessions.begin() as session:
        session.execute(update(Tally).values(messages=99))
    world.now += timedelta(hours=5)
    assert count(world.sessions, lambda: world.now, whole=True) == 6
    agree_with_each_other(world)


def test_a_day_lasts_as_long_as_the_clinics_clock_says() -> None:
    start, end = bounds(datetime(2026, 11, 1).date(), ZONE)
    assert end - start == timedelta(hours=25)


def test_figures_are_the_same_however_they_are_grouped(world: World) -> None:
    for revision, step in enumerate(["pre.the_day", "pre.tomorrow", "post.check_in"]):
        world.plan(step, world.now - timedelta(hours=revision), revision)
    send(world)
    counted(world)
    today = wall_at(NOON, ZONE).date()
    with world.sessions() as session:
        for by in counts.BY:
            found = counts.figures(session, world.clinic_id, today, today, by)
            whole = sum(one.messages for one in found if one.status and one.reason is not None)
            assert whole == 3
            assert sum(one.messages for one in found if one.day) == whole
            assert {one.channel for one in found if one.channel} == {Channel.SMS.value}
    with pytest.raises(ValueError, match="drop"):
        counts.figures(session, world.clinic_id, today, today, "drop")


def test_another_clinics_messages_are_another_clinics_figures(world: World) -> None:
    world.plan(due=world.now - timedelta(hours=1))
    counted(world)
    today = datetime.now(UTC).date()
    with world.sessions() as session:
        other = type(world.clinic_id)(int=5)
        assert counts.figures(session, other, today - timedelta(days=900), today, "step") == []
        assert not counts.rows(session, other, today - timedelta(days=900), today, 10)
