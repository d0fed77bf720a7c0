"""A conversation as staff read it: lines of both sides in their order, and what each reply was taken for and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.deadlines import days_after
from outreach.domain.decision import REQUEST
from outreach.domain.plan import Visit
from outreach.domain.replies import understand
from outreach.errors import Sentence, say
from outreach.store.inbox import SYMPTOM
from outreach.store.seen import Seen
from outreach.store.talk import Heard
from outreach.store.tasks import Known
from outreach.web.console.timeline import Item, items
from outreach.web.forms import Wired

SHOWN = 40
"""Lines of one page; the earlier ones are a link away."""
EXPLAINED = 3
"""So many of the newest replies say at once why they were understood so; the others when somebody asks."""
RULES = {
    "the whole message": say("the whole message"),
    "inside a longer message": say("inside a longer message"),
    "anywhere": say("anywhere in it"),
    "the digit alone": say("the digit alone"),
    "where a digit was asked for": say("where a digit was asked for"),
    "thanks or a courtesy": say("thanks or a courtesy"),
    "no word or digit we know": say("no word or digit we know"),
    "tells of a symptom": say("tells of a symptom"),
}
"""The rules as domain.replies names them, for whoever reads another language."""
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)


@dataclass(frozen=True)
class Line:
    """One message of a conversation: `item` ours, or `heard` theirs. `by`: the id of who of the staff wrote it."""

    at: datetime
    item: Item | None = None
    heard: Heard | None = None
    why: tuple[str, Sentence | str] | None = None
    by: str = ""


@dataclass(frozen=True)
class Talk:
    """The newest part, earliest first. `earlier`: where the part before it ends, "" when there is none.

    `unexplained`: some replies do not say yet why they were understood so.
    """

    lines: list[Line]
    earlier: str
    newest: str
    unexplained: bool


def talk(
    session: Session, out: Wired, clinic_zone: str, ours: Sequence[Seen], theirs: Sequence[Heard], now: datetime, *,
    why: bool = False,
) -> Talk:  # fmt: skip
    """Both sides, each newest first and one longer than SHOWN where there is more, put into one.

    `why`: each reply is explained, and not the newest alone: to understand one again costs milliseconds.
    """
    asking = {step.key for sequence in out.sequences.values() for step in sequence.steps if step.asks} | {REQUEST}
    asked = [one for one in ours if one.step in asking]
    lines = [
        *(Line(item.at, item=item, by=item.seen.facts.get("by", ""))
          for item in items(session, out, ours, clinic_zone, now)),
        *(Line(one.received_at, heard=one) for one in theirs),
    ]  # fmt: skip
    lines.sort(key=lambda line: line.at, reverse=True)
    written = [line.heard.id for line in lines[:SHOWN] if line.heard and not line.heard.page]
    explained = set(written if why else written[:EXPLAINED])
    shown = [
        replace(line, why=_why(out, line.heard, asked)) if line.heard and line.heard.id in explained else line
        for line in lines[:SHOWN]
    ]
    earlier = mark(shown[-1].at) if len(lines) > SHOWN else ""
    heard = max((one.received_at for one in theirs), default=_FIRST)
    return Talk(shown[::-1], earlier, mark(heard), len(explained) < len(written))


def _why(out: Wired, heard: Heard, asked: Sequence[Seen]) -> tuple[str, Sentence | str] | None:
    """(the word, the rule) by which it was understood; None where the rules of today take it for something else."""
    question = next((one.step for one in asked if (one.sent_at or one.due_at) <= heard.received_at), None)
    said = understand(heard.body, out.replies, question)
    if (said.kind, said.answer) != (heard.understood, heard.answer):
        return None
    rule = next((one for one in RULES if said.why.endswith(one)), "")
    return (said.why.removesuffix(rule), RULES[rule]) if rule else (said.why, "")


def symptoms(
    known: Sequence[Known], theirs: Sequence[Heard], visits: Sequence[Visit], zone: str
) -> dict[UUID, int | None]:
    """The open tasks about a symptom, with the days since a recent infusion by the patient's clock (`zone`).

    None: no infusion was so recent, or the visit was moved or cancelled since. A message that opened a task is of that
    one alone; one that joined is of each that was open then.
    """
    started = [one.start for one in visits if one.status != "cancelled"]
    own = {task.inbound_id for task in known}
    told = sorted((one.received_at, one.id) for one in theirs if one.wish == SYMPTOM)
    found: dict[UUID, int | None] = {}
    for task in known:
        of_it = [at for at, by in told if task.inbound_id == by or (task.opened_at <= at and by not in own)]
        if of_it and task.closed_at is None and task.kind != "urgent":
            days = (days_after(started, zone, at) for at in of_it)
            found[task.id] = next((one for one in days if one is not None), None)
    return found


def mark(at: datetime) -> str:
    """An instant as text for an address."""
    return str((at - _FIRST) // _MICRO)


def place(text: str) -> datetime | None:
    """None for what is no instant: an old or garbled address shows the newest part."""
    if not (text.isascii() and text.isdigit() and len(text) < 17):
        return None
    return _FIRST + int(text) * _MICRO
