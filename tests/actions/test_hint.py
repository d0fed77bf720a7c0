"""How to stop stands in the first text to an address, and at the latest a month after it was last read there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, update

from outreach.actions.dispatch import drain
from outreach.content.compose import Words
from outreach.content.laws import load_laws
from outreach.domain.channel import Channel
from outreach.domain.decision import ANSWERS
from outreach.settings import ROOT
from outreach.store.tables import Clinic
from outreach.store.vault import Vault
from tests import shipped
from tests.actions.world import World, make_world
from tests.content.test_skeletons import SOUND as VALUES

LAWS = load_laws(ROOT / "config" / "law")
HINT = "Reply STOP to end."


@pytest.fixture(scope="module")
def words() -> Words:
    return shipped.words()


@pytest.fixture
def world(engine: Engine, vault: Vault, words: Words) -> World:
    world = make_world(engine, vault, words)
    world.agree()
    return world


def sent(world: World, step: str, after: timedelta = timedelta(0)) -> str:
    """The text that goes out for this step, so long after now."""
    world.now += after
    world.plan(step)
    drain(replace(world.pump(), laws=LAWS))
    [text] = [one.body for one in world.seen() if one.step == step and one.sent_at == world.now]
    return text


def test_it_stands_in_the_first_text_and_again_after_the_profiles_days(world: World) -> None:
    assert sent(world, "post.check_in").endswith(HINT), "nothing before it said how"
    assert "STOP to end" in sent(world, "pre.the_day", timedelta(days=1)), "says it in its own words"
    assert not sent(world, "post.first_days", timedelta(days=7)).endswith(HINT)
    assert sent(world, "post.two_weeks", timedelta(days=23)).endswith(HINT), "30 days after it was last read"


def test_under_a_law_that_wants_it_in_each_text_it_is_in_each(world: World) -> None:
    with world.sessions.begin() as session:
        session.execute(update(Clinic).values(law="ca"))
    sent(world, "pre.the_day")
    assert sent(world, "post.first_days", timedelta(days=1)).endswith(HINT)


def test_an_answer_never_ends_with_it(world: World) -> None:
    world.write("STOP")
    drain(replace(world.pump(), laws=LAWS))
    assert [HINT in one.body for one in world.seen() if one.step == "reply.stopped"] == [False]


def test_in_every_language_it_costs_one_segment_at_most_and_is_never_said_twice(words: Words) -> None:
    for locale in words.locales:
        for key in words.keys:
            if key in ANSWERS or key == "staff.message":
                continue
            plain = words.compose(key, Channel.SMS, locale, "full", VALUES)
            hinted = words.compose(key, Channel.SMS, locale, "full", VALUES, hint=True)
            assert hinted.text.count("STOP") == 1 if "STOP" not in plain.text else hinted.text == plain.text
            assert hinted.segments <= plain.segments + 1, (locale, key)
    assert {"consent.request", "consent.confirmed", "pre.the_day"} <= words.telling
