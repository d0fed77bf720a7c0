"""A STOP between the claim and the hand-over: what has not begun does not leave."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import OperationalError

from outreach.actions import approve, books, withdraw
from outreach.actions.dispatch import drain
from outreach.domain.status import Status
from outreach.errors import Reason
from outreach.store import consents
from outreach.store.arrays import Ids
from outreach.store.reports import balance
from outreach.store.rows import fetch
from outreach.store.traffic import Event, Message
from outreach.store.vault import Vault
from tests import shipped
from tests.actions.world import World, make_world


@pytest.fixture
def world(engine: Engine, vault: Vault) -> World:
    return make_world(engine, vault, shipped.words())


def after_each_claim(monkeypatch: pytest.MonkeyPatch, happens) -> None:
    """Between the commit of a claim that took something and the hand-over, as another process would."""
    real = books.Claimer.claim

    def claim(self: books.Claimer, room):
        found = real(self, room)
        if found.handed:
            happens()
        return found

    monkeypatch.setattr(books.Claimer, "claim", claim)


def test_a_stop_after_the_claim_keeps_the_message_here(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    other = world.neighbour(1)
    for one in (world, other):
        one.agree()
        one.plan()
    after_each_claim(monkeypatch, lambda: world.write("STOP"))
    world.now += timedelta(seconds=1)
    drain(world.pump(), 5)
    states = {step: (status, reason) for step, status, reason in world.states()}
    assert states["post.check_in"] == (Status.SUPPRESSED, Reason.OPTED_OUT)
    assert states["reply.stopped"] == (Status.ACCEPTED, None)  # its confirmation goes all the same
    assert other.states() == [("post.check_in", Status.ACCEPTED, None)]
    assert len(world.carrier.parcels) == 2
    with world.sessions() as session:
        mine = select(Message.id).where(Message.address_id == world.address_id, Message.step == "post.check_in")
        words = list(session.execute(select(Event.word, Event.status, Event.reason).where(Event.message_id.in_(mine))))
        assert ("not begun", "suppressed", "opted_out") in [tuple(row) for row in words]
        assert balance(session).holds


def test_a_stop_undone_before_the_claim_holds_nothing_back(world: World) -> None:
    world.agree()
    world.write("STOP")
    world.now += timedelta(seconds=1)
    world.write("START")
    world.now += timedelta(seconds=1)
    world.plan()
    drain(world.pump(), 5)
    assert ("post.check_in", Status.ACCEPTED, None) in world.states()


def test_what_staff_or_the_carrier_took_away_counts_too_and_a_batch_is_asked_about_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [world.neighbour(number) for number in range(6)]
    for one in others:
        one.agree()
        one.plan()
    asked: list[int] = []
    real = consents.asking_after_a_no

    def counting(ids: set[UUID]):
        asked.append(len(ids))
        return real(ids)

    def revoked() -> None:
        with world.sessions.begin() as session:
            withdraw.revoke(session, others[0].address_id, actor="desk", evidence="letter", now=world.now)
            withdraw.stop(session, others[1].address_id, method="carrier", evidence="21610", now=world.now)

    monkeypatch.setattr(consents, "asking_after_a_no", counting)
    after_each_claim(monkeypatch, revoked)
    drain(world.pump(), 5)
    ended = [one.states()[0][1:] for one in others[:2]]
    assert ended == [(Status.SUPPRESSED, Reason.OPTED_OUT)] * 2
    assert len(world.carrier.parcels) == 4
    assert asked == [6]


def test_words_withdrawn_after_the_claim_do_not_leave_in_these_words(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.agree()
    world.plan()
    claims: list[int] = []

    def taken_back() -> None:
        claims.append(len(claims))
        if len(claims) == 1:
            by = approve.Reviewer("Ana Ruiz", "medical translator")
            with world.sessions.begin() as session:
                approve.withdraw(session, world.clinic_id, "en", "post.check_in", by, world.now)

    after_each_claim(monkeypatch, taken_back)
    drain(world.pump(), 5)
    assert world.carrier.parcels == []
    assert world.states() == [("post.check_in", Status.SCHEDULED, Reason.UNAPPROVED)]
    assert claims == [0], "claimed again, it is seen with the words of now"
    with world.sessions() as session:
        assert balance(session).holds


def test_where_the_ledger_cannot_be_asked_nothing_leaves_and_nothing_is_in_doubt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.agree()
    world.plan()

    def away(*_: object) -> None:
        raise OperationalError("select", None, Exception("away"))

    with monkeypatch.context() as patched:
        patched.setattr(consents, "asking_after_a_no", away)
        with pytest.raises(OperationalError):
            drain(world.pump(), 5)
    assert world.carrier.parcels == []
    assert world.states() == [("post.check_in", Status.SCHEDULED, None)]
    drain(world.pump(), 5)
    assert len(world.carrier.parcels) == 1


def test_asking_once_more_goes_by_index_alone(world: World) -> None:
    with world.sessions.begin() as session:
        session.execute(text("set local enable_seqscan = off; set local enable_bitmapscan = off"))
        asked = {"ids": Ids.of([world.address_id]), "takes": ["opted_out"]}
        plan = [row[0] for row in fetch(session, "explain " + consents._AFTER_A_NO, **asked)]
    assert any("Index" in line and "consent_event_" in line for line in plan), plan
    assert not any("Seq Scan" in line for line in plan), plan
