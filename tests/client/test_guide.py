"""docs/api.md: each of its blocks is run as it stands."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from outreach.client import Client
from outreach.settings import ROOT
from tests.client.conftest import Running

PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here")
def test_the_guides_calls_by_curl_are_answered(running: Running) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        done = subprocess.run(
            ["/bin/sh", "-ec", block], check=True, capture_output=True, timeout=60,
            env={"KEY": running.key, "URL": running.url, "PATH": "/usr/bin:/bin", "NO_PROXY": "*"},
        )  # fmt: skip
        assert json.loads(done.stdout)


def test_the_guides_program_runs(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, "docs/api.md", "exec"), {"URL": running.url, "KEY": running.key})
    assert "pre.tomorrow scheduled" in capsys.readouterr().out
    with Client(running.url, running.key) as client:
        assert [one["name"] for one in client.patients()] == ["Bo Sample"]
