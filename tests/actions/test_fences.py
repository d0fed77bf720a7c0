"""What is looked at last before a message leaves, and what an older attempt may still change afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NoReturn

import pytest
from sqlalchemy import Engine, select, text, update

from outreach.actions import carry, dispatch, withdraw
from outreach.actions.books import Claimer
from outreach.actions.dispatch import drain
from outreach.actions.prepare import Handed
from outreach.actions.receive import apply
from outreach.domain.brakes import Scope
from outreach.domain.message import Parcel, Receipt
from outreach.domain.status import Status
from outreach.errors import Reason, Refused, Uncertain
from outreach.providers.base import LATE, ticks
from outreach.providers.memory import MemoryProvider
from outreach.store import doubts, pauses
from outreach.store.balance import Span, weigh
from outreach.store.queue import Outcome, record
from outreach.store.tables import Clinic
from outreach.store.traffic import Message
from outreach.store.vault import Vault
from tests import shipped
from tests.actions.world import NOON, World, make_world


@pytest.fixture
def world(engine: Engine, vault: Vault) -> World:
    made = make_world(engine, vault, shipped.words())
    made.agree()
    return made


def row(world: World) -> Message:
    with world.sessions() as session:
        return session.scalars(select(Message).where(Message.step == "post.check_in")).one()


def in_doubt_and_sent_again(world: World) -> Message:
    """A message whose answer was lost; a person has decided that it goes again. As it was before."""
    world.plan()
    world.carrier = MemoryProvider(outcomes=[Uncertain("no answer")])
    drain(world.pump(), 3)
    before = row(world)
    with world.sessions.begin() as session:
        assert doubts.turn(session, before.id, before.attempt_id, Status.UNKNOWN, Status.SCHEDULED, world.now,
                           source="staff", word="send again")  # fmt: skip
    return before


@pytest.mark.parametrize(("slept", "begun"), [(28.5, True), (29.5, False)])
def test_nothing_is_begun_less_than_a_time_out_before_its_lease_ends(
    world: World, monkeypatch: pytest.MonkeyPatch, slept: float, begun: bool
) -> None:
    """A lease of 30 seconds, a time-out of 1."""
    monkeypatch.setattr(dispatch, "FRESH", 60.0)
    assert _sent_after_sleeping(world, monkeypatch, slept) is begun


@pytest.mark.parametrize(("slept", "begun"), [(4.0, True), (6.0, False)])
def test_nothing_is_begun_long_after_the_last_look_for_a_stop(
    world: World, monkeypatch: pytest.MonkeyPatch, slept: float, begun: bool
) -> None:
    assert _sent_after_sleeping(world, monkeypatch, slept) is begun


def _sent_after_sleeping(world: World, monkeypatch: pytest.MonkeyPatch, slept: float) -> bool:
    """Whether the first attempt leaves though so many seconds passed before it."""
    world.plan()
    looks: list[bool] = []

    def later() -> float:
        looks.append(True)
        return ticks() + (slept if len(looks) == 1 else 0)

    monkeypatch.setattr(carry, "ticks", later)
    sent: list[int] = []

    async def send(_parcel: Parcel) -> NoReturn:
        sent.append(len(looks))
        raise Uncertain("no answer")

    world.carrier.send = send  # type: ignore[method-assign]
    drain(world.pump(), 3)
    return sent[0] == 1


def test_a_stop_heard_while_the_worker_was_frozen_keeps_it_here(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.plan()
    real, frozen = Claimer.last_look, [0.0]
    monkeypatch.setattr(carry, "ticks", lambda: ticks() + frozen[0])

    def look(self: Claimer, handed: Sequence[Handed]) -> dict[int, Outcome]:
        kept = real(self, handed)
        if not frozen[0]:
            frozen[0] = 20.0
            with world.sessions.begin() as session:
                withdraw.stop(session, world.address_id, method="sms", evidence="SM9", now=world.now)
        return kept

    monkeypatch.setattr(Claimer, "last_look", look)
    drain(world.pump(), 3)
    assert (row(world).status, row(world).reason) == ("suppressed", Reason.OPTED_OUT)


def test_a_late_record_of_an_older_attempt_does_not_touch_the_newer_one(world: World) -> None:
    old = in_doubt_and_sent_again(world)
    world.carrier = MemoryProvider(outcomes=[Uncertain("no answer")])
    drain(world.pump(), 3)  # the second attempt is in doubt now
    assert old.attempt_id is not None
    late = Outcome(old.id, old.clinic_id, old.attempt_id, Status.SCHEDULED, "refused", world.now, due_at=world.now)
    with world.sessions.begin() as session:
        assert record(session, [late])[0] == set()
    assert row(world).status == "unknown", "else it would leave a third time"


@pytest.mark.parametrize("in_the_air", [False, True])
def test_the_failure_of_an_older_attempt_does_not_end_what_was_sent_again(world: World, in_the_air: bool) -> None:
    old = in_doubt_and_sent_again(world)
    if in_the_air:
        drain(world.pump(), 3)
    assert old.attempt_id is not None
    failed = Receipt("SM9", "undelivered", Status.UNDELIVERED, reason=Reason.UNREACHABLE, code="30003")
    with world.sessions.begin() as session:
        apply(session, old.attempt_id, failed, world.now)
    drain(world.pump(), 3)
    assert len(world.carrier.parcels) == 2
    now = row(world)
    assert now.attempt_id not in (None, old.attempt_id)
    with world.sessions.begin() as session:
        kinds = {one.kind for one in weigh(session, [Span(world.clinic_id)]).faults}
        assert kinds <= {"doubled"}, "the carrier took both, and the books say that and nothing else"
        apply(session, now.attempt_id, Receipt("SM10", "delivered", Status.DELIVERED), world.now)
        assert {one.kind for one in weigh(session, [Span(world.clinic_id)]).faults} == {"doubled"}
    assert row(world).status == "delivered"


def test_what_was_never_begun_has_cost_no_try(world: World) -> None:
    """Five times too late for its connection, and then refused for the first time: that is no reason to give up."""
    world.plan()
    calls: list[bool] = []

    async def send(_parcel: Parcel) -> NoReturn:
        calls.append(True)
        raise Refused(Reason.TRANSIENT, retry=True, code=LATE if len(calls) <= 5 else "20429")

    world.carrier.send = send  # type: ignore[method-assign]
    while len(calls) < 6 and world.now < NOON + timedelta(hours=1):
        drain(world.pump(), 3)
        world.now += timedelta(minutes=5)
    assert len(calls) == 6
    assert (row(world).status, row(world).reason) == ("scheduled", Reason.TRANSIENT)


def test_a_carrier_that_refuses_again_and_again_is_given_up(world: World) -> None:
    world.plan()

    async def send(_parcel: Parcel) -> NoReturn:
        raise Refused(Reason.TRANSIENT, retry=True, code="20429")

    world.carrier.send = send  # type: ignore[method-assign]
    for _ in range(6):
        drain(world.pump(), 3)
        world.now += timedelta(minutes=61)
    assert (row(world).status, row(world).reason, row(world).attempts) == ("failed", Reason.RETRIES_SPENT, 6)


def test_what_was_sent_late_counts_for_the_week_in_which_it_was_sent(world: World) -> None:
    longest = max(
        step.useful_until.later or timedelta(0) for step in shipped.sequence().steps if step.useful_until.later
    )
    assert longest <= timedelta(days=14), "store/due.py looks 22 days back: eight, and as long as a step is useful"
    with world.sessions.begin() as session:
        session.execute(update(Clinic).values(most_a_day=1, most_a_week=1))
    world.plan()
    with world.sessions.begin() as session:
        session.execute(update(Message).values(useful_until=NOON + timedelta(days=14)))
    world.now = NOON + timedelta(days=10)  # so long it was held back
    drain(world.pump(), 3)
    assert len(world.carrier.parcels) == 1
    world.now = NOON + timedelta(days=15)
    world.plan(revision=1)
    drain(world.pump(), 3)
    assert len(world.carrier.parcels) == 1, "one a week"


def test_a_paused_step_that_was_refused_before_does_not_hold_the_next_one(world: World) -> None:
    world.plan(due=NOON - timedelta(minutes=10))
    world.carrier = MemoryProvider(outcomes=[Refused(Reason.TRANSIENT, retry=True, code="20429", after=5)])
    drain(world.pump(), 3)
    with world.sessions.begin() as session:
        pauses.switch_on(session, world.clinic_id, Scope.STEP, "post.check_in", "content_refused", "breaker", world.now)
    world.now += timedelta(minutes=5)
    drain(world.pump(), 3)
    world.plan("pre.tomorrow", due=world.now)
    drain(world.pump(), 3)
    assert [(one.step, one.status) for one in world.seen()] == [
        ("pre.tomorrow", Status.ACCEPTED), ("post.check_in", Status.SCHEDULED)
    ]  # fmt: skip


def test_a_later_message_waits_for_an_earlier_one_that_another_worker_holds(world: World) -> None:
    world.plan(due=NOON - timedelta(minutes=30))
    world.plan("pre.tomorrow", due=NOON - timedelta(minutes=20))
    with world.sessions.begin() as session:
        session.execute(text("select id from message where step = 'post.check_in' for update"))
        drain(world.pump(), 1)
        assert not world.carrier.parcels, "it overtook"
    drain(world.pump(), 3)
    drain(world.pump(), 3)
    assert len(world.carrier.parcels) == 2
