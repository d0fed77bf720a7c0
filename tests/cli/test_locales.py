"""`outreach locales check`, on the words as they ship."""

from __future__ import annotations

from typer.testing import CliRunner

from outreach.cli.locales import app


def test_the_words_as_they_ship_pass() -> None:
    said = CliRunner().invoke(app, ["check"])
    assert said.exit_code == 0, said.output
    assert said.output.splitlines() == ["en: complete", "es: complete", "ar: complete"]
