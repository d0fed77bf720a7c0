"""`outreach approvals` and `approve`: what an upgraded installation is told, and doing it; on a real database."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session
from typer.testing import CliRunner, Result

from outreach.cli import locale_sign
from outreach.cli.main import build
from outreach.domain.access import Role
from outreach.errors import BadInput
from outreach.settings import ROOT
from outreach.store import clinics, staff
from outreach.store.tables import Clinic
from outreach.store.vault import Vault

Run = Callable[..., Result]
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
ANA = ("--reviewer", "Ana Ruiz", "--role", "medical translator")


@pytest.fixture
def run(fresh_database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, as an operator types it."""
    for name, value in (("DATABASE_URL", fresh_database_url), ("REDIS_URL", redis_url), ("VAR", str(tmp_path)),
                        ("KEY", KEY)):  # fmt: skip
        monkeypatch.setenv(f"OUTREACH_{name}", value)
    return lambda *words: CliRunner().invoke(build(words), list(words))


@pytest.fixture
def clinic(engine: Engine, vault: Vault) -> str:
    """A clinic as an upgrade leaves it: nothing is approved; with one who approves and one who may not."""
    with Session(engine, info={"vault": vault}, expire_on_commit=False) as session, session.begin():
        made = clinics.add(
            session, slug="lakeside", name="Lakeside", zone="America/Chicago", country="US", locale="en",
            phone="", address="", emergency="911", sms_sender="+12025550100",
        )  # fmt: skip
        for role in (Role.APPROVER, Role.VIEWER):
            staff.add(session, clinic_id=made.id, email=f"{role.value}@x.example", name="R", role=role)
    return "lakeside"


def test_whoever_upgrades_is_told_what_to_run_and_what_they_run_approves(run: Run, clinic: str, engine: Engine) -> None:
    before = run("approvals")
    assert before.exit_code == 1
    assert 'outreach approve es --all --reviewer "NAME" --role "ROLE"' in before.stdout
    done = run("approve", "es-MX", "--all", *ANA, "--by", "approver@x.example")
    assert done.exit_code == 0, done.output
    assert "approved in es: canned, consent.confirmed" in done.stdout
    assert run("approve", "es", "--all", *ANA).stdout == "nothing new to approve\n"
    after = run("approvals", "es")
    assert (after.exit_code, "Ana Ruiz" in after.stdout) == (0, True)
    rows = json.loads(run("approvals", "--json").stdout)
    assert {row["locale"] for row in rows if row["state"] == "approved"} == {"es"}
    assert {row["state"] for row in rows if row["locale"] != "es"} <= {"not_approved", "untranslated"}
    assert run("approve", "es", "neutral", "--withdraw", *ANA).stdout == "withdrawn: 1\n"
    assert "withdrawn" in run("approvals", "es").stdout
    with engine.begin() as connection:
        assert connection.execute(update(Clinic).values(name="x").returning(Clinic.words_version)).scalar_one() == 2


def test_what_cannot_be_approved_is_refused_and_changes_nothing(run: Run, clinic: str) -> None:
    for words in (
        ("approve", "es", "neutral"),
        ("approve", "es", "nothing", *ANA),
        ("approve", "es", "neutral", *ANA, "--by", "viewer@x.example"),
        ("approve", "es", "neutral", *ANA, "--by", "nobody@x.example"),
        ("approve", "es", "neutral", *ANA, "--clinic", "elsewhere"),
        ("approve", "xx", "neutral", *ANA),
    ):
        answer = run(*words)
        assert isinstance(answer.exception, BadInput), words
    assert run("approve", "es", *ANA).exit_code == 2
    rows = json.loads(run("approvals", "es", "--json").stdout)
    assert {row["state"] for row in rows} == {"not_approved"}


def test_signing_writes_into_the_folder_of_the_words_and_wants_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("config", "templates", "locales"):
        (tmp_path / name).symlink_to(ROOT / name) if name != "locales" else (tmp_path / name).mkdir()
    for locale in (ROOT / "locales").iterdir():
        if locale.name != "es":
            (tmp_path / "locales" / locale.name).symlink_to(locale)
    (tmp_path / "locales" / "es").mkdir()
    for path in (ROOT / "locales" / "es").iterdir():
        if path.name != "approvals.jsonl":
            (tmp_path / "locales" / "es" / path.name).symlink_to(path)
    monkeypatch.setattr(locale_sign, "ROOT", tmp_path)
    sign = ["locales", "sign", "es", "neutral"]
    assert isinstance(CliRunner().invoke(build(sign), sign).exception, BadInput)
    done = CliRunner().invoke(build(sign), [*sign, *ANA])
    assert "signed: 1 of 1 texts in es" in done.stdout
    [line] = (tmp_path / "locales" / "es" / "approvals.jsonl").read_text("utf-8").splitlines()
    assert (json.loads(line)["reviewer"], json.loads(line)["back"][:9]) == ("Ana Ruiz", "back.yaml")
