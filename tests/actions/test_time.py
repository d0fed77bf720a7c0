"""A pump and time: waking late, sleeping, clocks that somebody sets. By real time: the database's cannot be set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session, sessionmaker

from outreach.actions import carry
from outreach.actions.dispatch import Pump, drain
from outreach.actions.timekeeper import ASK_AFTER, Timekeeper
from outreach.content.compose import Words
from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentKind
from outreach.domain.status import Status
from outreach.errors import Reason, Refused
from outreach.providers.memory import MemoryProvider
from outreach.store import consents
from outreach.store.tables import Clinic, Patient
from outreach.store.traffic import Message
from outreach.store.turns import Ahead
from outreach.store.vault import Vault
from tests.actions.world import World, make_world

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def world(engine: Engine, vault: Vault, words: Words) -> World:
    """Where it is noon just now, so that no night holds anything up."""
    made = make_world(engine, vault, words)
    made.now = datetime.now(UTC)
    east = 12 - made.now.hour
    noon = f"Etc/GMT{-east:+d}" if east else "Etc/GMT"
    with made.sessions.begin() as session:
        session.execute(update(Clinic).values(zone=noon, most_a_day=100, most_a_week=100))
        session.execute(update(Patient).values(zone=noon))
    made.agree()
    return made


def pump(world: World, clock: Callable[[], datetime]) -> Pump:
    return replace(world.pump(), clock=clock, ahead=Ahead())


def set_by(length: timedelta) -> Callable[[], datetime]:
    return lambda: datetime.now(UTC) + length


def rows(world: World) -> dict[str, Message]:
    with world.sessions() as session:
        return {row.step: row for row in session.scalars(select(Message))}


def states(world: World) -> dict[str, tuple[str, str | None]]:
    return {step: (row.status, row.reason) for step, row in rows(world).items()}


def test_after_ten_hours_off_the_useful_goes_in_due_order_and_the_rest_expires(world: World) -> None:
    for step, ago in (("post.first_days", 9), ("post.check_in", 5), ("pre.the_day", 2), ("post.first_hours", 8)):
        world.plan(step, world.now - ago * HOUR)
    with world.sessions.begin() as session:  # it was of use for six hours, eight hours ago
        session.execute(update(Message).where(Message.step == "post.first_hours")
                        .values(useful_until=world.now - 2 * HOUR))  # fmt: skip
    drain(pump(world, set_by(timedelta(0))), 10)
    assert states(world) == {
        "post.first_days": ("accepted", None),
        "post.check_in": ("accepted", None),
        "pre.the_day": ("accepted", None),
        "post.first_hours": (Status.EXPIRED, Reason.TOO_LATE),
    }
    sent = {str(parcel.attempt_id): at for at, parcel in enumerate(world.carrier.parcels)}
    order = sorted((row for row in rows(world).values() if row.attempt_id), key=lambda row: sent[str(row.attempt_id)])
    assert [row.step for row in order] == ["post.first_days", "post.check_in", "pre.the_day"]


@pytest.mark.parametrize("ahead", [timedelta(minutes=2), HOUR, DAY, 400 * DAY], ids=str)
def test_a_worker_whose_clock_is_ahead_sends_nothing_early(world: World, ahead: timedelta) -> None:
    world.plan("pre.tomorrow", world.now + timedelta(minutes=1))
    drain(pump(world, set_by(ahead)), 3)
    assert states(world) == {"pre.tomorrow": ("scheduled", None)}
    assert rows(world)["pre.tomorrow"].due_at == world.now + timedelta(minutes=1)


@pytest.mark.parametrize("ahead", [DAY, 400 * DAY], ids=str)
def test_a_worker_whose_clock_is_ahead_does_not_end_what_is_still_of_use(world: World, ahead: timedelta) -> None:
    world.plan("pre.tomorrow", world.now - timedelta(minutes=1))
    drain(pump(world, set_by(ahead)), 3)
    assert states(world) == {"pre.tomorrow": ("accepted", None)}
    assert rows(world)["pre.tomorrow"].sent_at - datetime.now(UTC) < timedelta(seconds=31)


def test_a_refusal_heard_by_a_worker_a_day_ahead_is_tried_again_today(world: World) -> None:
    world.plan("pre.tomorrow", world.now - timedelta(minutes=1))
    world.carrier = MemoryProvider(outcomes=[Refused(Reason.TRANSIENT, retry=True)])
    drain(pump(world, set_by(DAY)), 3)
    row = rows(world)["pre.tomorrow"]
    assert (row.status, row.due_at - world.now < HOUR) == ("scheduled", True)


def test_a_worker_whose_clock_is_behind_only_sends_later(world: World) -> None:
    world.plan("pre.the_day", world.now - 2 * HOUR)
    world.plan("pre.tomorrow", world.now - timedelta(minutes=1))
    drain(pump(world, set_by(-HOUR)), 3)
    assert states(world) == {"pre.the_day": ("accepted", None), "pre.tomorrow": ("scheduled", None)}
    drain(pump(world, set_by(timedelta(0))), 3)
    assert states(world)["pre.tomorrow"] == ("accepted", None)


def test_a_worker_whose_clock_is_behind_sends_nothing_by_night(world: World) -> None:
    """By its own clock it is still afternoon: only the database knows that the quiet hours began."""
    world.plan("pre.the_day", world.now - 4 * HOUR)
    with world.sessions.begin() as session:
        session.execute(update(Clinic).values(quiet_from=time(11), quiet_to=time(8)))  # it is noon: see `world`
        session.execute(update(Message).values(useful_until=world.now + DAY))
    drain(pump(world, set_by(-2 * HOUR)), 3)
    assert states(world) == {"pre.the_day": ("scheduled", None)}
    with world.sessions.begin() as session:
        session.execute(update(Clinic).values(quiet_from=time(21), quiet_to=time(8)))
        session.execute(update(Message).values(due_at=world.now - 4 * HOUR))
    drain(pump(world, set_by(-2 * HOUR)), 3)
    assert states(world) == {"pre.the_day": ("accepted", None)}


def test_a_worker_whose_clock_is_behind_sends_nothing_too_late(world: World) -> None:
    world.plan("pre.the_day", world.now - 4 * HOUR)
    with world.sessions.begin() as session:
        session.execute(update(Message).values(useful_until=world.now - HOUR))
    drain(pump(world, set_by(-2 * HOUR)), 3)
    assert states(world) == {"pre.the_day": ("scheduled", None)}


def test_a_yes_that_the_web_wrote_by_a_clock_a_little_ahead_counts(world: World) -> None:
    other = world.neighbour(1)
    other.plan("post.check_in", world.now - HOUR)
    with world.sessions.begin() as session:
        session.execute(update(Patient).values(zone=select(Clinic.zone).scalar_subquery()))
        consents.add(session, clinic_id=other.clinic_id, patient_id=other.patient_id, address_id=other.address_id,
                     channel=Channel.SMS, kind=ConsentKind.AGREED, method="sms", actor="patient", warned=True,
                     at=world.now + timedelta(seconds=20), evidence="SM1")  # fmt: skip
    drain(replace(world.pump(), clock=lambda: world.now), 3)
    assert states(world)["post.check_in"] == ("accepted", None)


def test_a_clock_set_back_and_forth_sends_everything_once(world: World) -> None:
    for step, ago in (("pre.the_day", 2 * HOUR), ("pre.tomorrow", timedelta(minutes=1))):
        world.plan(step, world.now - ago)
    for length in (-HOUR, DAY, timedelta(0), -DAY, HOUR):
        drain(pump(world, set_by(length)), 3)
    assert len(world.carrier.parcels) == 2
    assert {state for state, _ in states(world).values()} == {"accepted"}


def test_a_machine_that_slept_between_claim_and_post_does_not_begin(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.plan("pre.tomorrow", world.now - timedelta(minutes=1))
    awake, slept = carry.ticks, []

    def ticks() -> float:
        """The first look after the claim finds that ten hours have passed: only that clock counts them."""
        slept.append(True)
        return awake() + (36_000 if len(slept) == 1 else 0)

    monkeypatch.setattr(carry, "ticks", ticks)
    drain(pump(world, set_by(timedelta(0))), 5)
    assert len(world.carrier.parcels) == 1  # the second attempt, under a lease of its own
    row = rows(world)["pre.tomorrow"]
    assert (row.status, row.attempts) == ("accepted", 2)


def test_a_machine_that_slept_works_by_the_right_time_at_once(engine: Engine, vault: Vault) -> None:
    begun = datetime.now(UTC)
    asleep = timedelta(0)
    keeper = Timekeeper(lambda: begun + asleep, 30.0, running=lambda: 100.0 + asleep.total_seconds())
    with sessionmaker(engine)() as session:
        keeper.compare(session)
    asleep = 10 * HOUR
    assert keeper() == begun + asleep  # the database was not asked again yet


def test_the_databases_clock_is_asked_rarely_and_a_jump_is_cut_between(session: Session) -> None:
    wall, running = datetime.now(UTC), 100.0
    keeper = Timekeeper(lambda: wall, 30.0, running=lambda: running)
    keeper.compare(session)
    wall += DAY
    running += ASK_AFTER / 2
    keeper.compare(session)
    assert keeper() < datetime.now(UTC) + timedelta(seconds=31 + ASK_AFTER)
    wall -= DAY
    assert keeper() == wall


def test_a_rehearsals_clock_is_believed(session: Session) -> None:
    far = datetime.now(UTC) + 90 * DAY
    keeper = Timekeeper(lambda: far, None)
    keeper.compare(session)
    assert keeper() == far
