"""What one damaged row, one held patient or one change in the air must not do to everybody else's messages."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, delete, select, text, update
from structlog.testing import capture_logs

from outreach.actions.books import Claimer
from outreach.actions.claimed import Claim
from outreach.actions.dispatch import drain
from outreach.actions.move import move
from outreach.content.compose import Words
from outreach.domain.message import Accepted, Parcel
from outreach.errors import Reason, Refused
from outreach.store.tables import Address, Patient
from outreach.store.traffic import Event, Message
from outreach.store.vault import Vault
from tests import shipped
from tests.actions.test_pump import LATER, crowd
from tests.actions.world import NOON, ZONE, World, make_world


@pytest.fixture
def world(engine: Engine, vault: Vault) -> World:
    words: Words = shipped.words()
    return make_world(engine, vault, words)


@pytest.mark.parametrize("sealed", [b"", b"\x02\x01abc", b"\x02\x01" + b"x" * 12, b"\x02\x01" + b"x" * 40])
@pytest.mark.parametrize("of", ["address", "facts"])
def test_a_damaged_row_is_set_aside_and_the_others_go(world: World, sealed: bytes, of: str) -> None:
    whose = crowd(world, 3)[0]
    with world.sessions.begin() as session:
        if of == "address":
            session.execute(update(Address).where(Address.id == whose.address_id).values(value_sealed=sealed))
        else:
            session.execute(
                update(Message).where(Message.patient_id == whose.patient_id).values(facts_sealed=sealed or b"\x02")
            )
    with capture_logs() as logs:
        drain(world.pump(), 3)
    assert len(world.carrier.parcels) == 2
    told = [line["event"] for line in logs if line["log_level"] == "error"]
    assert told == ["a sealed column does not open"] or not sealed, "an empty address is none, and is told otherwise"


def test_what_cannot_be_planned_anew_is_set_aside_and_the_others_go(world: World) -> None:
    """Refused while its visit moved, and its patient's zone is gone: its new plan cannot be made."""
    world.agree()
    world.plan("pre.the_day")
    send, first = world.carrier.send, [True]

    async def sending(parcel: Parcel) -> Accepted:
        if not first:
            return await send(parcel)
        first.clear()

        def changing() -> None:
            with world.sessions.begin() as session:
                move(session, world.infusion_id, LATER, ZONE, shipped.sequence(), world.now)
                session.execute(update(Patient).where(Patient.id == world.patient_id).values(zone="Gone/Zone"))

        await asyncio.to_thread(changing)
        raise Refused(Reason.TRANSIENT, retry=True, code="20429", after=5)

    world.carrier.send = sending  # type: ignore[method-assign]
    drain(world.pump(), 5)
    world.now += timedelta(minutes=5)
    crowd(world, 20)
    with capture_logs() as logs:
        drain(world.pump(), 5)
    assert len(world.carrier.parcels) == 20
    assert "not planned anew, set aside" in [line["event"] for line in logs]


def test_patients_that_somebody_holds_do_not_starve_those_behind_them(world: World) -> None:
    """An import holds as many patients as there are places, and they are first in line."""
    held = crowd(world, 8)
    with world.sessions.begin() as session:
        session.execute(update(Message).values(due_at=NOON - timedelta(minutes=5)))
    crowd(world, 20, 100)
    with world.sessions.begin() as session:
        session.execute(text("select id from patient where id = any(:ids) for update"),
                        {"ids": [one.patient_id for one in held]})  # fmt: skip
        drain(world.pump(), 5)
        assert len(world.carrier.parcels) == 20
    drain(world.pump(), 5)
    assert len(world.carrier.parcels) == 28


def test_what_is_erased_between_claim_and_hand_over_is_told_and_takes_no_other_with_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    erased = crowd(world, 3)[0]
    real = Claimer.claim

    def claim(self: Claimer, room: Any) -> Claim:
        found = real(self, room)
        if found.handed:
            with world.sessions.begin() as session:
                session.execute(delete(Message).where(Message.patient_id == erased.patient_id))
        return found

    monkeypatch.setattr(Claimer, "claim", claim)
    with capture_logs() as logs:
        drain(world.pump(), 3)
    gone = [line for line in logs if line["event"] == "erased in the air"]
    assert [line["word"] for line in gone] == ["accepted"]
    with world.sessions() as session:
        assert session.scalars(select(Message.status)).all() == ["accepted"] * 2
        told = session.scalars(select(Event.carrier_id).where(Event.message_id == UUID(gone[0]["message"]))).all()
    assert any(told), "what the carrier took is still on record"
