"""The pages are asked for in a clinic with a past; here it is proved to work and to fail past a target, never timed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from outreach.bench import report, sections
from outreach.bench.page_table import PROMISED
from outreach.bench.pages import Asked
from outreach.bench.report import TARGETS
from outreach.cli.main import build

pytestmark = pytest.mark.xdist_group("bench")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Result]:
    def run(most: float) -> Result:
        bounds = {name: dataclasses.replace(target, must=most) for name, target in TARGETS.items()}
        monkeypatch.setattr(report, "TARGETS", bounds)
        return CliRunner().invoke(build(["bench"]), ["bench", "--section", "pages", "--quick", "--json"])

    return run


def rows(result: Result) -> dict[str, Any]:
    return {row["target"]: row for row in json.loads(result.stdout)["rows"]}


def test_every_page_is_asked_for_and_the_slowest_decides(bench: Callable[[float], Result]) -> None:
    result = bench(float("inf"))
    assert result.exit_code == 0, result.output
    found = rows(result)
    assert found.keys() == set(PROMISED)
    beside = found["page_median"]["beside"]
    assert {"/today", "/patients", "/delivery", "find Jor", "/inbox", "/api/v1/messages", "/p/{token}"} <= beside.keys()
    assert found["page_median"]["value"] == max(beside.values())
    assert 1 < found["page_size"]["value"] < 150


def test_a_missed_target_fails_the_command(bench: Callable[[float], Result], monkeypatch: pytest.MonkeyPatch) -> None:
    measured = [report.Row("page_median", 1.0, 1.0, 1.0)]
    monkeypatch.setattr(sections, "run", lambda _names, _plan: (measured, {}))
    assert bench(0.0).exit_code == 1
    assert bench(1.0).exit_code == 0


def test_the_slowest_of_a_hundred_counts_and_the_longest_query_is_blamed() -> None:
    asked = Asked("/x", [0.001 * number for number in range(1, 101)], 10, {"select  1": 0.05, "select 2": 0.2})
    assert (round(asked.median, 1), round(asked.p99)) == (50.5, 100)
    assert asked.blame() == "2 ms in 2 statements of the database:\n  2 ms: select 2\n  0 ms: select 1"
