"""The pages of the workbench: the languages, the texts of one, and one unit."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from outreach.content.workbench import Line, Shelf
from outreach.errors import Sentence, say
from outreach.web.translate.seat import AtSeat, Seat
from outreach.web.translate.sight import about, look

router = APIRouter()

SHOW: dict[str, tuple[Sentence, Callable[[Line], bool]]] = {
    "all": (say("All"), lambda line: True),
    "unfinished": (say("Unfinished"), lambda line: line.state != "translated"),
    "errors": (say("With errors"), lambda line: line.blocked),
    "advice": (say("With advice"), lambda line: any(not fault.blocking for fault in line.faults)),
    "long": (say("Over budget"), lambda line: line.long),
    "unread": (say("Never read back"), lambda line: line.unread),
}
"""What a list can be narrowed to, by the name in its address."""


@dataclass(frozen=True)
class Narrowed:
    """What of a language is looked at: a choice of SHOW and words that are searched for."""

    show: str
    search: str

    def lines(self, shelf: Shelf) -> list[Line]:
        """In the order of the templates, those of one text together."""
        wanted, looked_for = SHOW[self.show][1], _folded(self.search)
        found = [line for line in shelf.lines.values() if wanted(line) and _holds(line, looked_for)]
        return sorted(found, key=lambda line: line.text)


@router.get("/translate")
def languages(seat: AtSeat) -> HTMLResponse:
    """Every language with how far it is."""
    return seat.page("languages.html", shelves=seat.bench.shelves())


@router.get("/translate/{locale}")
def listed(locale: str, seat: AtSeat, show: str = "all", q: str = "") -> HTMLResponse:
    """The units of a language, narrowed."""
    shelf, narrowed = seat.bench.shelf(locale), Narrowed(show if show in SHOW else "all", q.strip()[:100])
    counts = [(name, word, sum(map(wanted, shelf.lines.values()))) for name, (word, wanted) in SHOW.items()]
    groups: dict[str, list[Line]] = {}
    for line in narrowed.lines(shelf):
        groups.setdefault(line.text, []).append(line)
    return seat.page("units.html", shelf=shelf, narrowed=narrowed, counts=counts, groups=groups)


@router.get("/translate/{locale}/{key}")
def unit(locale: str, key: str, seat: AtSeat, show: str = "all", q: str = "", saved: str = "") -> HTMLResponse:
    """One unit with its field, and what a patient would see of it."""
    shelf = seat.bench.shelf(locale)
    line = shelf.line(key)
    narrowed = Narrowed(show if show in SHOW else "all", q.strip()[:100])
    return opened(seat, shelf, line, narrowed, {}, saved=saved if saved in shelf.lines else "")


def opened(
    seat: Seat, shelf: Shelf, line: Line, narrowed: Narrowed, fields: dict[str, str], status: int = 200,
    saved: str = "", wrong: str = "", theirs: Line | None = None,
) -> HTMLResponse:  # fmt: skip
    """The page of a unit. `fields`: what was typed, if anything; `wrong`: why it is not saved; `theirs`: the unit as
    somebody else has saved it meanwhile."""
    before, after = around(shelf, line, narrowed)
    grounds = seat.bench.grounds()
    return seat.page(
        "unit.html", status, shelf=shelf, line=line, sight=look(grounds, shelf, line, fields),
        about=about(grounds, shelf, line), narrowed=narrowed, before=before, after=after,
        place=_place(shelf, line, narrowed), saved=saved, wrong=wrong, theirs=theirs,
        digest=line.digest if theirs else fields.get("digest", line.digest),
    )  # fmt: skip


def around(shelf: Shelf, line: Line, narrowed: Narrowed) -> tuple[Line | None, Line | None]:
    """The units before and after, of those that are looked at; a unit that has just left them still has its place."""
    order = Narrowed("all", "").lines(shelf)
    here, kept = order.index(line), {one.unit.key for one in narrowed.lines(shelf)}
    before = next((one for one in reversed(order[:here]) if one.unit.key in kept), None)
    return before, next((one for one in order[here + 1 :] if one.unit.key in kept), None)


def _place(shelf: Shelf, line: Line, narrowed: Narrowed) -> tuple[int, int]:
    """Which of how many; 0 where the unit is none of those that are looked at (any more)."""
    keys = [one.unit.key for one in narrowed.lines(shelf)]
    return (keys.index(line.unit.key) + 1 if line.unit.key in keys else 0), len(keys)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _holds(line: Line, looked_for: str) -> bool:
    return not looked_for or any(
        looked_for in _folded(text) for text in (line.unit.key, line.unit.text, line.unit.plural, *line.forms)
    )
