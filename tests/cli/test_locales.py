"""`outreach locales check` and `segments`, on the words as they ship."""

from __future__ import annotations

from typer.testing import CliRunner

from outreach.cli.locales import app
from outreach.content.formats import load_languages
from outreach.settings import ROOT

LOCALES = load_languages(ROOT / "config" / "languages.yaml")


def test_the_words_as_they_ship_pass() -> None:
    said = CliRunner().invoke(app, ["check", *LOCALES])
    assert said.exit_code == 0, said.output
    assert [line.partition(":")[0] for line in said.output.splitlines() if line.partition(":")[0] in LOCALES] == [
        *LOCALES
    ]


def test_the_table_of_segments_can_be_read_without_being_written() -> None:
    said = CliRunner().invoke(app, ["segments"])
    assert said.exit_code == 0, said.output
    assert said.output.strip() == (ROOT / "docs" / "segments.md").read_text("utf-8").strip()
