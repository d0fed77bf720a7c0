"""What a carrier never got: tried again, less and less often, and seen by the watch."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine, func, select, text
from structlog.testing import capture_logs

from outreach.actions.dispatch import drain
from outreach.actions.watch import watch
from outreach.domain.brakes import Scope
from outreach.domain.message import Accepted, Parcel
from outreach.domain.retry import AT_ONCE, LONGEST_NOT_BEGUN, MOST_ATTEMPTS
from outreach.domain.status import Status
from outreach.errors import Reason, Refused
from outreach.providers.base import LATE
from outreach.providers.memory import MemoryProvider
from outreach.store import pauses
from outreach.store.alerts import every_open
from outreach.store.traffic import Attempt, Message
from outreach.store.vault import Vault
from tests import shipped
from tests.actions.world import World, make_world


class Late(MemoryProvider):
    """For it every hand-over comes too late, until it is let go."""

    late = True

    async def send(self, parcel: Parcel) -> Accepted:
        if self.late:
            raise Refused(Reason.TRANSIENT, retry=True, code=LATE)
        return await super().send(parcel)


@pytest.fixture
def world(engine: Engine, vault: Vault) -> World:
    world = replace(make_world(engine, vault, shipped.words()), carrier=Late())
    world.agree()
    world.plan()
    return world


def attempts(world: World) -> int:
    with world.sessions() as session:
        written = session.scalar(select(func.count()).select_from(Attempt))
        assert session.scalars(select(Message.attempts)).one() == written
        return written or 0


def stuck(world: World) -> list[str]:
    """What the watch says of it now."""
    with capture_logs(), world.sessions.begin() as session:
        watch(session, world.now)
        return [one.key for one in every_open(session) if one.kind == "stuck"]


def test_what_is_never_begun_is_tried_less_and_less_often_and_seen_until_it_goes(world: World) -> None:
    drain(world.pump(), 5)
    assert attempts(world) == AT_ONCE + 1, "at once a few times, and then no more before its time"
    assert stuck(world) == []
    while attempts(world) < MOST_ATTEMPTS:
        world.now += LONGEST_NOT_BEGUN
        drain(world.pump(), 5)
    assert stuck(world) == ["scheduled"], "each try moves its due instant, so that it is never long overdue"
    world.carrier.late = False  # type: ignore[attr-defined]
    world.now += LONGEST_NOT_BEGUN
    drain(world.pump(), 5)
    assert [status for _, status, _ in world.states()] == [Status.ACCEPTED]
    assert stuck(world) == []


def test_what_a_pause_holds_after_it_was_not_begun_is_not_stuck(world: World) -> None:
    while attempts(world) < MOST_ATTEMPTS:
        drain(world.pump(), 5)
        world.now += LONGEST_NOT_BEGUN
    assert stuck(world) == ["scheduled"]
    with world.sessions.begin() as session:
        pauses.switch_on(session, world.clinic_id, Scope.STEP, "post.check_in", "words", "test", world.now)
    drain(world.pump(), 5)
    with world.sessions() as session:
        assert session.scalar(text("select reason from message")) == "paused"
    assert stuck(world) == []
