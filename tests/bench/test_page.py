"""Figures become tables between markers and pictures that read well; nothing is measured here."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from outreach.bench import page, plots, sections
from outreach.cli.main import build
from outreach.errors import BadFile, BadInput
from outreach.settings import ROOT


@pytest.fixture
def figures() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "docs" / "figures.json").read_text("utf-8"))
    return found


def test_the_page_says_what_the_figures_beside_it_say(figures: dict[str, Any], tmp_path: Path) -> None:
    copy = tmp_path / "scaling.md"
    copy.write_text((ROOT / "docs" / "scaling.md").read_text("utf-8"), "utf-8")
    page.write(figures, copy, tmp_path)
    assert copy.read_text("utf-8") == (ROOT / "docs" / "scaling.md").read_text("utf-8"), (
        "run: outreach scaling --measured"
    )
    for picture in tmp_path.glob("*.svg"):
        assert picture.read_text("utf-8") == (ROOT / "docs" / "pictures" / picture.name).read_text("utf-8")
        title = ET.parse(picture).getroot().find("{http://www.w3.org/2000/svg}title")
        assert title is not None


def test_a_page_without_a_marker_is_refused_by_its_name(figures: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "scaling.md").write_text("# nothing\n", "utf-8")
    with pytest.raises(BadFile, match="machine"):
        page.write(figures, tmp_path / "scaling.md", tmp_path)


@pytest.mark.parametrize(
    "written", [None, b"# nothing\n", b"\xff\xfe", b"<!-- machine -->\nx\n<!-- end of machine -->"]
)
def test_a_page_that_cannot_take_the_figures_is_refused_before_anything_is_measured(
    written: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sections, "run", lambda _names, _plan: pytest.fail("it was measured"))
    if written is not None:
        (tmp_path / "pages.md").write_bytes(written)
    result = CliRunner().invoke(build(["bench"]), ["bench", "--section", "pages", "--page", str(tmp_path / "pages.md")])
    assert isinstance(result.exception, BadFile)
    result = CliRunner().invoke(build(["bench"]), ["bench", "--section", "pump", "--page", "docs/pages.md"])
    assert isinstance(result.exception, BadInput)


def test_what_a_day_needs_follows_from_what_one_message_costs() -> None:
    each = {"worker_us": 108.0, "postgres_us": 0.0, "receipt_web_us": 0.0, "receipt_postgres_us": 0.0,
            "kept_bytes": 1000.0, "logged_bytes": 0.0}  # fmt: skip
    workers = next(line for line in page.growth(each).splitlines() if "worker processes" in line)
    assert workers.endswith("| 1 |"), "5,555.6 messages in the busiest second x 108 us / 0.6 is one process"
    kept = next(line for line in page.growth(each).splitlines() if "rows kept" in line)
    assert kept.endswith("| 35 | 350 | 3,500 |")


@pytest.mark.parametrize(
    ("value", "top"), [(0.3, 0.5), (1, 1), (1.1, 2), (2.2, 2.5), (3, 5), (5.1, 10), (180, 200), (0.012, 0.02)]
)
def test_a_scale_ends_at_the_next_round_number(value: float, top: float) -> None:
    assert plots.ceiling(value) == pytest.approx(top)
