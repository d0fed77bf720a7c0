"""The queue beside the messages: kept by triggers whoever writes, emptied by claims, mended where it was passed by."""

from __future__ import annotations

import random
import re
from datetime import timedelta

from sqlalchemy import Engine, delete, select, text, update
from sqlalchemy.orm import Session

from outreach.actions.claim import claim
from outreach.actions.claimed import Claim
from outreach.actions.dispatch import drain
from outreach.actions.watch import watch
from outreach.domain.channel import Channel
from outreach.domain.status import ENDS as OVER
from outreach.domain.status import Status
from outreach.store.traffic import OPEN, Message, Queued
from outreach.store.turns import BEGINNING, Ahead, Lane, Wanted
from outreach.store.vault import Vault
from tests import shipped
from tests.actions.world import World, make_world
from tests.store.stock import DAY, NOW, Stock

ENDS = [status.value for status in Status if status not in (Status.SCHEDULED, Status.SENDING)]


def queued(session: Session) -> set[tuple[object, ...]]:
    of = (Queued.message_id, Queued.clinic_id, Queued.patient_id, Queued.channel, Queued.urgent, Queued.due_at)
    return {tuple(row) for row in session.execute(select(*of))}


def scheduled(session: Session) -> set[tuple[object, ...]]:
    of = (Message.id, Message.clinic_id, Message.patient_id, Message.channel, Message.urgent, Message.due_at)
    return {tuple(row) for row in session.execute(select(*of).where(Message.status == "scheduled"))}


def test_what_is_scheduled_is_queued_and_nothing_else_whatever_is_written(stock: Stock) -> None:
    draw, session = random.Random(7), stock.session
    ids = [stock.planned(NOW + timedelta(hours=number)) for number in range(6)]
    for _ in range(120):
        one = draw.choice(ids)
        what = draw.choice(("end", "again", "move", "urgent", "gone", "more", "nothing"))
        if what == "end":
            stock.set(one, status=draw.choice(ENDS))
        elif what == "again":
            stock.set(one, status="scheduled", due_at=NOW + timedelta(minutes=draw.randrange(900)))
        elif what == "move":
            stock.set(one, due_at=NOW + timedelta(minutes=draw.randrange(900)))
        elif what == "urgent":
            stock.set(one, urgent=draw.random() < 0.5)
        elif what == "more":
            ids.append(stock.planned(NOW + DAY))
        elif what == "gone" and len(ids) > 3:
            ids.remove(one)
            session.execute(delete(Message).where(Message.id == one))
        else:
            stock.set(one, reason="paused")
        assert queued(session) == scheduled(session), what
    assert queued(session), "or nothing is proved"


def test_a_message_is_open_by_the_index_until_it_has_ended() -> None:
    """The index names the statuses in SQL: one that it does not know would be neither mended nor asked about."""
    named = set(re.findall(r"'(\w+)'", OPEN))
    assert named == {status.value for status in Status} - {end.value for end in OVER}


def crowd(engine: Engine, vault: Vault, count: int) -> World:
    world = make_world(engine, vault, shipped.words())
    for one in (world, *[world.neighbour(number) for number in range(count - 1)]):
        one.agree()
        one.plan()
    return world


def claimed(session: Session, world: World, wanted: Wanted, places: int) -> Claim:
    return claim(session, world.pump().sources(), wanted, world.now, lease=30, timeout=1, ahead=Ahead(None),
                 places=lambda _: places)  # fmt: skip


def test_what_was_lost_from_the_queue_goes_back_into_it_and_out(engine: Engine, vault: Vault) -> None:
    world = crowd(engine, vault, 2)
    with world.sessions.begin() as session:
        session.execute(text("truncate queued"))
    world.now += timedelta(minutes=2)
    drain(world.pump(), 2)
    assert world.carrier.parcels == []
    with world.sessions.begin() as session:
        session.execute(
            text(
                "insert into queued select gen_random_uuid(), clinic_id, patient_id, channel, urgent, due_at"
                " from message"
            )
        )  # rows that are gone
        watch(session, world.now)
        assert queued(session) == scheduled(session)
    drain(world.pump(), 5)
    assert len(world.carrier.parcels) == 2
    with world.sessions() as session:
        assert queued(session) == set(), "what a claim begins is taken out by it"


def test_a_claim_takes_no_more_than_find_a_place_and_leaves_the_rest_to_the_next(engine: Engine, vault: Vault) -> None:
    world = crowd(engine, vault, 5)
    with world.sessions.begin() as session:
        lane = Lane(world.clinic_id, Channel.SMS, False)
        found = claimed(session, world, [(lane, BEGINNING, 5)], 2)
    assert len(found.handed) == 2
    assert lane in found.more
    with world.sessions() as session:
        begun = session.scalars(select(Message.id).where(Message.status == "sending")).all()
        assert {one.due.message.id for one in found.handed} == set(begun)
        assert len(queued(session)) == 3
        assert found.marks[lane] < world.now, "the mark does not pass what was left"


def test_where_places_run_out_answers_come_first_and_then_the_first_of_each_lane(engine: Engine, vault: Vault) -> None:
    world = crowd(engine, vault, 6)
    with world.sessions.begin() as session:
        ids = session.scalars(select(Message.id).order_by(Message.id)).all()
        for number, one in enumerate(ids):  # the last one is an answer, and due last
            session.execute(update(Message).where(Message.id == one).values(
                due_at=world.now - timedelta(minutes=9 - number), urgent=number == 5))  # fmt: skip
    with world.sessions.begin() as session:
        wanted = [(Lane(world.clinic_id, Channel.SMS, urgent), BEGINNING, 5) for urgent in (False, True)]
        found = claimed(session, world, wanted, 2)
    assert [one.due.message.id for one in found.handed] == [ids[5], ids[0]]
