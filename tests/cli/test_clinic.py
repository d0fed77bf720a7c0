"""`outreach clinic` as a person runs it: a clinic of one's own, and what its file must not say."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from outreach.cli.clinic import register
from outreach.errors import OutreachError
from outreach.settings import ROOT
from tests.cli.conftest import Play, Run

SAMPLE = (ROOT / "config" / "sample" / "clinic.yaml").read_text("utf-8")
WRONG = {
    'slug: "Lake side"': ("slug: lakeview", "slug"),
    "locale: tlh": ("locale: en", "locale"),
    "country: USA": ("country: US", "country"),
    "zone: Chicago": ("zone: America/Chicago", "zone"),
    'phone: "12"': ('phone: "+1 312-555-0100"', "phone"),
    "wording: loud": ("wording: full", "wording"),
    "email_sender: nobody": ("email_sender: care@lakeview.example", "email_sender"),
}


@pytest.fixture
def run(play: Play) -> Run:
    return play("clinic", register)


def test_a_clinic_of_ones_own_begins_with_its_hours_and_senders_and_is_no_demo(
    run: Run, tmp_path: Path, fresh_database_url: str
) -> None:
    path = tmp_path / "clinic.yaml"
    path.write_text(SAMPLE.replace("slug: lakeview", "slug: lakeside"), "utf-8")
    assert "add-administrator --clinic lakeside" in run("add", path)
    assert run("list").split() == ["lakeside", "en", "America/Chicago", "us"]
    engine = create_engine(fresh_database_url)
    with engine.connect() as connection:
        clinic = connection.execute(text("select phone, demo, quiet_from::text, carrier_answers from clinic")).one()
        assert tuple(clinic) == ("+13125550100", False, "21:00:00", "stop_help")
        assert connection.scalar(text("select count(*) from sender")) == 2
        assert connection.scalar(text("select count(*) from approval")) == 0
        assert "clinic.established" in connection.scalars(text("select action from audit")).all()
    engine.dispose()
    with pytest.raises(OutreachError, match="Another clinic writes from this number"):
        run("add", path)
    path.write_text(SAMPLE.replace("slug: lakeview", "slug: lakeside").replace("+13125550100", "+13125550101"), "utf-8")
    with pytest.raises(OutreachError, match="already"):
        run("add", path)


def test_each_fault_of_the_file_is_told_with_its_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "clinic.yaml"
    for wrong, (right, key) in WRONG.items():
        path.write_text(SAMPLE.replace(right, wrong), "utf-8")
        line = next(number for number, one in enumerate(path.read_text("utf-8").splitlines(), 1) if wrong in one)
        with pytest.raises(OutreachError) as told:
            run("add", path)
        assert str(told.value).startswith(f"{path}:{line}: "), f"{key}: {told.value}"
    assert run("list") == ""
