"""What tests of the commands share: the words of the project, read once for all the commands that a process plays."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from outreach import wiring
from outreach.content.lexicon import Lexicon
from outreach.errors import OutreachError
from outreach.settings import ROOT
from tests import shipped

Run = Callable[..., str]
"""Plays `outreach NOUN …` with these words after the noun, and returns what it prints."""
Play = Callable[[str, Callable[[typer.Typer], None]], Run]


@pytest.fixture
def play(fresh_database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Play:
    """The commands of a noun in a service with an empty database; an error that a person would read is raised."""
    environment = {"DATABASE_URL": fresh_database_url, "REDIS_URL": redis_url, "VAR": str(tmp_path),
                   "KEY": base64.b64encode(bytes(range(32))).decode(), "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
                   "TWILIO_AUTH_TOKEN": "t", "SMTP_HOST": "127.0.0.1"}  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(f"OUTREACH_{name}", value)

    def of(noun: str, register: Callable[[typer.Typer], None]) -> Run:
        app = typer.Typer()
        register(app)
        app.command("another")(lambda: None)  # else typer would drop the noun

        def command(*arguments: object) -> str:
            result = CliRunner().invoke(app, [noun, *map(str, arguments)])
            if isinstance(result.exception, OutreachError):
                raise result.exception
            assert result.exit_code == 0, result.output
            return result.stdout

        return command

    return of


@pytest.fixture(autouse=True)
def words_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command composes the whole application, of which reading all words is most: half a second, several times a
    test. Only the words that ship are kept; other folders, and commands in processes of their own, read as ever."""
    load = Lexicon.load

    def kept(root: Path) -> Lexicon:
        return Lexicon(shipped.words(), root) if root == ROOT else load(root)

    monkeypatch.setattr(wiring.Lexicon, "load", kept)
    monkeypatch.setattr(wiring, "load_replies", lambda path: shipped.replies())
