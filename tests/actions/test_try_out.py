"""A test to oneself takes the way of every message, and is counted nowhere."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from outreach.actions import reply
from outreach.actions.count import count
from outreach.actions.dispatch import drain
from outreach.actions.speak import Speakers
from outreach.actions.try_out import Wanted, try_out
from outreach.content.compose import Words
from outreach.content.sequences import load
from outreach.domain.channel import Channel
from outreach.domain.message import Inbound
from outreach.errors import BadInput
from outreach.settings import ROOT
from outreach.store import patients, staff
from outreach.store.tables import Staff
from outreach.store.tallies import Tally
from outreach.store.traffic import Message
from outreach.store.vault import Vault, vault_of
from tests import shipped
from tests.actions.world import CLINIC, World, make_world

OWN = "+12025550166"
SEQUENCE = ROOT / "config" / "sequences" / "ketamine-infusion.yaml"


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


@pytest.mark.parametrize("whose", ["a patient's", "a patient's once", "a stranger's STOP", "a colleague's STOP"])
def test_a_number_that_said_stop_or_that_a_patient_holds_gets_no_test(
    engine: Engine, vault: Vault, words: Words, whose: str
) -> None:
    world = make_world(engine, vault, words)
    wanted = Wanted(load(SEQUENCE).step("pre.the_day"), Channel.SMS, "en", "full")
    with world.sessions.begin() as session:
        me, colleague = _staff(session, world, "dana@fern.example"), _staff(session, world, "rita@fern.example")
        if whose.startswith("a patient's"):
            patients.set_address(session, world.clinic_id, world.patient_id, Channel.SMS, OWN, world.now)
        if whose == "a patient's once":
            patients.set_address(session, world.clinic_id, world.patient_id, Channel.SMS, "+12025550167", world.now)
        if whose == "a colleague's STOP":
            try_out(session, world.clinic_id, colleague, wanted, world.now)
    if whose.endswith("STOP"):
        stop = Inbound("SM1", Channel.SMS, OWN, CLINIC, "STOP")
        with world.sessions.begin() as session:
            reply.heard(session, stop, replies=shipped.replies(), words=words, speakers=Speakers(),
                        laws=shipped.laws(), now=world.now)  # fmt: skip
    with world.sessions() as session, pytest.raises(BadInput, match="No test can go to this number"):
        try_out(session, world.clinic_id, me, wanted, world.now)


def test_two_colleagues_may_test_to_one_telephone(engine: Engine, vault: Vault, words: Words) -> None:
    world = make_world(engine, vault, words)
    wanted = Wanted(load(SEQUENCE).step("pre.the_day"), Channel.SMS, "en", "full")
    with world.sessions.begin() as session:
        for name in ("dana", "rita"):
            try_out(session, world.clinic_id, _staff(session, world, f"{name}@fern.example"), wanted, world.now)
        assert len(session.scalars(select(Message)).all()) == 2


def _staff(session: Session, world: World, email: str) -> UUID:
    staff_id = staff.add(
        session, clinic_id=world.clinic_id, email=email, name="Dana", password="a long enough word"
    )  # fmt: skip
    _phone(session, world, staff_id)
    return staff_id


def _phone(session: Session, world: World, staff_id: object) -> None:
    person = session.scalars(select(Staff).where(Staff.id == staff_id)).one()
    person.phone_sealed = vault_of(session).seal(OWN, "staff.phone", world.clinic_id, person.id)
    session.flush()
