"""Carriers that do not answer, or answer what nobody knows: what waits is kept, and people are told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from outreach.actions.dispatch import drain
from outreach.content.compose import Words
from outreach.domain.status import Status
from outreach.errors import Reason, Refused, Uncertain
from outreach.providers.memory import MemoryProvider
from outreach.store import alerts
from outreach.store.alerts import Raised
from outreach.store.vault import Vault
from tests import shipped
from tests.actions.world import World, make_world

MANY = 40


@pytest.fixture(scope="module")
def words() -> Words:
    return shipped.words()


@pytest.fixture
def world(engine: Engine, vault: Vault, words: Words) -> World:
    return make_world(engine, vault, words)


def crowd(world: World) -> list[World]:
    """MANY patients, each with a message that is due now."""
    made = [world.neighbour(number) for number in range(MANY)]
    for one in made:
        one.agree()
        one.plan()
    return made


def told(world: World, *, operator: bool = False) -> list[Raised]:
    with world.sessions() as session:
        return alerts.open_alerts(session, None if operator else world.clinic_id)


def statuses(everybody: list[World]) -> list[Status]:
    return [status for one in everybody for _, status, _ in one.states()]


def test_a_carrier_that_answers_nothing_is_left_alone_and_what_waits_stays_scheduled(world: World) -> None:
    everybody = crowd(world)
    world.carrier = MemoryProvider(outcomes=[Uncertain() for _ in range(MANY)], uncertain_is_taken=False)
    drain(world.pump(), 5)
    lost = len(world.carrier.parcels)
    found = statuses(everybody)
    assert 10 <= lost <= 10 + 3 * world.pump().window, "what was in the air when the tenth came back, and no more"
    assert (found.count(Status.UNKNOWN), found.count(Status.SCHEDULED)) == (lost, MANY - lost)
    assert [one.kind for one in told(world)] == ["no_answer"]


def test_after_the_rest_it_tries_again_by_itself_and_the_first_answer_ends_the_alert(world: World) -> None:
    everybody = crowd(world)
    world.carrier = MemoryProvider(outcomes=[Uncertain() for _ in range(MANY)], uncertain_is_taken=False)
    drain(world.pump(), 5)
    waiting = statuses(everybody).count(Status.SCHEDULED)
    world.carrier = MemoryProvider()
    drain(world.pump(), 5)
    assert world.carrier.parcels == []
    for one in (world, *everybody):
        one.now += timedelta(minutes=2)
    drain(world.pump(), 5)
    assert len(world.carrier.parcels) == waiting > 0
    assert told(world) == []


def test_single_answers_that_never_came_are_no_reason_to_rest(world: World) -> None:
    everybody = crowd(world)
    now_and_then = [None if number % 3 else Uncertain() for number in range(MANY)]
    world.carrier = MemoryProvider(outcomes=now_and_then, uncertain_is_taken=False)
    drain(world.pump(), 5)
    assert Status.SCHEDULED not in statuses(everybody)
    assert told(world) == []


def test_a_code_that_no_table_has_is_told_to_the_operator_at_hand_over_too(world: World) -> None:
    everybody = crowd(world)[:3]
    world.carrier = MemoryProvider(outcomes=[Refused(Reason.UNKNOWN_CODE, code="29999") for _ in range(MANY)])
    drain(world.pump(), 5)
    assert statuses(everybody) == [Status.FAILED] * 3
    (one,) = told(world, operator=True)
    assert (one.kind, one.key, one.count) == ("unknown code", "29999", MANY)
