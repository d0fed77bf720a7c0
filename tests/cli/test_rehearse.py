"""The whole way of messages in small: real engines, workers and carriers' stand-in; the broker dies in the middle."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from outreach.settings import ROOT

# One worker runs them all: the rehearsal is played once.
pytestmark = pytest.mark.xdist_group("rehearsal")

HEAD = (
    "external_id,name,phone,email,language,zone,infusion_start,minutes,visit_id,"
    "consent_sms,consent_email,consent_date,consent_form,consent_warned,wording"
)
ROWS = [
    "A1,Ann Reed,+12025550101,ann@example.com,en,America/Chicago,2027-02-19 13:00,60,V1,yes,yes,2027-01-10,paper,yes,",
    "A2,José Peña,+12025550102,,es,Europe/Madrid,2027-02-20 09:30,60,V2,yes,,2027-01-10,paper,no,",
    "A3,أميرة حداد,+12025550103,,ar,Asia/Riyadh,2027-02-21 10:00,60,V3,,,,,,",
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict:  # type: ignore[type-arg]
    """One rehearsal for all tests of this module, with a kill -9 of Valkey while it runs."""
    folder = tmp_path_factory.mktemp("rehearsal")
    folder.chmod(0o711)
    csv, out, var = folder / "three.csv", folder / "out.json", folder / "var"
    csv.write_text("\n".join([HEAD, *ROWS]) + "\n", "utf-8")
    command = [sys.executable, "-m", "outreach", "rehearse", "--csv", str(csv), "--json", str(out)]
    environment = os.environ | {"OUTREACH_VAR": str(var), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    _kill_valkey(var, process)
    said, _ = process.communicate(timeout=180)
    assert process.returncode == 0, said
    return {**json.loads(out.read_text("utf-8")), "said": said}


def _kill_valkey(var: Path, process: subprocess.Popen[str]) -> None:
    """Once the course has begun, which is when the beat has written its notebook."""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if any((var / "rehearsal").glob("beat*")) and (var / "engines.json").exists():
            with contextlib.suppress(ValueError, KeyError):
                os.kill(json.loads((var / "engines.json").read_text())["valkey"]["pid"], signal.SIGKILL)
                return
        time.sleep(0.05)


def test_every_planned_message_ends_once(report: dict) -> None:  # type: ignore[type-arg]
    ends = dict(report["balance"])
    assert ends.pop("planned") == sum(ends.values()) == len(report["messages"])
    assert report["open"] == {}
    assert report["faults"] == []


def test_the_broker_was_killed_and_nothing_was_lost_or_doubled(report: dict) -> None:  # type: ignore[type-arg]
    assert "valkey" in report["restarted"]
    assert "nothing lost, nothing twice" in report["said"]


def test_each_patient_is_written_to_in_their_language(report: dict) -> None:  # type: ignore[type-arg]
    assert {(one["patient"], one["locale"]) for one in report["messages"] if one["status"] == "delivered"} == {
        ("A1", "en"), ("A2", "es"), ("A3", "ar"),
    }  # fmt: skip


def test_nothing_leaves_in_the_quiet_hours_of_the_patient(report: dict) -> None:  # type: ignore[type-arg]
    assert all("08:00" <= one["local"][11:] < "21:00" for one in report["messages"])


def test_paper_consent_without_the_warning_gets_neutral_words(report: dict) -> None:  # type: ignore[type-arg]
    about_care = [
        one for one in report["messages"] if one["patient"] == "A2" and one["step"].startswith(("pre.", "post."))
    ]
    assert {one["wording"] for one in about_care if one["status"] == "delivered"} == {"neutral"}
