"""`outreach balance`, `pause` and `alerts`: sentences, JSON and exit codes, on a real database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from typer.testing import CliRunner, Result

from outreach.cli.main import build
from outreach.domain.brakes import Scope
from outreach.domain.status import Status
from outreach.domain.window import zone
from outreach.errors import BadInput, NotFound, Reason
from outreach.store import alerts, clinics, patients, pauses
from outreach.store.vault import Vault
from tests.store.stock import NOW, Stock

Run = Callable[..., Result]
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture
def run(fresh_database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, as an operator types it."""
    for name, value in (("DATABASE_URL", fresh_database_url), ("REDIS_URL", redis_url), ("VAR", str(tmp_path)),
                        ("KEY", KEY)):  # fmt: skip
        monkeypatch.setenv(f"OUTREACH_{name}", value)

    def typed(*words: str) -> Result:
        return CliRunner().invoke(build(words), list(words))

    return typed


@pytest.fixture
def at_work(engine: Engine, vault: Vault) -> Callable[[], object]:
    """A committed change to the one clinic's messages."""

    @contextmanager
    def change() -> Iterator[Stock]:
        with Session(engine, info={"vault": vault}, expire_on_commit=False) as session, session.begin():
            clinic = clinics.find(session, "lakeside") or clinics.add(
                session, slug="lakeside", name="Lakeside", zone="America/Chicago", country="US", locale="en",
                phone="", address="", emergency="911", sms_sender="+12025550100", quiet_from=time(21), quiet_to=time(8),
            )  # fmt: skip
            person = patients.add(session, clinic_id=clinic.id, name="Ana", locale="en", zone="America/Chicago",
                                  wording="full", external="", now=NOW)  # fmt: skip
            yield Stock(session, clinic, person)

    return change


def test_books_that_add_up_exit_0_and_those_that_do_not_exit_1_naming_the_message(run: Run, at_work) -> None:  # type: ignore[no-untyped-def]
    with at_work() as stock:
        stock.ended(Status.DELIVERED, None)
        stock.ended(Status.SUPPRESSED, Reason.OPTED_OUT)
        stock.planned(NOW + timedelta(days=30))
    well = run("balance")
    assert well.exit_code == 0, well.output
    assert "planned 3, found 3: the balance holds" in well.output
    assert "suppressed, opted out: 1" in well.output
    with at_work() as stock:
        message_id = stock.ended(Status.EXPIRED, Reason.TOO_LATE, told=False)
        late = stock.planned(NOW - timedelta(hours=1))
    off = run("balance")
    assert off.exit_code == 1
    assert f"{message_id}" in off.output
    assert "the balance does not hold" in off.output
    found = json.loads(run("balance", "--json").output)
    assert found["holds"] is False
    assert [(one["fault"], one["message"]) for one in found["faults"]] == [("untold", str(message_id))]
    assert [(one["status"], one["message"]) for one in found["stuck"]] == [("scheduled", str(late))]
    assert sum(one["planned"] for one in found["days"]) == found["planned"] == 5


def test_a_day_is_the_clinics_own(run: Run, at_work) -> None:  # type: ignore[no-untyped-def]
    with at_work() as stock:
        stock.ended(Status.DELIVERED, None)
        stock.planned(NOW + timedelta(days=30))
    on = f"{NOW.astimezone(zone('America/Chicago')):%Y-%m-%d}"
    found = json.loads(run("balance", "--day", on, "--clinic", "lakeside", "--json").output)
    assert found["planned"] == found["messages"] == 1
    assert [(one["day"], one["delivered"]) for one in found["days"]] == [(on, 1)]


@pytest.mark.parametrize("day", ["today", "2026-13-01", "0001-01-01"])
def test_what_is_no_day_is_said(run: Run, day: str) -> None:
    answer = run("balance", "--day", day)
    assert isinstance(answer.exception, BadInput)


def test_a_pause_is_put_on_listed_and_lifted(run: Run, at_work) -> None:  # type: ignore[no-untyped-def]
    with at_work() as stock:
        waits = stock.planned()
    made = run("pause", "on", "sender", "+12025550100", "--clinic", "lakeside", "--reason", "wrong number")
    assert made.exit_code == 0, made.output
    pause_id = made.output.split()[0]
    listed = json.loads(run("pause", "list", "--json").output)
    assert [(one["id"], one["scope"], one["reason"], one["clinic"]) for one in listed] == [
        (pause_id, "sender", "wrong number", "lakeside")
    ]
    assert "wrong number" in run("pause", "list", "--clinic", "lakeside").output
    with at_work() as stock:
        stock.set(waits, reason="paused")
    assert "1 messages that waited go on" in run("pause", "off", pause_id).output
    assert "nothing is paused" in run("pause", "list").output
    assert isinstance(run("pause", "off", pause_id).exception, NotFound)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("clinic", "--reason", "why"), "Name the clinic"),
        (("service",), "Say why"),
        (("step", "nothing", "--reason", "why"), "There is no step"),
        (("service", "--reason", "why", "--until", "soon"), "no time"),
        (("service", "--reason", "why", "--until", "2100-01-01T08:00"), "by which clock"),
        (("service", "--reason", "why", "--until", "2001-01-01T08:00Z"), "over"),
    ],
    ids=["no clinic", "no reason", "no such step", "no time", "no zone", "past"],
)
def test_what_cannot_be_paused_is_said(run: Run, words: tuple[str, ...], says: str) -> None:
    answer = run("pause", "on", *words)
    assert says in str(answer.exception)


def test_the_whole_service_is_paused_until_a_time(run: Run, engine: Engine) -> None:
    assert run("pause", "on", "service", "--reason", "move", "--until", "2100-01-01T08:00Z").exit_code == 0
    with Session(engine) as session:
        (one,) = pauses.listing(session, None, NOW)
    assert (one.scope, one.clinic_id, str(one.until)) == (Scope.SERVICE, None, "2100-01-01 08:00:00+00:00")


def test_open_alerts_exit_1_and_none_exit_0(run: Run, at_work) -> None:  # type: ignore[no-untyped-def]
    with at_work() as stock:
        pass
    assert run("alerts").exit_code == 0
    with at_work() as stock:
        alerts.raise_alert(stock.session, stock.clinic_id, "stuck", "scheduled", "ids", NOW)
    answer = run("alerts", "--json")
    assert answer.exit_code == 1
    (one,) = json.loads(answer.output)
    assert (one["kind"], one["clinic"]) == ("stuck", "lakeside")
    assert run("alerts", "--clear", one["id"]).exit_code == 0
    assert run("alerts", "--clinic", "lakeside").exit_code == 0
    assert isinstance(run("alerts", "--clear", one["id"]).exception, NotFound)
