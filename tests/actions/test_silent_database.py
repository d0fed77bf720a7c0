"""A database that says no more, while its connections look alive: nothing hangs, is lost, or goes twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import sessionmaker

from outreach.actions import books
from outreach.actions import claim as claims
from outreach.actions.dispatch import Pump, drain
from outreach.actions.recover import recover
from outreach.domain.message import Accepted, Parcel
from outreach.domain.status import Status
from outreach.store.balance import Span, weigh
from outreach.store.traffic import Event, Flight, Message
from outreach.store.vault import Vault
from tests import shipped
from tests.actions.world import World, make_world
from tests.store.silent import Way, in_time, way

OVER = text("now() - interval '1 second'")


@pytest.fixture
def world(engine: Engine, vault: Vault) -> World:
    world = make_world(engine, vault, shipped.words())
    world.agree()
    world.plan()
    return world


@pytest.fixture
def silent(engine: Engine) -> Iterator[Way]:
    with way(engine) as made:
        yield made


def pump(world: World, by: Way) -> Pump:
    """Its hands give a silent database up after a quarter of a second."""
    sessions = sessionmaker(by.engine, info=world.sessions.kw["info"], expire_on_commit=False)
    return replace(world.pump(), sessions=sessions, timeout=0.2, lease=0.5)


def balanced(world: World) -> bool:
    with world.sessions() as session:
        return weigh(session, [Span(world.clinic_id, None, None)], True).holds


@pytest.mark.parametrize("directions", [("asks", "answers"), ("answers",)], ids=["not heard", "heard and not answered"])
def test_what_a_carrier_took_is_written_down_over_another_connection(
    world: World, silent: Way, monkeypatch: pytest.MonkeyPatch, directions: tuple[str, ...]
) -> None:
    monkeypatch.setattr(books, "rest", lambda seconds: None)
    taking = world.carrier.send

    async def send(parcel: Parcel) -> Accepted:
        silent.hush(*directions)
        return await taking(parcel)

    monkeypatch.setattr(world.carrier, "send", send)
    in_time(lambda: drain(pump(world, silent), 5))
    assert [status for _, status, _ in world.states()] == [Status.ACCEPTED]
    assert len(world.carrier.parcels) == 1
    assert balanced(world)


def test_a_claim_whose_commit_was_not_answered_is_in_doubt_and_never_sent_again(
    world: World, silent: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    claiming = claims.claim

    def claim(*given: Any, **more: Any) -> Any:
        found = claiming(*given, **more)
        silent.hush("answers")
        return found

    monkeypatch.setattr(books, "claim", claim)
    assert isinstance(in_time(lambda: drain(pump(world, silent), 5)), OperationalError)
    monkeypatch.undo()
    with world.sessions.begin() as session:
        assert session.scalars(select(Message.status)).one() == Status.SENDING, "the commit was heard"
        session.execute(update(Message).values(lease_until=OVER))
        session.execute(update(Flight).values(lease_until=OVER))
    drain(world.pump(), 5)
    recover(world.sessions, {"memory": world.carrier}, lambda: world.now, hold=timedelta(hours=1))
    drain(world.pump(), 5)
    assert [status for _, status, _ in world.states()] == [Status.UNKNOWN]
    assert world.carrier.parcels == [], "it never left, but nobody knows that"
    with world.sessions() as session:
        assert session.scalars(select(Event.word).order_by(Event.id)).all() == ["planned", "lease over"]
    assert balanced(world)
