"""`outreach zones refresh` on a service with plans made by older zone data."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import typer
from sqlalchemy import create_engine, func, select, update
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from outreach.actions.load import load_rows
from outreach.actions.sample import add_clinic
from outreach.cli.zones import register
from outreach.content.sequences import load
from outreach.domain.window import tz_version
from outreach.settings import ROOT
from outreach.store.traffic import Message
from outreach.store.vault import Vault
from tests import shipped
from tests.actions.conftest import NOW


@pytest.fixture
def stale(
    fresh_database_url: str, redis_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Session:
    environment = {"DATABASE_URL": fresh_database_url, "REDIS_URL": redis_url, "VAR": str(tmp_path),
                   "KEY": base64.b64encode(bytes(range(32))).decode()}  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(f"OUTREACH_{name}", value)
    sequence = load(ROOT / "config" / "sequences" / "ketamine-infusion.yaml")
    session = Session(create_engine(fresh_database_url), info={"vault": vault})
    clinic = add_clinic(session, ROOT)
    load_rows(session, ROOT / "config" / "sample" / "patients.csv", clinic=clinic,
              sequences={sequence.name: sequence}, words=shipped.words(), now=NOW)  # fmt: skip
    session.execute(update(Message).values(tz_version="1999z"))
    session.commit()
    return session


def test_every_plan_is_brought_to_the_zone_data_of_today_once(stale: Session) -> None:
    app = typer.Typer()
    register(app)
    app.command("another")(lambda: None)  # else typer would drop the noun
    with stale:
        waiting = stale.scalar(select(func.count()).where(Message.status == "scheduled"))
        first, second = (CliRunner().invoke(app, ["zones", "refresh"]) for _ in range(2))
        assert (first.exit_code, second.exit_code) == (0, 0), first.output
        assert f"zone data {tz_version()}: {waiting} messages were planned with other data; 0 moved" in first.stdout
        assert ": 0 messages were planned with other data" in second.stdout
    stale.get_bind().dispose()
