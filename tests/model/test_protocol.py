"""docs/protocol.md names the tests that hold it: each of them exists."""

from __future__ import annotations

import re

from outreach.domain.status import Status
from outreach.settings import ROOT

PAGE = (ROOT / "docs" / "protocol.md").read_text()


def test_every_test_that_the_page_names_exists() -> None:
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.M)
    }
    assert set(re.findall(r"`(test_\w+)`", PAGE)) - there == set()


def test_every_status_is_on_the_page() -> None:
    assert [status.value for status in Status if f"`{status.value}`" not in PAGE] == []
