"""The pump among many: fairness, order, caps, senders and their limits, kill switches, and rows that vanish."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from outreach.actions import carry as carrying
from outreach.actions import dispatch, receive
from outreach.actions import land as landing
from outreach.actions.dispatch import drain
from outreach.actions.move import cancel, move
from outreach.actions.prepare import Handed
from outreach.actions.recover import recover
from outreach.content.compose import Words
from outreach.domain.brakes import Scope
from outreach.domain.caps import Caps
from outreach.domain.channel import Channel
from outreach.domain.message import Accepted, Parcel, Receipt
from outreach.domain.sender import Meter, Sender, choose
from outreach.domain.sequence import Sequence
from outreach.domain.status import Status
from outreach.errors import Reason, Refused, Uncertain
from outreach.providers.memory import MemoryProvider
from outreach.store import alerts, clinics, pauses, senders
from outreach.store.queue import Outcome
from outreach.store.rows import Ask, fetch
from outreach.store.tables import Address, Clinic, Patient
from outreach.store.traffic import Attempt, Event, Flight, Message
from outreach.store.traffic import Sender as SenderRow
from outreach.store.turns import BEGINNING, Ahead, Lane, asking
from outreach.store.vault import Vault
from tests import shipped
from tests.actions.world import NOON, ZONE, World, make_world


@pytest.fixture(scope="module")
def words() -> Words:
    return shipped.words()


@pytest.fixture
def world(engine: Engine, vault: Vault, words: Words) -> World:
    return make_world(engine, vault, words)


def crowd(world: World, count: int, first: int = 0) -> list[World]:
    """So many more patients who agreed, each with a message due now."""
    others = [world.neighbour(first + number) for number in range(count)]
    for other in others:
        other.agree()
        other.plan()
    return others


def second_clinic(world: World) -> World:
    with world.sessions.begin() as session:
        clinic = clinics.add(
            session, slug="oak", name="Oak Clinic", zone="America/Chicago", country="US", locale="en",
            phone="+12025550198", address="1 Oak Street", emergency="911",
        )  # fmt: skip
        senders.add(session, clinic.id, Channel.SMS, "+12025550101", carrier="memory")
        shipped.approve(session, clinic.id, *shipped.SPOKEN)
    return replace(world, clinic_id=clinic.id)


LATER = datetime(2026, 12, 11, 9, 30)
PAST = text("now() - interval '1 second'")

# Fairness and order


def test_a_clinic_with_many_due_messages_does_not_delay_another_clinics_single_one(world: World) -> None:
    crowd(world, 60)
    lone = second_clinic(world).neighbour(500)
    lone.agree()
    lone.plan(due=NOON - timedelta(seconds=1))
    earlier = crowd(world, 20, 100)
    with world.sessions.begin() as session:  # the big clinic was due long before
        session.execute(
            update(Message).where(Message.clinic_id == world.clinic_id).values(due_at=NOON - timedelta(hours=1))
        )
    drain(world.pump(), 20)
    places = [parcel.sender for parcel in world.carrier.parcels]
    assert len(places) == 60 + len(earlier) + 1
    assert places.index("+12025550101") < world.pump().window * 2


@pytest.mark.parametrize("urgent", [False, True], ids=["ordinary", "an answer"])
def test_a_message_that_comes_into_the_middle_of_anothers_backlog_soon_has_its_turn(world: World, urgent: bool) -> None:
    crowd(world, 90)
    lone = second_clinic(world).neighbour(500)
    lone.agree()
    lone.plan()
    with world.sessions.begin() as session:
        session.execute(update(Message).where(Message.clinic_id == world.clinic_id).values(
            due_at=NOON - timedelta(hours=1)))  # fmt: skip
        session.execute(update(Message).where(Message.clinic_id == lone.clinic_id).values(
            due_at=NOON + timedelta(days=1), urgent=urgent))  # fmt: skip
    order: list[str] = []

    async def send(parcel: Parcel) -> Accepted:
        order.append(parcel.sender)
        if len(order) == 20:
            with world.sessions.begin() as session:
                session.execute(update(Message).where(Message.clinic_id == lone.clinic_id).values(due_at=NOON))
        await asyncio.sleep(0.2)  # longer than a claim: more are asked for than find a place
        return Accepted(f"x{len(order)}")

    world.carrier.send = send
    drain(replace(world.pump(), poll=0.01), 30)
    assert len(order) == 91
    assert order.index("+12025550101") < 20 + 4 * world.pump().window


def test_what_is_put_off_while_it_is_being_locked_does_not_go_now(world: World) -> None:
    world.agree()
    world.plan()
    pump, lane = world.pump(), Lane(world.clinic_id, Channel.SMS, False)
    asked = asking([(lane, BEGINNING, 1)], world.now, (), Ahead(None))
    # The message has changed between the statement's snapshot and its lock: only then is a row read again.
    slow = asked.statement.replace("  where q.", "  where (select 1 from pg_sleep(0.6)) = 1 and q.")
    assert slow != asked.statement
    found: list[object] = []

    def claiming() -> None:
        with pump.sessions.begin() as session:
            found.extend(fetch(session, slow, **asked.values))

    claimer = threading.Thread(target=claiming)
    claimer.start()
    with world.sessions() as session:
        while not session.scalar(text("select count(*) from pg_stat_activity where wait_event = 'PgSleep'")):
            session.rollback()
    with world.sessions.begin() as session:
        session.execute(update(Message).values(due_at=world.now + timedelta(hours=3)))
    claimer.join()
    assert found == []


def test_messages_of_one_patient_leave_one_after_another_in_their_order(world: World) -> None:
    world.agree()
    for minutes, step in ((3, "post.first_days"), (2, "post.check_in"), (1, "post.first_hours")):
        world.plan(step, due=NOON - timedelta(minutes=minutes))
    landed: list[str] = []
    flying = 0

    async def slow(parcel: Parcel) -> Accepted:
        nonlocal flying
        flying += 1
        assert flying == 1, "two messages of one patient were in the air at once"
        await asyncio.sleep(0)
        landed.append(parcel.content.text)
        flying -= 1
        return Accepted(f"x{len(landed)}")

    world.carrier.send = slow
    drain(world.pump(), 20)
    told = {one.body: one.step for one in world.seen()}
    assert [told[text] for text in landed] == ["post.first_days", "post.check_in", "post.first_hours"]


def test_a_message_waits_for_an_earlier_one_that_is_being_tried_again(world: World) -> None:
    world.agree()
    world.plan("post.first_hours", due=NOON - timedelta(minutes=2))
    world.plan("post.check_in", due=NOON - timedelta(minutes=1))
    world.carrier = MemoryProvider(outcomes=[Refused(Reason.TRANSIENT, retry=True, code="20429", after=30)])
    drain(world.pump(), 20)
    assert len(world.carrier.parcels) == 1
    world.now += timedelta(minutes=5)
    drain(world.pump(), 20)
    steps = [one.step for one in sorted(world.seen(), key=lambda one: str(one.sent_at))]
    assert len(world.carrier.parcels) == 3
    assert steps == ["post.first_hours", "post.check_in"]


def test_the_same_wake_up_on_two_workers_sends_each_message_once(world: World) -> None:
    """The third race of the well-known systems: a task delivered twice, or a replay that meets a retry."""
    crowd(world, 30)
    workers = [threading.Thread(target=drain, args=(world.pump(), 20)) for _ in range(3)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert sorted(Counter(parcel.to for parcel in world.carrier.parcels).values()) == [1] * 30


# Caps


@given(ago=st.lists(st.integers(0, 9 * 24 * 60), max_size=30), day=st.integers(1, 5), week=st.integers(1, 20))
def test_room_is_when_both_rolling_windows_have_it_and_not_before(ago: list[int], day: int, week: int) -> None:
    sent = [NOON - timedelta(minutes=minutes) for minutes in ago]
    caps = Caps(day, week)

    def fits(at: datetime) -> bool:
        return (
            sum(at - one < timedelta(days=1) for one in sent) < day
            and sum(at - one < timedelta(days=7) for one in sent) < week
        )

    room = caps.room_at(sent, NOON)
    if room is None:
        assert fits(NOON)
    else:
        assert room > NOON
        assert fits(room)
        assert not fits(room - timedelta(microseconds=1))


def test_what_is_over_the_cap_waits_until_the_day_has_room(world: World) -> None:
    world.agree()
    with world.sessions.begin() as session:
        session.execute(update(Clinic).values(most_a_day=2))
    for revision in range(3):
        world.plan(revision=revision, due=NOON - timedelta(minutes=3 - revision))
    with world.sessions.begin() as session:
        session.execute(update(Message).values(useful_until=NOON + timedelta(days=3)))
    drain(world.pump(), 20)
    assert len(world.carrier.parcels) == 2
    waiting = [one for one in world.seen() if one.status is Status.SCHEDULED]
    assert [one.due_at for one in waiting] == [NOON + timedelta(days=1)]


def test_what_is_over_the_cap_and_useless_by_then_is_suppressed_and_says_why(world: World) -> None:
    world.agree()
    with world.sessions.begin() as session:
        session.execute(update(Clinic).values(most_a_day=1))
    for revision in range(2):
        world.plan(revision=revision, due=NOON - timedelta(hours=2 - revision))
    drain(world.pump(), 20)
    assert world.states()[1][1:] == (Status.SUPPRESSED, Reason.FREQUENCY)


def test_caps_hold_when_several_workers_count_at_once(world: World) -> None:
    with world.sessions.begin() as session:
        session.execute(update(Clinic).values(most_a_day=3))
    others = crowd(world, 4)
    for other in others:
        for revision in range(1, 6):
            other.plan(revision=revision)
    workers = [threading.Thread(target=drain, args=(world.pump(), 20)) for _ in range(3)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert sorted(Counter(parcel.to for parcel in world.carrier.parcels).values()) == [3] * 4


# Senders


@settings(deadline=None)  # on a busy machine one example may take any time
@given(units=st.lists(st.integers(1, 5), max_size=60), rate=st.floats(0.5, 50), burst=st.floats(1, 20))
def test_a_meter_never_gives_more_than_burst_and_pace_allow(units: list[int], rate: float, burst: float) -> None:
    sender = Sender(UUID(int=1), UUID(int=2), Channel.SMS, "+1", "c", per_second=rate, burst=burst)
    meter, given_out = Meter(sender, NOON, NOON), 0
    for size in units:
        if not meter.open:
            break
        meter.charge(size)
        given_out += size
    assert given_out <= burst + 5  # the last message is begun whole
    assert meter.opens_at <= NOON + timedelta(seconds=given_out / rate)


@settings(deadline=None)
@given(patients=st.lists(st.uuids(), min_size=200, max_size=200, unique=True))
def test_a_new_sender_takes_patients_only_for_itself(patients: list[UUID]) -> None:
    def sender(number: int, weight: int = 1) -> Sender:
        return Sender(UUID(int=number), UUID(int=9), Channel.SMS, f"+{number}", "c", weight=weight)

    before, after = [sender(1), sender(2)], [sender(1), sender(2), sender(3, weight=2)]
    for patient in patients:
        old, new = choose(before, patient), choose(after, patient)
        assert new == old or (new and new.id == UUID(int=3))


def test_a_sender_carries_no_more_segments_than_its_pace_and_the_rest_waits(world: World) -> None:
    with world.sessions.begin() as session:
        session.execute(update(SenderRow).values(per_second=4, burst=8))
    crowd(world, 20)
    drain(world.pump(), 20)
    first = sum(parcel.content.segments for parcel in world.carrier.parcels)
    assert 8 <= first <= 8 + 4
    world.now += timedelta(seconds=2)
    drain(world.pump(), 20)
    assert sum(parcel.content.segments for parcel in world.carrier.parcels) <= 8 + 2 * 4 + 8
    for _ in range(40):
        world.now += timedelta(seconds=5)
        drain(world.pump(), 20)
    assert len(world.carrier.parcels) == 20


def test_the_pace_of_a_sender_is_shared_by_all_workers(world: World) -> None:
    with world.sessions.begin() as session:
        session.execute(update(SenderRow).values(per_second=1, burst=10))
    crowd(world, 40)
    workers = [threading.Thread(target=drain, args=(world.pump(), 20)) for _ in range(3)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert sum(parcel.content.segments for parcel in world.carrier.parcels) <= 10 + 4


def test_patients_are_shared_among_senders_by_weight_and_each_keeps_theirs(world: World) -> None:
    with world.sessions.begin() as session:
        senders.add(session, world.clinic_id, Channel.SMS, "+12025550109", carrier="memory", weight=3)
    others = crowd(world, 60)
    drain(world.pump(), 20)
    first = {parcel.to: parcel.sender for parcel in world.carrier.parcels}
    assert 30 <= sum(one == "+12025550109" for one in first.values()) <= 57
    for other in others:
        other.plan("post.first_days")
    drain(world.pump(), 20)
    assert all(first[parcel.to] == parcel.sender for parcel in world.carrier.parcels)


def with_second_carrier(world: World) -> tuple[MemoryProvider, object]:
    second = MemoryProvider()
    with world.sessions.begin() as session:
        senders.add(session, world.clinic_id, Channel.SMS, "+12025550110", carrier="second")
    pump = world.pump()
    return second, replace(pump, providers={**pump.providers, "second": second})


def test_what_surely_never_left_goes_by_the_second_carrier(world: World) -> None:
    world.agree()
    world.plan()
    second, pump = with_second_carrier(world)
    down = Refused(Reason.TRANSIENT, retry=True, code="connect")
    world.carrier._outcomes = [down]
    second._outcomes = [down]
    drain(pump, 20)
    before = len(world.carrier.parcels), len(second.parcels)
    assert sum(before) == 1
    world.carrier._outcomes, second._outcomes = [], []
    world.now += timedelta(minutes=5)
    drain(pump, 20)
    assert (len(world.carrier.parcels), len(second.parcels)) == (1, 1)


def test_what_may_have_left_does_not_go_by_the_second_carrier(world: World) -> None:
    world.agree()
    world.plan()
    second, pump = with_second_carrier(world)
    world.carrier._otherwise = second._otherwise = Uncertain()
    drain(pump, 20)
    world.now += timedelta(hours=1)
    drain(pump, 20)
    assert len(world.carrier.parcels) + len(second.parcels) == 1


# Kill switches


@pytest.mark.parametrize(
    ("scope", "key"),
    [
        (Scope.SERVICE, ""), (Scope.CLINIC, ""), (Scope.SENDER, "sender"), (Scope.SEQUENCE, "ketamine-infusion"),
        (Scope.STEP, "post.check_in"), (Scope.LOCALE, "en"),
    ],
    ids=lambda value: str(value),
)  # fmt: skip
def test_what_a_kill_switch_names_is_not_sent_and_goes_when_it_is_lifted(world: World, scope: Scope, key: str) -> None:
    world.agree()
    world.plan()
    with world.sessions.begin() as session:
        if key == "sender":
            key = str(session.scalars(select(SenderRow.id)).one())
        owner = None if scope is Scope.SERVICE else world.clinic_id
        switch = pauses.switch_on(session, owner, scope, key, "a test", "tester", NOON)
    drain(world.pump(), 5)
    assert world.carrier.parcels == []
    held = Reason.PAUSED if scope in (Scope.SEQUENCE, Scope.STEP, Scope.LOCALE) else None  # else the lane rests
    assert world.states() == [("post.check_in", Status.SCHEDULED, held)]
    with world.sessions.begin() as session:
        pauses.lift(session, switch, "tester", NOON)
    drain(world.pump(), 5)
    assert len(world.carrier.parcels) == 1


def test_a_switch_of_one_clinic_does_not_hold_another(world: World) -> None:
    crowd(world, 2)
    other = second_clinic(world).neighbour(300)
    other.agree()
    other.plan()
    with world.sessions.begin() as session:
        pauses.switch_on(session, world.clinic_id, Scope.CLINIC, "", "a test", "tester", NOON)
    drain(world.pump(), 5)
    assert [parcel.sender for parcel in world.carrier.parcels] == ["+12025550101"]


@pytest.mark.parametrize(
    ("scope", "key", "goes"),
    [
        pytest.param(Scope.CLINIC, "", True, id="clinic"),
        pytest.param(Scope.STEP, "reply.urgent", True, id="step"),
        pytest.param(Scope.LOCALE, "en", True, id="locale"),
        pytest.param(Scope.SERVICE, "", False, id="service"),
    ],
)
def test_only_a_pause_of_the_service_or_a_sender_holds_the_answer_to_something_urgent(
    world: World, scope: Scope, key: str, goes: bool
) -> None:
    world.agree()
    world.plan()
    with world.sessions.begin() as session:
        owner = None if scope is Scope.SERVICE else world.clinic_id
        pauses.switch_on(session, owner, scope, key, "a test", "tester", NOON)
        pauses.switch_on(session, owner, Scope.STEP, "post.check_in", "a test", "tester", NOON)
    world.write("I want to kill myself")
    drain(world.pump(), 5)
    assert [parcel.content.text.find("911") > 0 for parcel in world.carrier.parcels] == [True] * goes


def test_an_answer_that_is_not_owed_waits_for_its_clinics_pause(world: World) -> None:
    world.agree()
    with world.sessions.begin() as session:
        switch = pauses.switch_on(session, world.clinic_id, Scope.CLINIC, "", "a test", "tester", NOON)
    world.write("can you tell me something")
    drain(world.pump(), 5)
    assert world.carrier.parcels == []
    with world.sessions.begin() as session:
        pauses.lift(session, switch, "tester", world.now)
    drain(world.pump(), 5)
    assert len(world.carrier.parcels) == 1


@pytest.mark.parametrize("how", ["expired", "no address that works", "refused", "undelivered"])
def test_an_answer_to_something_urgent_that_does_not_go_raises_an_alert(world: World, how: str) -> None:
    if how == "refused":
        world.carrier = MemoryProvider(otherwise=Refused(Reason.UNREACHABLE, retry=False, code="30003"))
    world.agree()
    world.write("I want to kill myself")
    with world.sessions.begin() as session:
        assert alerts.open_alerts(session, world.clinic_id) == []
        if how == "no address that works":
            session.execute(update(Address).values(unusable_at=NOON))
    world.now += timedelta(hours=2) if how == "expired" else timedelta(0)
    drain(world.pump(), 5)
    with world.sessions.begin() as session:
        if how == "undelivered":
            [attempt] = session.scalars(select(Attempt.id))
            receive.apply(
                session, attempt, Receipt("mem-1", "undelivered", Status.UNDELIVERED, reason=Reason.UNREACHABLE), NOON
            )
        kinds = [one.kind for one in alerts.open_alerts(session, world.clinic_id)]
    assert kinds == ["urgent answer did not go"]


def test_a_carrier_that_refuses_our_sender_is_not_asked_for_ever(world: World) -> None:
    world.carrier = MemoryProvider(otherwise=Refused(Reason.CONFIGURATION, retry=True, code="30034"))
    crowd(world, 40)
    drain(world.pump(), 20)
    assert 5 <= len(world.carrier.parcels) <= 5 + 2 * world.pump().window
    with world.sessions.begin() as session:
        held = pauses.listing(session, world.clinic_id, NOON)
        assert [one.scope for one in held] == [Scope.SENDER]
    asked = len(world.carrier.parcels)
    drain(world.pump(), 5)
    assert len(world.carrier.parcels) == asked
    with world.sessions() as session:
        assert set(session.scalars(select(Message.status))) == {"scheduled"}


# Rows that vanish, and faults


def test_a_patient_who_left_between_planning_and_hand_over_hears_nothing(world: World) -> None:
    world.agree()
    world.plan()
    with world.sessions.begin() as session:
        session.execute(update(Patient).values(active=False))
    drain(world.pump(), 5)
    assert world.states() == [("post.check_in", Status.SUPPRESSED, Reason.PATIENT_INACTIVE)]


def test_a_row_whose_template_has_vanished_is_suppressed_and_says_so(world: World) -> None:
    world.agree()
    world.plan()
    with world.sessions.begin() as session:
        session.execute(update(Message).values(step="post.gone"))
    drain(world.pump(), 5)
    assert world.states() == [("post.gone", Status.SUPPRESSED, Reason.WORDS_MISSING)]


def test_a_locked_row_is_left_to_whoever_holds_it(world: World) -> None:
    others = crowd(world, 3)
    with world.sessions() as holder, holder.begin():
        holder.execute(select(Patient.id).where(Patient.id == others[0].patient_id).with_for_update())
        drain(world.pump(), 1)
        assert len(world.carrier.parcels) == 2
    drain(world.pump(), 5)
    assert len(world.carrier.parcels) == 3


def test_a_worker_whose_clock_is_ahead_sends_nothing_early(world: World) -> None:
    world.agree()
    world.plan()  # due in two weeks by the database's clock
    drain(replace(world.pump(), ahead=Ahead(30)), 1)
    assert world.carrier.parcels == []
    assert world.states()[0][1] is Status.SCHEDULED


def test_a_machine_that_slept_past_its_lease_begins_nothing_under_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.agree()
    world.plan()
    real, slept = carrying.ticks, 0.0
    fly = dispatch._Shift._fly

    async def sleeping(self: dispatch._Shift, handed: Handed) -> None:
        nonlocal slept
        slept += 3600
        monkeypatch.setattr(dispatch._Shift, "_fly", fly)  # it sleeps once
        await fly(self, handed)

    monkeypatch.setattr(dispatch._Shift, "_fly", sleeping)
    for place in ("carry", "claim", "dispatch"):
        monkeypatch.setattr(f"outreach.actions.{place}.ticks", lambda: real() + slept)
    drain(world.pump(), 10)
    with world.sessions() as session:
        words = session.scalars(select(Event.word).where(Event.source == "us").order_by(Event.id)).all()
        assert list(words) == ["not begun", "accepted"]
        assert len(session.scalars(select(Attempt)).all()) == 2
    assert len(world.carrier.parcels) == 1


def test_an_outcome_that_cannot_be_written_does_not_take_the_others_with_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = crowd(world, 4)
    record = landing.record
    poisoned = others[1].patient_id

    def recording(session: Session, outcomes: list[Outcome], *beside: Ask) -> object:
        ids = [one.message_id for one in outcomes]
        if poisoned in set(session.scalars(select(Message.patient_id).where(Message.id.in_(ids)))):
            raise ValueError("poison")
        return record(session, outcomes, *beside)

    monkeypatch.setattr(landing, "record", recording)
    drain(world.pump(), 5)
    with world.sessions() as session:
        counts = Counter(session.scalars(select(Message.status)))
    assert counts == {"accepted": 3, "sending": 1}
    monkeypatch.undo()
    with world.sessions.begin() as session:
        session.execute(update(Message).where(Message.status == "sending").values(lease_until=PAST))
        session.execute(update(Flight).values(lease_until=PAST))
    recover(world.sessions, {"memory": world.carrier}, lambda: world.now, hold=timedelta(0))
    assert len(world.carrier.parcels) == 4


def test_stopping_lands_what_flies_and_begins_nothing_new(world: World) -> None:
    crowd(world, 30)
    stop = threading.Event()
    sent = world.carrier.send

    async def sending(parcel: Parcel) -> Accepted:
        stop.set()
        await asyncio.sleep(0.05)
        return await sent(parcel)

    world.carrier.send = sending
    drain(world.pump(), 20, linger=True, stop=stop)
    with world.sessions() as session:
        counts = Counter(session.scalars(select(Message.status)))
    assert counts["sending"] == 0
    assert counts["accepted"] == len(world.carrier.parcels) == world.pump().window


# Found by review


def refused_while(world: World, change: Callable[[Session], object]) -> None:
    """The first hand-over meets a change of the visit in the air, and is then surely refused."""
    sent, first = world.carrier.send, [True]

    async def sending(parcel: Parcel) -> Accepted:
        if first:
            first.clear()

            def changing() -> None:
                with world.sessions.begin() as session:
                    change(session)

            await asyncio.to_thread(changing)
            raise Refused(Reason.TRANSIENT, retry=True, code="20429", after=5)
        return await sent(parcel)

    world.carrier.send = sending
    for wait in (timedelta(0), timedelta(minutes=5), *[timedelta(hours=12)] * 8):
        world.now += wait
        drain(world.pump(), 5)


def test_a_reminder_refused_while_its_visit_moved_goes_once_and_for_the_new_time(
    world: World, sequence: Sequence
) -> None:
    world.agree()
    world.plan("pre.the_day")
    refused_while(world, lambda session: move(session, world.infusion_id, LATER, ZONE, sequence, world.now))
    reminders = [one for one in world.seen() if one.step == "pre.the_day"]
    assert sorted(one.status for one in reminders) == [Status.ACCEPTED, Status.CANCELLED]


def test_what_was_refused_while_its_visit_was_cancelled_is_not_sent_again(world: World, sequence: Sequence) -> None:
    world.agree()
    world.plan("post.check_in")
    refused_while(world, lambda session: cancel(session, world.infusion_id, sequence, world.now))
    gone = [one for one in world.seen() if one.step == "post.check_in"]
    assert [(one.status, one.reason) for one in gone] == [(Status.CANCELLED, Reason.SUPERSEDED)]


def test_one_row_with_a_zone_that_is_gone_does_not_stop_the_others(world: World) -> None:
    others = crowd(world, 5)
    with world.sessions.begin() as session:
        session.execute(update(Patient).where(Patient.id == others[0].patient_id).values(zone="Gone/Zone"))
    drain(world.pump(), 5)
    assert len(world.carrier.parcels) == 4


def test_help_does_not_wait_behind_a_reminder_that_is_tried_again(world: World) -> None:
    world.agree()
    world.plan()
    world.carrier = MemoryProvider(outcomes=[Refused(Reason.TRANSIENT, retry=True, code="20429", after=3000)])
    drain(world.pump(), 5)
    world.now += timedelta(seconds=30)
    world.write("HELP")
    drain(world.pump(), 5)
    assert [one.status for one in world.seen() if one.step == "reply.help"] == [Status.ACCEPTED]


def test_a_drain_ends_also_when_the_clock_fails_in_the_air(world: World) -> None:
    crowd(world, 3)
    broken = threading.Event()

    def clock() -> datetime:
        if broken.is_set():
            raise OperationalError("select", None, Exception("away"))
        return world.now

    async def breaking(parcel: Parcel) -> Accepted:
        broken.set()
        return Accepted("x")

    world.carrier.send = breaking
    with pytest.raises(OperationalError):
        drain(replace(world.pump(), clock=clock), 20)
