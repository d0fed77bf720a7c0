"""A real application over a real database: one clinic with one person at the desk, carriers in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from outreach.content.compose import Words
from outreach.content.lexicon import Lexicon
from outreach.domain.access import Role
from outreach.domain.channel import Channel
from outreach.providers.memory import MemoryProvider
from outreach.providers.twilio import TwilioProvider
from outreach.settings import Settings
from outreach.store import staff
from outreach.store.vault import Vault
from outreach.wiring import Outreach
from tests import shipped
from tests.web.house import NOW, PASSWORD, PUBLIC, TOKEN, House, add_clinic


@pytest.fixture(scope="session")
def words() -> Words:
    return shipped.words()


@pytest.fixture
def locales() -> tuple[str, ...]:
    """The languages of the house; a file that is about languages says that it wants all: an empty tuple."""
    return shipped.SPOKEN


@pytest.fixture
def house(engine: Engine, vault: Vault, words: Words, locales: tuple[str, ...]) -> Iterator[House]:
    sequence = shipped.sequence()
    twilio = TwilioProvider("AC" + "1" * 32, TOKEN, base_url="http://127.0.0.1:9", timeout=1, pool=1)
    out = Outreach(
        settings=Settings(
            database_url="postgresql://unused", redis_url="redis://unused", public_url=PUBLIC, sandbox=False,
            twilio_account_sid="AC" + "1" * 32, twilio_auth_token=TOKEN,
        ),
        engine=engine,
        sessions=sessionmaker(engine, info={"vault": vault}, expire_on_commit=False),
        vault=vault,
        lexicon=Lexicon.of(words),
        sequences={sequence.name: sequence},
        replies=shipped.replies(),
        providers={Channel.SMS: twilio, Channel.EMAIL: MemoryProvider(Channel.EMAIL)},
        clock=lambda: NOW,
        laws=shipped.laws(),
    )  # fmt: skip
    clinic_id = add_clinic(out, "north", "+12025550110", locales)
    with out.sessions.begin() as session:
        staff.add(
            session, clinic_id=clinic_id, email="desk@north.example", name="Dana Desk", password=PASSWORD,
            role=Role.ADMINISTRATOR,
        )  # fmt: skip
    yield House(out, clinic_id)
    twilio.close()
