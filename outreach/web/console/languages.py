"""Languages: how far each is translated, who drafted it, whether a whole course can be sent, who reads it here."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from outreach.content.compose import SOURCE
from outreach.content.coverage import Coverage, coverage
from outreach.content.formats import Language
from outreach.settings import ROOT
from outreach.store import readers
from outreach.web.console.desk import AtDesk
from outreach.web.forms import Wired

router = APIRouter()


@dataclass(frozen=True)
class Line:
    """One language of the page; `patients` of this clinic read it."""

    language: Language
    coverage: Coverage
    patients: int
    source: bool

    @property
    def unread(self) -> bool:
        """Drafted by a machine, and no person has put their name to it: what can be sent is not what was checked."""
        return "machine" in self.coverage.drafted.casefold() and not self.source


@router.get("/languages")
def listed(desk: AtDesk, out: Wired) -> HTMLResponse:
    """Counted from what this process has loaded: what is shown is what would be sent."""
    with out.sessions() as session:
        patients = readers.by_locale(session, desk.clinic.id)
    lines = [
        Line(out.words.language(one), coverage(out.words, one, ROOT), patients.pop(one, 0), one == SOURCE)
        for one in out.words.voices
    ]
    lines.sort(key=lambda line: -line.coverage.translated)  # those that can be used first, the rest in their order
    steps = [step.key for sequence in out.sequences.values() for step in sequence.steps]
    return desk.page("languages.html", lines=lines, steps=list(dict.fromkeys(steps)), others=patients)
