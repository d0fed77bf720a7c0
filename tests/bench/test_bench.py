"""The bench measures on engines of its own; here it is proved to work and to fail past a target, never timed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from outreach.bench import report
from outreach.bench.report import TARGETS, Row
from outreach.cli.main import build
from outreach.errors import BadInput

pytestmark = pytest.mark.xdist_group("bench")  # one at a time: each has engines of its own
TINY = ("--messages", "60", "--window", "16", "--latency", "1", "--reps", "1", "--quick", "--json")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command, with other bounds where the test gives them; all others cannot be missed."""

    def run(*arguments: str, must: dict[str, float] | None = None) -> Result:
        lenient = {
            name: dataclasses.replace(target, must=float("inf") if target.most else 0.0)
            for name, target in TARGETS.items()
        }
        for name, bound in (must or {}).items():
            lenient[name] = dataclasses.replace(lenient[name], must=bound)
        monkeypatch.setattr(report, "TARGETS", lenient)
        return CliRunner().invoke(build(["bench"]), ["bench", *arguments])

    return run


def told(result: Result) -> dict[str, Any]:
    shown = json.loads(result.stdout)
    return {row["target"]: row for row in shown["rows"]} | {"machine": shown["machine"]}


def test_the_pump_and_the_bare_post_are_measured_in_one_run(bench: Callable[..., Result]) -> None:
    result = bench("--section", "pump", *TINY)
    assert result.exit_code == 0, result.output
    shown = told(result)
    assert {"cpu", "cpu_db", "rate"} <= shown.keys()
    assert shown["cpu"]["least"] <= shown["cpu"]["value"] <= shown["cpu"]["greatest"]
    assert shown["machine"]["messages"] == 60
    assert shown["machine"]["postgresql"].startswith("18")


def test_a_mail_is_measured_against_the_rendering_of_its_own_html(bench: Callable[..., Result]) -> None:
    result = bench("--section", "email", *TINY)
    assert result.exit_code == 0, result.output
    beside = told(result)["email"]["beside"]
    assert beside["html_without_translation_us"] < beside["html_us"], "looking words up is part of rendering them"
    assert beside["html_without_translation_us"] < beside["mail_us"]


def test_a_missed_target_ends_the_command_with_one(bench: Callable[..., Result]) -> None:
    result = bench("--section", "email", *TINY, must={"email": 0.001})
    assert result.exit_code == 1
    assert told(result)["email"]["met"] is False


def test_a_section_that_is_not_there_is_refused_by_name(bench: Callable[..., Result]) -> None:
    result = bench("--section", "speed")
    assert "There is no section 'speed'" in str(result.exception)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (None, "There is no file"),
        ('{"kills": 49, "lost": 0, "doubled": 0}', "tells of 49 kills and freezes"),
        ('{"kills": 50}', "is not what `outreach chaos --json` prints"),
        ("[]", "is not what `outreach chaos --json` prints"),
        ("lost 0", "is not what `outreach chaos --json` prints"),
    ],
)
def test_kills_that_are_missing_too_few_or_unreadable_are_refused_before_anything_is_measured(
    bench: Callable[..., Result], tmp_path: Path, written: str | None, said: str
) -> None:
    found = tmp_path / "chaos.json"
    if written is not None:
        found.write_text(written)
    result = bench("--section", "email", "--kills", str(found), *TINY)
    assert isinstance(result.exception, BadInput)
    assert said in str(result.exception)
    assert result.stdout == ""


def test_fifty_kills_make_the_row_and_without_a_file_the_last_line_says_that_it_is_not_measured(
    bench: Callable[..., Result], tmp_path: Path
) -> None:
    found = tmp_path / "chaos.json"
    found.write_text('{"kills": 50, "lost": 0, "doubled": 1}')
    assert told(bench("--section", "email", "--kills", str(found), *TINY))["kills"]["value"] == 1
    lines = bench("--section", "email", *TINY[:-1]).stdout.splitlines()
    assert lines[-1].startswith(f"{TARGETS['kills'].name}: not measured")


def test_every_ratio_the_table_promises_has_a_target_at_least_as_strict_as_its_aim_is() -> None:
    assert len(TARGETS) == 11 + 7 + 4  # of the engine, of the pages, of the words
    for target in TARGETS.values():
        assert target.met(target.aim, target.must), target.name


def test_a_row_shows_the_median_with_the_least_and_the_greatest() -> None:
    row = Row.of("cpu", [1.3, 1.1, 1.2], bare_us=70.0)
    assert (row.least, row.value, row.greatest) == (1.1, 1.2, 1.3)
    assert report.missed([row], TARGETS) == []
    assert report.missed([Row.of("cpu", [1.6]), Row.of("rate", [0.7])], TARGETS) == [
        TARGETS["cpu"].name, TARGETS["rate"].name,
    ]  # fmt: skip


def test_words_are_measured_without_engines_in_every_language(bench: Callable[..., Result]) -> None:
    result = bench("--section", "words", *TINY)
    assert result.exit_code == 0, result.output
    shown = told(result)
    assert {"words_sms", "words_email", "words_preview", "words_check"} <= shown.keys()
    assert all(shown[name]["value"] > 0 for name in shown if name.startswith("words"))
    assert shown["words_check"]["beside"]["loading_words_s"] < shown["words_check"]["value"], "checking reads them too"
