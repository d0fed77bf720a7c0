"""The words that come with the project, read once in each process of a run: reading them takes half a second each."""

from __future__ import annotations

from functools import cache

from outreach.content.compose import Words
from outreach.content.keywords import load_replies
from outreach.domain.replies import ReplyWords
from outreach.settings import ROOT


@cache
def words() -> Words:
    """Every message in every language."""
    return Words.load(ROOT)


@cache
def replies() -> ReplyWords:
    """What patients' replies are understood by."""
    return load_replies(ROOT / "config" / "replies.yaml")
