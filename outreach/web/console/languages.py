"""Languages: what of each this clinic has approved, what it says where it has not, who reads it, who drafted it."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from outreach.actions.instruct import waiting
from outreach.content.compose import SOURCE
from outreach.content.coverage import Coverage, coverage
from outreach.content.formats import Language
from outreach.content.spoken import CURRENT, PREVIOUS, Spoken
from outreach.domain.approval import Unapproved
from outreach.store import readers
from outreach.web.console.desk import AtDesk
from outreach.web.forms import Wired

router = APIRouter()


@dataclass(frozen=True)
class Line:
    """One language of the page; `patients` of this clinic read it. Texts are counted: of `texts`, `approved` are so as
    they stand, of `earlier` the words approved before are sent; `lacking` keep the language from being offered."""

    language: Language
    coverage: Coverage
    patients: int
    source: bool
    texts: int
    approved: int
    earlier: int
    lacking: tuple[str, ...]

    @property
    def unread(self) -> bool:
        """Drafted by a machine, and no person has put their name to it: what can be sent is not what was checked."""
        return "machine" in self.coverage.drafted.casefold() and not self.source


@router.get("/languages")
def listed(desk: AtDesk, out: Wired) -> HTMLResponse:
    """Counted from what this process has loaded: what is shown is what would be sent."""
    with out.sessions() as session:
        patients = readers.by_locale(session, desk.clinic.id)
        spoken = out.speakers.view(session, desk.clinic, out.words)
        own = waiting(session, desk.clinic.id, desk.locale)
    lines = [_line(out, spoken, one, patients.pop(one, 0)) for one in out.words.voices]
    lines.sort(key=lambda line: (-line.approved, -line.coverage.translated))  # those in use first, else as they come
    home = out.words.language(spoken.home) if spoken.home in out.words.voices else None
    return desk.page("languages.html", lines=lines, rule=Unapproved(spoken.rule).value, home=home, others=patients,
                     own={out.words.language(one).own_name if one in out.words.voices else one: (one, count)
                          for one, count in own.items()})  # fmt: skip


def _line(out: Wired, spoken: Spoken, locale: str, patients: int) -> Line:
    words = spoken.words
    states = [spoken.state(locale, key) for key in spoken.texts]
    return Line(
        words.language(locale), coverage(out.words, locale, out.bench.root), patients, locale == SOURCE, len(states),
        states.count(CURRENT), states.count(PREVIOUS), spoken.lacking(locale),
    )  # fmt: skip
