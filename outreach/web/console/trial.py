"""What a change would do to a patient's messages: it is done in full, compared with before, and undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.status import Status
from outreach.store import seen
from outreach.web.console.desk import Desk
from outreach.web.console.timeline import Item, items
from outreach.web.forms import Wired


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

    @property
    def same(self) -> bool:
        """Whether both are planned for one moment in one wording, though the row may be another."""
        was, now = self.before, self.after
        return was is not None and now is not None and _live(was) and _live(now) and _words(was) == _words(now)


@dataclass(frozen=True)
class Difference:
    """`told`: news of the change that the patient gets. `kept`: how many planned messages stay as they are.

    `waiting`: how many of the new plan wait for the patient's agreement.
    `silent`: why no news goes (see console.silence); "" where some does, or it was not asked.
    """

    told: list[Item]
    pairs: list[Pair]
    kept: int
    waiting: int = 0
    silent: str = ""

    @property
    def nothing(self) -> bool:
        return not self.told and not self.pairs


def trial(desk: Desk, out: Wired, patient_id: UUID, change: Callable[[Session], object]) -> Difference:
    """Do `change`, compare, and roll back. What it refuses, it refuses here too."""
    with out.sessions() as session:
        try:
            before = _read(session, desk, out, patient_id)
            change(session)
            return compare(before, _read(session, desk, out, patient_id))
        finally:
            session.rollback()


def compare(before: list[Item], after: list[Item]) -> Difference:
    """What was planned and no longer is, what is new, and what says something else; matched by what it is about."""
    old, new = ({item.seen.id: item for item in side} for side in (before, after))
    gone = [item for item in before if _live(item) and _left(new.get(item.seen.id))]
    fresh = [item for item in after if item.seen.id not in old or (_live(item) and not _live(old[item.seen.id]))]
    told = [item for item in fresh if item.seen.occasion]
    coming = {_about(item): item for item in fresh if not item.seen.occasion}
    pairs = [Pair(item, coming.pop(_about(item), None) or new.get(item.seen.id)) for item in gone]
    said = {_about(item) for item in before if item.over}  # what is over is planned anew, and may be over again
    pairs += [Pair(None, item) for item in coming.values() if _live(item) or _about(item) not in said]
    both = [(item, new[item.seen.id]) for item in before if _live(item) and _live(new.get(item.seen.id))]
    pairs += [Pair(was, now) for was, now in both]
    differ = [pair for pair in pairs if not pair.same]
    waiting = sum(item.waits for item in after)
    return Difference(told, sorted(differ, key=_in_order), len(pairs) - len(differ), waiting)


def _read(session: Session, desk: Desk, out: Wired, patient_id: UUID) -> list[Item]:
    rows = seen.timeline(session, desk.clinic.id, patient_id)
    return items(session, out, rows, desk.clinic.zone, out.clock(), desk.signed.locale)


def _in_order(pair: Pair) -> tuple[object, ...]:
    """By time, then what one message says in all its channels together: the text first."""
    item = pair.shown
    return item.at, item.seen.step, item.seen.channel is not Channel.SMS


def _live(item: Item | None) -> bool:
    return item is not None and item.seen.status is Status.SCHEDULED


def _words(item: Item) -> tuple[object, ...]:
    return item.at, item.zone, item.subject, item.text


def _left(item: Item | None) -> bool:
    """Taken out of the plan by the change. One that the pump sent while both sides were read is no change of ours."""
    return item is None or item.seen.status in (Status.CANCELLED, Status.SUPPRESSED, Status.EXPIRED)


def _about(item: Item) -> tuple[object, ...]:
    return item.seen.step, item.seen.channel, item.seen.infusion_id or item.seen.course_id
