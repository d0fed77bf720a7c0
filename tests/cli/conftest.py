"""What tests of the commands share: the words of the project, read once for all the commands that a process plays."""

from __future__ import annotations

from pathlib import Path

import pytest

from outreach import wiring
from outreach.content.lexicon import Lexicon
from outreach.settings import ROOT
from tests import shipped


@pytest.fixture(autouse=True)
def words_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command composes the whole application, of which reading all words is most: half a second, several times a
    test. Only the words that ship are kept; other folders, and commands in processes of their own, read as ever."""
    load = Lexicon.load

    def kept(root: Path) -> Lexicon:
        return Lexicon(shipped.words(), root) if root == ROOT else load(root)

    monkeypatch.setattr(wiring.Lexicon, "load", kept)
    monkeypatch.setattr(wiring, "load_replies", lambda path: shipped.replies())
