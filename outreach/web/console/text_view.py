"""One text as whoever approves it sees it: English, translation, back-translation, findings, preview, earlier words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from outreach.actions.review import Stand, State, stands
from outreach.content import approvals as content
from outreach.content import candidate
from outreach.content.checker.findings import Fault
from outreach.content.differences import Change, changes
from outreach.content.objections import objections
from outreach.content.workbench import Back, Shelf
from outreach.domain.approval import ASIDES, LAYOUTS, NEUTRAL, Text, Unit
from outreach.domain.channel import Channel
from outreach.domain.message import Content
from outreach.errors import BadInput
from outreach.store import approvals
from outreach.store.approvals import Decision
from outreach.store.due import ClinicFacts
from outreach.web.forms import Wired

SAMPLE = "typical"


@dataclass(frozen=True)
class Line:
    """One unit. `numbers`: for each form the first numbers it stands for, () where there is one form only. `by`: who
    wrote it, where the catalog says so."""

    unit: Unit
    numbers: list[tuple[int, ...]]
    back: Back | None
    faults: tuple[Fault, ...]
    by: str = ""


@dataclass(frozen=True)
class Entry:
    """A decision with what it was about: `now`: the words as they stand; `changes`: how they differ from these."""

    decision: Decision
    now: bool
    changes: list[Change]


@dataclass(frozen=True)
class Seen:
    """`before`: how the approved words that count differ from those of today; None: there are none. `alone`: texts
    that a message goes out with, and that are not approved."""

    stand: Stand
    lines: list[Line]
    before: list[Change] | None
    history: list[Entry]
    previews: list[tuple[Channel, Content]]
    alone: tuple[str, ...]

    @property
    def blocking(self) -> int:
        return sum(fault.blocking for line in self.lines for fault in line.faults)

    @property
    def may_be_approved(self) -> bool:
        return not self.blocking and self.stand.text.complete and self.stand.state is not State.APPROVED

    @property
    def withdrawable(self) -> bool:
        return any(entry.decision.approved for entry in self.history) and self.stand.state in (
            State.APPROVED, State.EARLIER, State.CHANGED,
        )  # fmt: skip


def view(session: Session, clinic: ClinicFacts, out: Wired, locale: str, key: str) -> Seen:
    """The text of a clinic's page; the caller has made sure that there is such a text."""
    text = content.texts(out.words, locale)[key]
    spoken = out.speakers.view(session, clinic, out.words)
    [stand] = stands(session, clinic.id, spoken, out.bench, [text])
    decisions = approvals.ledger(session, clinic.id, locale, key)
    kept = approvals.units(session, sorted({one.said_id for one in decisions if one.digest != text.digest}))
    history = [
        Entry(one, one.digest == text.digest, changes(kept[one.said_id][0], text.units) if one.said_id in kept else [])
        for one in decisions
    ]
    earlier = stand.decision if stand.state in (State.EARLIER, State.CHANGED) else None
    before = changes(kept[earlier.said_id][0], text.units) if earlier and earlier.said_id in kept else None
    alone = (one for one in (NEUTRAL, ASIDES, LAYOUTS) if one != key and not spoken.state(locale, one))
    message = key in out.words.keys
    return Seen(stand, _lines(out, text), before, history, previews(out, text), tuple(alone) if message else ())


def _lines(out: Wired, text: Text) -> list[Line]:
    shelf = out.bench.shelf(text.locale)
    found = objections(shelf, text)
    return [
        Line(unit, candidate.numbers(shelf, len(unit.forms)) if unit.plural else [()], _back(shelf, unit),
             found.get(unit.key, ()), _by(shelf, unit))
        for unit in text.units
    ]  # fmt: skip


def _back(shelf: Shelf, unit: Unit) -> Back | None:
    """What was read back, if it was read from these very words."""
    line = shelf.lines.get(unit.key)
    return line.back if line and line.forms == unit.forms else None


def _by(shelf: Shelf, unit: Unit) -> str:
    line = shelf.lines.get(unit.key)
    return line.by if line and line.forms == unit.forms else ""


def previews(out: Wired, text: Text) -> list[tuple[Channel, Content]]:
    """A message with usual values, on each channel that it goes by; of what only goes with others, nothing."""
    shown, wording = _example(out, text)
    if not shown or not text.complete:
        return []
    values, found = out.bench.grounds().samples[SAMPLE], []
    for channel in Channel:
        try:
            found.append((channel, out.words.compose(shown, channel, text.locale, wording, values)))
        except BadInput:
            continue  # it does not go by this channel, or lacks words of another text
    return found


def _example(out: Wired, text: Text) -> tuple[str, Literal["full", "neutral"]]:
    if text.key == NEUTRAL:
        return candidate.USUAL, "neutral"
    return (text.key, "full") if text.key in out.words.keys else ("", "full")
