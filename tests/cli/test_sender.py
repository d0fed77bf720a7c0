"""`outreach sender` as a person runs it: what it refuses, what it changes, what it prints."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from outreach.cli.sender import address_of, register
from outreach.domain.channel import Channel
from outreach.errors import BadInput, NotAllowed, NotFound
from outreach.store import clinics
from outreach.store.vault import Vault
from tests.cli.conftest import Play, Run

NUMBER, OTHER = "+13125550100", "+13125550101"
SMS = ("--channel", "sms", "--address")
CARRIERS = json.dumps({"second": {"kind": "twilio", "account_sid": "AC" + "2" * 32, "auth_token": "t"}})


@pytest.fixture
def run(play: Play, fresh_database_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`outreach sender …` in a service with one clinic, one number, and two SMS carriers."""
    monkeypatch.setenv("OUTREACH_CARRIERS", CARRIERS)
    engine = create_engine(fresh_database_url)
    with Session(engine, info={"vault": vault}) as session, session.begin():
        clinics.add(
            session, slug="lakeside", name="Lakeside", zone="America/Chicago", country="US", locale="en",
            phone=NUMBER, address="1 Example Street", emergency="911", sms_sender=NUMBER,
        )  # fmt: skip
    engine.dispose()
    return play("sender", register)


def rows(run: Run) -> dict[str, dict[str, Any]]:
    return {row["address"]: row for row in json.loads(run("list", "--json"))}


def test_a_second_number_takes_its_share_of_the_patients(run: Run) -> None:
    said = run("add", *SMS, OTHER, "--weight", 3, "--per-second", 10, "--burst", 20)
    assert "to 75% of its patients" in said
    found = rows(run)[OTHER]
    assert (found["weight"], found["per_second"], found["burst"], found["carrier"]) == (3, 10.0, 20.0, "twilio")
    assert rows(run)[NUMBER]["share"] == 0.25


def test_a_clinics_first_number_with_twilio_is_believed_to_answer_by_itself_and_the_second_says_if_both_do(
    run: Run, fresh_database_url: str, vault: Vault
) -> None:
    engine = create_engine(fresh_database_url)
    with Session(engine, info={"vault": vault}) as session, session.begin():
        clinics.add(session, slug="seaside", name="Seaside", zone="America/Chicago", country="US", locale="en",
                    phone=NUMBER, address="2 Example Street", emergency="911")  # fmt: skip

    def answers(slug: str) -> str:
        with Session(engine, info={"vault": vault}) as session:
            return clinics.chosen(session, slug).carrier_answers

    assert answers("seaside") == "none"
    assert "so seaside no longer does" in run("add", *SMS, OTHER, "--clinic", "seaside", "--carrier", "second")
    assert answers("seaside") == "stop_help"
    assert "patients may get two answers" in run("add", *SMS, "+13125550102", "--clinic", "lakeside")
    assert "patients may get two answers" in run("set", *SMS, NUMBER, "--clinic", "lakeside", "--carrier", "second")
    assert "answer" not in run("set", *SMS, NUMBER, "--clinic", "lakeside", "--weight", 2)
    assert answers("lakeside") == "none"  # it had one already: what stands there may be on purpose
    engine.dispose()


def test_the_table_says_what_each_may_carry(run: Run) -> None:
    run("add", *SMS, OTHER, "--per-second", 1.5)
    table = run("list")
    assert all(word in table for word in (NUMBER, OTHER, "lakeside", "1.5", "no limit", "50%"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((*SMS, "312 555 0100"), "country code"),
        ((*SMS, "MG123"), "MG is followed by 32"),
        (("--channel", "email", "--address", "nobody"), "Not an e-mail address"),
        ((*SMS, OTHER, "--carrier", "secnod"), "Did you mean second"),
        ((*SMS, OTHER, "--carrier", "smtp"), '"smtp" carries no texts'),
        ((*SMS, NUMBER), "has this sender already"),
        ((*SMS, OTHER, "--clinic", "seaside"), "no clinic"),
    ],
    ids=["a national number", "half a service", "no mailbox", "a typing error", "a mail carrier", "twice", "no clinic"],
)
def test_what_cannot_be_is_refused_with_what_would_be_right(run: Run, arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        run("add", *arguments)
    assert list(rows(run)) == [NUMBER]


def test_another_clinics_number_is_refused(run: Run, fresh_database_url: str, vault: Vault) -> None:
    engine = create_engine(fresh_database_url)
    with Session(engine, info={"vault": vault}) as session, session.begin():
        clinics.add(session, slug="seaside", name="Seaside", zone="America/Chicago", country="US", locale="en",
                    phone=NUMBER, address="2 Example Street", emergency="911")  # fmt: skip
    engine.dispose()
    with pytest.raises(BadInput, match="Another clinic writes from this number"):
        run("add", *SMS, NUMBER, "--clinic", "seaside")


def test_a_limit_is_set_and_taken_away(run: Run) -> None:
    assert "per second 5" in run("set", *SMS, NUMBER, "--per-second", 5, "--carrier", "second")
    assert (rows(run)[NUMBER]["per_second"], rows(run)[NUMBER]["carrier"]) == (5.0, "second")
    assert "no limit" in run("set", *SMS, NUMBER, "--per-second", 0)
    assert rows(run)[NUMBER]["per_second"] is None
    with pytest.raises(BadInput, match="Nothing to change"):
        run("set", *SMS, NUMBER)
    with pytest.raises(NotFound, match="Its senders: \\" + NUMBER):
        run("set", *SMS, OTHER, "--weight", 2)


def test_the_last_sender_of_a_channel_is_retired_only_on_purpose(run: Run) -> None:
    with pytest.raises(NotAllowed, match="0 planned messages would wait for another one"):
        run("retire", *SMS, NUMBER)
    assert rows(run)[NUMBER]["active"]
    assert "wait for another sender" in run("retire", *SMS, NUMBER, "--force")
    assert not rows(run)[NUMBER]["active"]


def test_a_retired_sender_comes_back_as_it_was(run: Run) -> None:
    run("add", *SMS, OTHER, "--weight", 3)
    assert "go by 1 other" in run("retire", *SMS, OTHER)
    assert (rows(run)[OTHER]["share"], rows(run)[NUMBER]["share"]) == (0.0, 1.0)
    run("add", *SMS, OTHER)
    assert (rows(run)[OTHER]["weight"], rows(run)[OTHER]["share"]) == (3, 0.75)


@pytest.mark.parametrize(
    ("given", "normal"),
    [(" +1 (312) 555-0100 ", "+13125550100"), ("+18005550100", "+18005550100"), ("MG" + "a1" * 16, "MG" + "a1" * 16),
     ("40404", "40404")],
    ids=["spaces", "toll-free", "a messaging service", "a short code"],
)  # fmt: skip
def test_senders_have_one_normal_form(given: str, normal: str) -> None:
    assert address_of(Channel.SMS, given) == normal
