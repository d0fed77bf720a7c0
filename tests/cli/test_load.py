"""`outreach load` as a person runs it: what it prints, its exit codes, and what is in the database afterwards."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest
import typer
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from outreach.actions.approve import approve_everything
from outreach.actions.sample import add_clinic
from outreach.cli.load import WHOLE, load
from outreach.settings import ROOT
from outreach.store import enrolments
from outreach.store.tables import Clinic, Patient
from outreach.store.traffic import Message
from outreach.store.vault import Vault
from tests.shipped import words

APP = typer.Typer()
APP.command("load")(load)
SAMPLE = ROOT / "config" / "sample" / "patients.csv"
Count = Callable[[type], int]


@pytest.fixture
def count(
    fresh_database_url: str, redis_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Count]:
    """A database with the sample clinic, and how many rows a table of it has."""
    environment = {"DATABASE_URL": fresh_database_url, "REDIS_URL": redis_url, "VAR": str(tmp_path),
                   "KEY": base64.b64encode(bytes(range(32))).decode()}  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(f"OUTREACH_{name}", value)
    engine = create_engine(fresh_database_url)
    with Session(engine, info={"vault": vault}) as session, session.begin():
        approve_everything(session, add_clinic(session, ROOT).id, words(), datetime.now(UTC))

    def rows(table: type) -> int:
        with Session(engine) as session:
            return session.scalar(select(func.count()).select_from(table)) or 0

    yield rows
    engine.dispose()


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(APP, [str(one) for one in arguments])
    return result.exit_code, result.stdout, result.stderr


def changed(tmp_path: Path, old: str, new: str) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(SAMPLE.read_text("utf-8").replace(old, new), "utf-8")
    return path


def test_the_sample_loads_and_loads_again_without_a_change(count: Count) -> None:
    code, out, _ = run(SAMPLE, "--json")
    told = json.loads(out)
    assert (code, told["errors"], told["patients"]) == (0, [], 34)
    planned = count(Message)
    code, out, _ = run(SAMPLE, "--json", "--clinic", "lakeview")
    again = json.loads(out)
    assert (code, again["loaded"], again["moved"], again["unchanged"]) == (0, 0, 0, told["loaded"])
    assert (count(Patient), count(Message)) == (34, planned)


def test_a_second_list_waits_until_the_first_is_in(count: Count, vault: Vault, fresh_database_url: str) -> None:
    engine = create_engine(fresh_database_url)
    with Session(engine, info={"vault": vault}) as first, ThreadPoolExecutor(1) as other:
        [clinic_id] = first.scalars(select(Clinic.id))
        enrolments.take_turn(first, clinic_id, WHOLE)
        second = other.submit(run, SAMPLE, "--json")
        waiting = text("select count(*) from pg_locks where locktype = 'advisory' and not granted")
        for _ in range(600):
            if first.scalar(waiting) or second.done():
                break
            Event().wait(0.05)
        assert not second.done()
        assert count(Patient) == 0
        first.commit()
        assert second.result()[0] == 0
    engine.dispose()
    assert count(Patient) == 34


def test_a_dry_run_tells_the_same_and_writes_nothing(count: Count) -> None:
    code, out, _ = run(SAMPLE, "--dry-run")
    assert code == 0
    assert out.startswith("would load 63 infusions of 34 new patients")
    assert count(Patient) == 0


def test_bad_rows_are_named_without_their_values_and_the_exit_code_says_so(count: Count, tmp_path: Path) -> None:
    path = changed(tmp_path, "America/Puerto_Rico", "America/Puerto_Rica")
    code, out, error = run(path)
    assert code == 1
    assert "list.csv, line " in error
    assert "zone: unknown zone; use an IANA name like America/Chicago. Did you mean America/Puerto_Rico?" in error
    assert "refused 1;" in out
    assert count(Patient) == 33
    assert "Dolores" not in out + error


@pytest.mark.parametrize("option", [[], ["--json"]], ids=["text", "json"])
def test_a_file_that_cannot_be_used_has_an_exit_code_of_its_own(
    count: Count, tmp_path: Path, option: list[str]
) -> None:
    code, out, error = run(changed(tmp_path, "infusion_start,", ""), *option)
    assert code == 2
    assert "infusion_start" in out + error
    assert "is missing" in out + error
    if option:
        assert json.loads(out)["errors"][0]["line"] == 1
    assert count(Patient) == 0


def test_a_clinic_that_is_not_there_is_answered_with_those_that_are(count: Count) -> None:
    result = CliRunner().invoke(APP, [str(SAMPLE), "--clinic", "nowhere"])
    assert result.exit_code == 1
    assert 'no clinic "nowhere"' in str(result.exception)
    assert "lakeview" in str(result.exception)
