"""A stranger is answered in words that the clinic approved, or by a person."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from outreach.actions import reply, speak
from outreach.actions.approve import Reviewer, withdraw
from outreach.actions.speak import Speakers
from outreach.content.spoken import Spoken
from outreach.domain.channel import Channel
from outreach.domain.message import Inbound
from outreach.store.office import Task
from outreach.store.vault import Vault
from tests import shipped
from tests.actions.world import CLINIC, World, make_world

ANA = Reviewer("Ana Ruiz", "medical translator")


def asks(world: World, speakers: Speakers, number: int) -> str:
    """What the webhook says to a number that nobody has, which wrote the Spanish word for help."""
    said = Inbound(f"SM-{number}", Channel.SMS, f"+1202555{3000 + number}", CLINIC, "ayuda")
    with world.sessions.begin() as session:
        return reply.heard(
            session, said, replies=shipped.replies(), words=world.words, speakers=speakers, laws=shipped.laws(),
            now=world.now,
        )  # fmt: skip


def test_a_stranger_is_told_approved_words_alone_and_a_person_sees_to_it_without_any(
    engine: Engine, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, speakers, built = make_world(engine, vault, shipped.words()), Speakers(), list[object]()
    monkeypatch.setattr(speak, "Spoken", lambda *given: built.append(given) or Spoken(*given))
    spanish = world.words.voices["es"].catalog.forms
    line = spanish["hint.interpreter"][0].partition("%")[0].strip()
    assert "Responda STOP" in asks(world, speakers, 1)
    assert "Responda STOP" in asks(world, speakers, 4)
    assert len(built) == 1, "the view of the clinic's words is kept"
    with world.sessions.begin() as session:
        withdraw(session, world.clinic_id, "es", "reply.help", ANA, world.now)
    said = asks(world, speakers, 2)
    assert "Responda STOP" not in said
    assert "Reply STOP" in said
    assert line in said
    with world.sessions.begin() as session:
        withdraw(session, world.clinic_id, "en", "reply.help", ANA, world.now)
    assert asks(world, speakers, 3) == ""
    with world.sessions() as session:
        assert len(list(session.scalars(select(Task.id)))) == 4
