"""What a change would do to a patient's messages: it is done in full, compared with before, and undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.status import Status
from outreach.store import seen
from outreach.store.seen import Seen
from outreach.web.console.desk import Desk
from outreach.web.console.stretch import Kind, Stretch, by_kind
from outreach.web.console.timeline import Item, Reading
from outreach.web.forms import Wired

_OUT = (Status.CANCELLED, Status.SUPPRESSED, Status.EXPIRED)
Rows = tuple[Seen | None, Seen | None]
"""A message before and after the change; None: there is none."""


@dataclass(frozen=True)
class Pair:
    """A message before and after; None: there is none. `shown`: whichever there is, for its name and channel."""

    before: Item | None
    after: Item | None

    @property
    def shown(self) -> Item:
        found = self.after or self.before
        assert found is not None
        return found


@dataclass(frozen=True)
class Difference:
    """`told`: news of the change that the patient gets. `kept`: how many planned messages stay as they are.

    `pairs`: those that stand on this page, with their words; `others`: the rest of what changes.
    `waiting`: how many of the new plan wait for the patient's agreement.
    `silent`: why no news goes (see console.silence); "" where some does, or it was not asked.
    """

    told: list[Item]
    pairs: list[Pair]
    stretch: Stretch
    others: list[Kind]
    kept: int
    waiting: int = 0
    silent: str = ""

    @property
    def nothing(self) -> bool:
        return not self.told and not self.stretch.all


def trial(desk: Desk, out: Wired, patient_id: UUID, change: Callable[[Session], object], start: str = "") -> Difference:
    """Do `change`, compare, and roll back. What it refuses, it refuses here too. `start`: from which pair on."""
    with out.sessions() as session:
        try:
            before = _read(session, desk, out, patient_id)
            change(session)
            return _Comparison(session, desk, before, _read(session, desk, out, patient_id)).found(start)
        finally:
            session.rollback()


@dataclass(frozen=True)
class _Comparison:
    """What was planned and no longer is, what is new, and what says something else; matched by what it is about.

    By the rows first. Words are composed where a row alone does not tell whether they differ, and for what is shown.
    """

    session: Session
    desk: Desk
    before: Reading
    after: Reading

    def found(self, start: str) -> Difference:
        told, pairs = self._pairs()
        differ = sorted((pair for pair in pairs if not self._same(*pair)), key=_in_order)
        here = Stretch.of(len(differ), start)
        return Difference(
            [self._item(self.after, row) for row in told],
            [self._shown(*pair) for pair in differ[here.first : here.after]],
            here,
            by_kind(map(_row, [*differ[: here.first], *differ[here.after :]])),
            len(pairs) - len(differ),
            sum(map(self.after.waits, self.after.rows)),
        )  # fmt: skip

    def _pairs(self) -> tuple[list[Seen], list[Rows]]:
        """(news of the change, each message before and after)."""
        before, after = self.before.rows, self.after.rows
        old, new = ({row.id: row for row in side} for side in (before, after))
        was, now = self.before.live, self.after.live
        gone = [row for row in before if was(row) and self._left(new.get(row.id))]
        fresh = [row for row in after if row.id not in old or (now(row) and not was(old[row.id]))]
        coming = {_about(row): row for row in fresh if not row.occasion}
        pairs: list[Rows] = [(row, coming.pop(_about(row), None) or new.get(row.id)) for row in gone]
        said = {_about(row) for row in before if not was(row)}  # what is over is planned anew, and may be over again
        pairs += [(None, row) for row in coming.values() if now(row) or _about(row) not in said]
        pairs += [(row, new[row.id]) for row in before if was(row) and now(new.get(row.id))]
        return [row for row in fresh if row.occasion], pairs

    def _left(self, row: Seen | None) -> bool:
        """Taken out of the plan by the change. What the pump sent while both sides were read is no change of ours."""
        return row is None or (not self.after.live(row) and row.status in _OUT)

    def _same(self, before: Seen | None, after: Seen | None) -> bool:
        """Whether both are planned for one moment in one wording, though the row may be another."""
        if before is None or after is None or not (self.before.live(before) and self.after.live(after)):
            return False
        if (self.before.moment(before), before.zone) != (self.after.moment(after), after.zone):
            return False
        basis = self.before.basis(before)
        if basis is not None and basis == self.after.basis(after):
            return True
        tongues = self.before.tongue(self.session, before), self.after.tongue(self.session, after)
        if all(tongues) and tongues[0] != tongues[1]:
            return False  # a correction of the language changes a hundred messages, and a page shows a few
        was, now = self._item(self.before, before, ""), self._item(self.after, after, "")
        return (was.subject, was.text) == (now.subject, now.text)

    def _shown(self, before: Seen | None, after: Seen | None) -> Pair:
        return Pair(
            self._item(self.before, before, "") if before else None, self._item(self.after, after) if after else None
        )

    def _item(self, read: Reading, row: Seen, beside: str | None = None) -> Item:
        signed = self.desk.signed.locale if beside is None else beside
        return read.item(self.session, row, self.desk.clinic.zone, signed)


def _read(session: Session, desk: Desk, out: Wired, patient_id: UUID) -> Reading:
    return Reading.of(session, out, seen.timeline(session, desk.clinic.id, patient_id), out.clock())


def _row(pair: Rows) -> Seen:
    row = pair[1] or pair[0]
    assert row is not None
    return row


def _in_order(pair: Rows) -> tuple[object, ...]:
    """By time, then what one message says in all its channels together: the text first."""
    row = _row(pair)
    return row.due_at, row.step, row.channel is not Channel.SMS


def _about(row: Seen) -> tuple[object, ...]:
    return row.step, row.channel, row.infusion_id or row.course_id
