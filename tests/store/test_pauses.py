"""Kill switches: read in one look, once each, and lifted without losing or hurrying anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.domain.brakes import Pauses, Scope
from outreach.domain.channel import Channel
from outreach.errors import NotFound
from outreach.store import pauses, senders
from outreach.store.brakes import Pause
from outreach.store.stuck import stuck
from outreach.store.tables import Clinic
from outreach.store.traffic import Message
from tests.store.stock import DAY, NOW, Stock

Make = Callable[..., Clinic]


def on(session: Session, clinic: Clinic, scope: Scope = Scope.CLINIC, key: str = "", **more: object) -> UUID:
    clinic_id = None if scope is Scope.SERVICE else clinic.id
    return pauses.switch_on(session, clinic_id, scope, key, "why", "test", NOW, **more)  # type: ignore[arg-type]


def active(session: Session, *clinics: Clinic, at: timedelta = timedelta(0)) -> Pauses:
    return pauses.active(session, [clinic.id for clinic in clinics], NOW + at)


def test_nothing_is_held_where_nothing_is_on(session: Session, clinic: Make) -> None:
    here = clinic()
    assert active(session, here) == Pauses()
    assert not Pauses().clinic_held(here.id)
    assert not Pauses().message_held(here.id, "s", "step", "en")


def test_a_clinics_switch_holds_that_clinic_and_no_other(session: Session, clinic: Make) -> None:
    here, there = clinic("a"), clinic("b")
    on(session, here)
    now = active(session, here, there)
    assert (now.clinic_held(here.id), now.clinic_held(there.id)) == (True, False)


def test_the_services_switch_holds_every_clinic(session: Session, clinic: Make) -> None:
    here, there = clinic("a"), clinic("b")
    on(session, here, Scope.SERVICE)
    assert active(session, there).clinic_held(there.id)


@pytest.mark.parametrize(
    ("scope", "key"), [(Scope.SEQUENCE, "care"), (Scope.STEP, "pre.tomorrow"), (Scope.LOCALE, "es")]
)
@pytest.mark.parametrize("everywhere", [False, True], ids=["one clinic", "every clinic"])
def test_a_part_is_held_and_the_rest_is_not(
    session: Session, clinic: Make, scope: Scope, key: str, everywhere: bool
) -> None:
    here = clinic()
    pauses.switch_on(session, None if everywhere else here.id, scope, key, "why", "test", NOW)
    now = active(session, here)
    assert now.message_held(here.id, "care", "pre.tomorrow", "es")
    assert not now.message_held(here.id, "other", "pre.the_day", "en")
    assert not now.message_held(here.id, None, "pre.the_day", "en")
    assert not now.clinic_held(here.id)
    assert now.message_held(uuid4(), "care", "pre.tomorrow", "es") is everywhere


def test_a_switch_ends_at_its_time_and_wakes_what_waited(session: Session, clinic: Make, stock: Stock) -> None:
    here = stock.clinic
    on(session, here, until=NOW + DAY)
    message_id = stock.planned()
    stock.set(message_id, reason="paused", due_at=NOW + timedelta(minutes=10))
    assert active(session, here).clinic_held(here.id)
    assert not active(session, here, at=DAY).clinic_held(here.id)
    assert pauses.end_lapsed(session, NOW) == 0
    assert pauses.end_lapsed(session, NOW + DAY) == 1
    row = session.execute(select(Message.reason, Message.due_at).where(Message.id == message_id)).one()
    assert (row.reason, row.due_at) == (None, NOW + DAY)


def test_putting_it_on_twice_is_one_switch_that_lasts_the_longer(session: Session, clinic: Make) -> None:
    here = clinic()
    first = on(session, here, until=NOW + 2 * DAY)
    assert on(session, here, until=NOW + DAY) == first
    assert active(session, here, at=DAY).clinic_held(here.id)
    assert on(session, here) == first
    assert active(session, here, at=400 * DAY).clinic_held(here.id)
    assert on(session, here, until=NOW + DAY) == first
    assert active(session, here, at=400 * DAY).clinic_held(here.id)


def test_after_its_time_it_can_be_put_on_anew(session: Session, clinic: Make) -> None:
    here = clinic()
    first = on(session, here, until=NOW - DAY)
    assert on(session, here) != first
    assert active(session, here).clinic_held(here.id)


def test_lifting_twice_or_by_another_clinic_is_refused(session: Session, clinic: Make) -> None:
    here, there = clinic("a"), clinic("b")
    made = on(session, here)
    with pytest.raises(NotFound):
        pauses.lift(session, made, "test", NOW, there.id)
    pauses.lift(session, made, "test", NOW, here.id)
    with pytest.raises(NotFound):
        pauses.lift(session, made, "test", NOW)
    assert session.scalars(select(Pause.lifted_by)).all() == ["test"]


def test_lifting_wakes_what_waited_here_and_is_useful_and_nothing_else(
    session: Session, clinic: Make, person: Callable[..., UUID], stock: Stock
) -> None:
    there = clinic("b")
    theirs = Stock(session, there, person(there.id))
    soon = NOW + timedelta(minutes=10)
    waits, late, not_yet, elsewhere, retried = (
        stock.planned(), stock.planned(), stock.planned(NOW + DAY), theirs.planned(), stock.planned(),
    )  # fmt: skip
    for one in (waits, late, elsewhere):
        stock.set(one, reason="paused", due_at=soon)
    stock.set(late, useful_until=NOW)
    stock.set(retried, reason="transient", due_at=soon)
    assert pauses.lift(session, on(session, stock.clinic), "test", NOW) == 1
    found = session.execute(select(Message.id, Message.due_at, Message.reason))
    rows = {row.id: (row.due_at, row.reason) for row in found}
    assert rows == {
        waits: (NOW, None), late: (soon, "paused"), not_yet: (NOW + DAY, None), elsewhere: (soon, "paused"),
        retried: (soon, "transient"),
    }  # fmt: skip


def test_who_waits_for_which_switch_is_counted(session: Session, stock: Stock) -> None:
    for _ in range(3):
        stock.set(stock.planned(), reason="paused", step="pre.tomorrow", due_at=NOW + timedelta(minutes=10))
    stock.set(stock.planned(), reason="paused", step="pre.the_day")
    stock.planned()
    stock.planned(NOW + DAY)
    sender = senders.add(session, stock.clinic_id, Channel.SMS, "+12025550100")
    mails = senders.add(session, stock.clinic_id, Channel.EMAIL, "care@clinic.example")
    for scope, key in ((Scope.CLINIC, ""), (Scope.STEP, "pre.tomorrow"), (Scope.LOCALE, "es"), (Scope.LOCALE, "en"),
                       (Scope.SEQUENCE, "care"), (Scope.SENDER, str(sender)), (Scope.SENDER, str(mails))):  # fmt: skip
        on(session, stock.clinic, scope, key)
    counted = {
        (one.scope, one.key): pauses.waiting(session, one, stock.clinic_id, NOW)
        for one in pauses.listing(session, stock.clinic_id, NOW)
    }
    assert counted == {
        (Scope.CLINIC, ""): 5, (Scope.STEP, "pre.tomorrow"): 3, (Scope.LOCALE, "es"): 0, (Scope.LOCALE, "en"): 4,
        (Scope.SEQUENCE, "care"): 0, (Scope.SENDER, str(sender)): 5, (Scope.SENDER, str(mails)): 0,
    }  # fmt: skip


def test_what_is_paused_is_lost_to_no_balance_and_not_stuck(session: Session, stock: Stock) -> None:
    message_id = stock.planned(NOW - timedelta(hours=2))
    pause_id = on(session, stock.clinic)
    assert stuck(session, [stock.clinic_id], NOW) == []
    stock.set(message_id, reason="paused")
    assert stuck(session, [stock.clinic_id], NOW) == []
    assert stock.faults(whole=True) == []
    pauses.lift(session, pause_id, "test", NOW)
    stock.set(message_id, due_at=NOW - timedelta(hours=2))
    assert stuck(session, [stock.clinic_id], NOW + timedelta(minutes=14)) == []  # just let go: it has yet to be drained
    late = stuck(session, [stock.clinic_id], NOW + timedelta(minutes=16))
    assert [one.message_id for one in late] == [message_id]


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.EMAIL])
def test_what_waits_for_a_paused_sender_of_its_channel_is_not_stuck(
    session: Session, stock: Stock, channel: Channel
) -> None:
    stock.planned(NOW - timedelta(hours=2))
    sender = senders.add(session, stock.clinic_id, channel, "a sender")
    on(session, stock.clinic, Scope.SENDER, str(sender))
    assert len(stuck(session, [stock.clinic_id], NOW)) == (0 if channel is Channel.SMS else 1)


@pytest.mark.parametrize(("busy", "many"), [(True, 0), (False, 1)], ids=["at work", "idle"])
def test_what_waits_behind_a_senders_limit_is_not_stuck_while_it_works(
    session: Session, stock: Stock, busy: bool, many: int
) -> None:
    stock.planned(NOW - timedelta(hours=2))
    sender = senders.add(session, stock.clinic_id, Channel.SMS, "+12025550100", per_second=1)
    senders.charge(session, {sender: NOW if busy else NOW - DAY})
    assert len(stuck(session, [stock.clinic_id], NOW)) == many
