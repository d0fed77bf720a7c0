"""`outreach plan` as a person runs it."""

import json

import pytest
import typer
from typer.testing import CliRunner

from outreach.cli.plan import plan
from outreach.domain.window import tz_version

APP = typer.Typer()
APP.command("plan")(plan)
START = ["--start", "2026-11-28T10:00"]
VANCOUVER = [*START, "--zone", "America/Vancouver", "--now", "2026-11-20T09:00"]


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(APP, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def test_the_plan_of_an_infusion_is_printed_as_json() -> None:
    code, out, _ = run(*VANCOUVER, "--channels", "sms", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["tz_version"] == tz_version()
    assert len(told["messages"]) == 8
    assert told["messages"][1] == {
        "step": "pre.the_day",
        "channel": "sms",
        "local": "2026-11-25T10:00",
        "zone": "America/Vancouver",
        "utc": "2026-11-25T17:00Z",
        "offset": "-07:00",
        "rule": "3 days before start at 10:00; late if need be",
        "useful_until": "2026-11-28T10:00",
        "status": "scheduled",
        "reason": None,
    }


def test_the_plan_is_printed_as_a_table() -> None:
    code, out, _ = run(*VANCOUVER)
    assert code == 0
    for word in ("pre.tomorrow", "email", "Fri 2026-11-27 10:00", "2026-11-27T17:00Z", "-07:00", "next day at 10:00"):
        assert word in out


def test_the_same_question_gets_the_same_answer() -> None:
    assert run(*VANCOUVER, "--json") == run(*VANCOUVER, "--json")


def test_the_clinic_may_live_in_another_zone() -> None:
    _, out, _ = run(*VANCOUVER, "--clinic-zone", "America/Toronto", "--json")
    assert {message["useful_until"] for message in json.loads(out)["messages"] if message["step"] == "pre.the_day"} == {
        "2026-11-28T08:00"
    }


def test_what_is_past_is_shown_as_expired() -> None:
    _, out, _ = run(*START, "--zone", "America/Vancouver", "--now", "2026-11-28T17:00Z", "--channels", "sms")
    assert "expired (past at planning)" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param([*START, "--zone", "America/Vancuver"], "Did you mean America/Vancouver?", id="zone"),
        pytest.param([*VANCOUVER, "--clinic-zone", "Mars/Base"], '"Mars/Base" is not a time zone', id="clinic's zone"),
        pytest.param(["--start", "soon", "--zone", "UTC"], "Write it like 2026-11-28T10:00.", id="no time"),
        pytest.param(["--start", "2026-11-28", "--zone", "UTC"], "has no time of day", id="a day without time"),
        pytest.param(["--start", "2026-11-28T10:00Z", "--zone", "UTC"], "carries an offset", id="an offset"),
        pytest.param(["--start", "0001-01-01T00:00", "--zone", "UTC"], "not a year we plan for", id="year"),
        pytest.param([*VANCOUVER, "--sequence", "ketamin"], "Did you mean ketamine-infusion?", id="sequence"),
        pytest.param([*VANCOUVER, "--channels", "fax"], '"fax" is not a channel', id="channel"),
        pytest.param([*VANCOUVER, "--channels", ","], "--channels is empty", id="no channel"),
        pytest.param([*VANCOUVER, "--minutes", "0"], "--minutes 0", id="no length"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_code_2(arguments: list[str], says: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert says in err
    assert err.count("\n") == 1
