"""The profiles of the law: what comes with the project is whole, and a mistake is named with line and remedy."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from outreach.content.laws import load_law, load_laws
from outreach.errors import BadFile
from outreach.settings import ROOT

LAW = ROOT / "config" / "law"
US = (LAW / "us.yaml").read_text("utf-8")


def test_three_profiles_come_with_the_project_and_name_a_source_for_each_value() -> None:
    laws = load_laws(LAW)
    assert set(laws) == {"us", "eu", "ca"}
    assert all(len(source) > 4 for law in laws.values() for source in law.sources.values())
    us = laws["us"]
    assert (us.quiet_from, us.quiet_to, us.most_a_day, us.most_a_week) == (time(21), time(8), 1, 3)
    assert us.revoke_all_from == date(2027, 1, 31)
    assert laws["eu"].revoke_all_from is laws["ca"].revoke_all_from is None
    assert "NO" in laws["eu"].join_from


WRONG = [
    ('is: "21:00"', 'is: "25:00"', "25:00"),
    ("is: 1\n", "is: 0\n", "from 1 to 50"),
    ("is: 3\n", "is: three\n", "whole number"),
    ("is: 2027-01-31", "is: soon", "2027-01-31, or never"),
    ("[US, PR, VI, GU, AS, MP]", "[USA]", "no country"),
    ("[US, PR, VI, GU, AS, MP]", "US", "list of countries"),
    ("hint_days:", "hints:", "unknown line"),
    ("name: United States", "name: ''", "name must be a text"),
    ("  source: 47 CFR 64.1200(c)(1), unverified\n", "", "two lines"),
    ('is: "08:00"', 'is: "22:00"', "evening"),
]


@pytest.mark.parametrize(("right", "wrong", "says"), WRONG)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, right: str, wrong: str, says: str) -> None:
    path = tmp_path / "us.yaml"
    assert right in US
    path.write_text(US.replace(right, wrong, 1), "utf-8")
    with pytest.raises(BadFile, match=says) as refused:
        load_law(path)
    assert refused.value.line > 0


def test_a_missing_line_an_empty_folder_and_a_long_name_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="no profile"):
        load_laws(tmp_path)
    path = tmp_path / "us.yaml"
    path.write_text(US.partition("join_from:\n  is")[0], "utf-8")
    with pytest.raises(BadFile, match='"join_from" is missing'):
        load_law(path)
    with pytest.raises(BadFile, match="too long"):
        load_law(tmp_path / "the_united_states.yaml")
