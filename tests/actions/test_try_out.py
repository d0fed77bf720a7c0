"""A test to oneself takes the way of every message, and is counted nowhere."""

from __future__ import annotations

from typing import Literal

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from outreach.actions.count import count
from outreach.actions.dispatch import drain
from outreach.actions.try_out import Wanted, try_out
from outreach.content.compose import Words
from outreach.content.sequences import load
from outreach.domain.channel import Channel
from outreach.settings import ROOT
from outreach.store import staff
from outreach.store.tables import Staff
from outreach.store.tallies import Tally
from outreach.store.traffic import Message
from outreach.store.vault import Vault, vault_of
from tests.actions.world import World, make_world

OWN = "+12025550166"


@pytest.mark.parametrize(
    ("key", "locale", "wording", "said"),
    [
        pytest.param("pre.the_day", "en", "full", "10:00", id="with its visit"),
        pytest.param("visit.moved", "es", "full", "10:00", id="of a change"),
        pytest.param("post.check_in", "en", "neutral", "/p/", id="in neutral words"),
    ],
)
def test_it_arrives_by_the_pump_and_is_in_no_figure(
    engine: Engine, vault: Vault, words: Words, key: str, locale: str, wording: Literal["full", "neutral"], said: str
) -> None:
    world = make_world(engine, vault, words)
    sequence = load(ROOT / "config" / "sequences" / "ketamine-infusion.yaml")
    with world.sessions.begin() as session:
        staff_id = staff.add(
            session, clinic_id=world.clinic_id, email="dana@fern.example", name="Dana", password="a long enough word"
        )
        _phone(session, world, staff_id)
        wanted = Wanted(sequence.step(key), Channel.SMS, locale, wording)
        try_out(session, world.clinic_id, staff_id, wanted, world.now)
    drain(world.pump(), 5)
    [parcel] = world.carrier.parcels
    assert parcel.to == OWN
    assert parcel.content.locale == locale
    assert said in parcel.content.text
    count(world.sessions, lambda: world.now)
    with world.sessions() as session:
        assert session.scalars(select(Message)).one().attempts == 1
        assert session.scalars(select(Tally)).all() == []


def _phone(session: Session, world: World, staff_id: object) -> None:
    person = session.scalars(select(Staff).where(Staff.id == staff_id)).one()
    person.phone_sealed = vault_of(session).seal(OWN, "staff.phone", world.clinic_id, person.id)
    session.flush()
