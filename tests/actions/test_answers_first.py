"""An answer goes before whatever else waits for the same patient, also where a worker has not seen it yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from outreach.actions import lanes
from outreach.actions.dispatch import drain
from outreach.domain.channel import Channel
from outreach.domain.status import Status
from outreach.store.traffic import Message
from outreach.store.turns import Ahead, Lane, find_lanes
from outreach.store.vault import Vault
from tests import shipped
from tests.actions.world import NOON, World, make_world


@pytest.fixture
def world(engine: Engine, vault: Vault) -> World:
    world = make_world(engine, vault, shipped.words())
    world.agree()
    world.plan("post.check_in", due=NOON - timedelta(minutes=5))
    world.write("HELP")
    return world


def test_a_worker_that_knows_the_other_lane_only_leaves_the_patient_until_the_answer_has_gone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is when the answer is written between a worker's look and its claim, or when another worker holds it."""
    looks = 0

    def half_blind(session: Session, now: datetime, carried: Collection[Channel], marks: Mapping[Lane, datetime],
                   ahead: Ahead) -> list[Lane]:  # fmt: skip
        nonlocal looks
        looks += 1
        found = find_lanes(session, now, carried, marks, ahead)
        return [lane for lane in found if not lane.urgent] if looks == 1 else found

    monkeypatch.setattr(lanes, "find_lanes", half_blind)
    drain(world.pump(), 20)
    told = {one.body: one.step for one in world.seen()}
    assert [told[parcel.content.text] for parcel in world.carrier.parcels] == ["reply.help", "post.check_in"]


@pytest.mark.parametrize("change", [
    pytest.param({"status": "suppressed", "reason": "opted_out", "ended_at": NOON}, id="it ended"),
    pytest.param({"due_at": NOON + timedelta(minutes=30)}, id="it waits itself"),
])  # fmt: skip
def test_an_answer_that_does_not_go_now_holds_nobody(world: World, change: dict[str, Any]) -> None:
    with world.sessions.begin() as session:
        session.execute(update(Message).where(Message.urgent).values(change))
    drain(world.pump(), 20)
    assert ("post.check_in", Status.ACCEPTED, None) in world.states()
    assert len(world.carrier.parcels) == 1
