"""The words that come with the project, read once in each process of a run: reading them takes half a second each."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.approve import approve_everything
from outreach.content.compose import Words
from outreach.content.keywords import load_replies
from outreach.content.laws import load_laws
from outreach.content.sequences import load as load_sequence
from outreach.content.spoken import Kept, Spoken, current
from outreach.domain.approval import Unapproved
from outreach.domain.law import Law
from outreach.domain.replies import ReplyWords
from outreach.domain.sequence import Sequence
from outreach.settings import ROOT

SPOKEN = ("en", "es", "ar")
"""What a clinic of the tests has approved where the test is not about languages: all thirteen are four times as many
rows to write, to read and to take away again."""


@cache
def words() -> Words:
    """Every message in every language."""
    return Words.load(ROOT)


@cache
def laws() -> dict[str, Law]:
    """The profiles of the law."""
    return load_laws(ROOT / "config" / "law")


@cache
def sequence() -> Sequence:
    """The sequence of ketamine infusions."""
    return load_sequence(ROOT / "config" / "sequences" / "ketamine-infusion.yaml")


@cache
def replies() -> ReplyWords:
    """What patients' replies are understood by."""
    return load_replies(ROOT / "config" / "replies.yaml")


def spoken(said: Words | None = None, home: str = "en") -> Spoken:
    """What a clinic may say that has approved everything as it stands."""
    said = said or words()
    kept = [Kept(7, one.locale, one.key) for one in current(said).values()]
    return Spoken(said, kept, home, Unapproved.DEFAULT)


def approve(session: Session, clinic_id: UUID, *locales: str) -> None:
    """The clinic has approved every shipped word of these languages (none named: of all)."""
    approve_everything(session, clinic_id, words(), datetime(2026, 1, 1, tzinfo=UTC), locales)
