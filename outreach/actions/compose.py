"""One message's words for one patient, now: consent decides the wording, the visit gives the times."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Literal, NamedTuple
from uuid import UUID

from outreach.content.compose import TOKEN, Values
from outreach.content.formats import time
from outreach.content.spoken import Spoken
from outreach.domain.approval import TOPICS
from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentEvent, State, may_contact
from outreach.domain.decision import Standing
from outreach.domain.message import Content
from outreach.domain.plan import Visit, Visits
from outreach.domain.sequence import Sequence as Steps
from outreach.domain.window import moment
from outreach.errors import NotApproved
from outreach.store.due import Due

_SMS = Channel.SMS
TO_STAFF = "staff.escalation"
_STOPPED = (State.OPTED_OUT, State.REVOKED_BY_STAFF, State.REVOKED_BY_CARRIER)
_TOKEN = re.compile(f"[A-Za-z0-9_-]{{{len(TOKEN)}}}")


class Permitted(NamedTuple):
    """How an address stands now: what domain.decision asks, and whether words may be clinical."""

    standing: Standing
    warned: bool


class Composed(NamedTuple):
    """Words, the wording they were chosen in, and the row that keeps what the clinic approved."""

    content: Content
    wording: Literal["full", "neutral"]
    said_id: int


def standing_of(due: Due, ledgers: Mapping[UUID, Sequence[ConsentEvent]], now: datetime) -> Permitted:
    """Where this message's address stands by its ledger."""
    events = ledgers.get(due.message.address_id, ()) if due.message.address_id else ()
    permission = may_contact(events, now)
    stopped = not permission.allowed and permission.state in _STOPPED
    reachable = due.to is not None and due.address_active
    usable = due.to is not None and due.address_usable
    standing = Standing(reachable, due.patient_active, permission.allowed, stopped, permission.reason, usable)
    return Permitted(standing, permission.warned)


def wording_of(due: Due, warned: bool) -> Literal["full", "neutral"]:
    """Full words only where the warning was accepted and neither patient nor clinic prefers the neutral ones."""
    full = warned and due.patient_wording == "full" and due.clinic.wording == "full"
    return "full" if full else "neutral"


def compose(
    due: Due, spoken: Spoken, sequences: Mapping[str, Steps], link: str, unsubscribe: str, warned: bool, now: datetime,
    *, hint: bool = False,
) -> Composed:  # fmt: skip
    """The exact words that would go now, of those that the clinic approved. NotApproved: there are none. BadInput: the
    words or a value they need are missing.

    `hint`: a text that does not say by itself how to stop says so at its end.
    """
    wanted, wording = wish_of(due, warned)
    message = due.message
    choice = spoken.choice(message.step, message.channel, wanted, wording)
    if choice is None:
        raise NotApproved(message.step, wanted)
    words, locale = choice.words, choice.locale
    own = ""
    if message.channel is not _SMS:
        own = spoken.instructions(locale, due.clinic.phone, topics_of(message.step, sequences))
    if message.channel is _SMS:
        token = link[-len(TOKEN) :]
        if _TOKEN.fullmatch(token) and unsubscribe.endswith(token):
            values = values_of(due, link[: -len(TOKEN)] + TOKEN, unsubscribe[: -len(TOKEN)] + TOKEN, now)
            mould = words.mould(message.step, locale, wording, values, hint=hint, interpreter=choice.interpreter)
            if mould.pieces:
                return Composed(mould.fill(token), wording, choice.said_id)
    content = words.compose(
        message.step, message.channel, locale, wording, values_of(due, link, unsubscribe, now, own),
        calendar=message.channel is not _SMS and _calendar(message.step, sequences), now=now, hint=hint,
        interpreter=choice.interpreter,
    )  # fmt: skip
    if message.step == TO_STAFF and content.subject:  # mail programs pile up what has one subject, unread among read
        at = time(words.language(locale), message.wall)
        content = content._replace(subject=f"{content.subject} ({at})")
    return Composed(content, wording, choice.said_id)


def grounds(due: Due, warned: bool, now: datetime) -> object:
    """All that compose() makes a message's words from but the words themselves: where two are equal, it says the same.
    A clinic's own instructions and approvals are not in it: neither changes while somebody looks at a preview."""
    return due.message.step, due.message.channel, wish_of(due, warned), values_of(due, "", "", now)


def wish_of(due: Due, warned: bool) -> tuple[str, Literal["full", "neutral"]]:
    """In which language and wording a message is wanted: what is approved decides in which it goes."""
    message = due.message
    wanted = message.locale if message.occasion and message.locale else due.patient_locale
    return wanted, wording_of(due, warned)


def _calendar(step: str, sequences: Mapping[str, Steps]) -> bool:
    return any(one.calendar and one.key == step for sequence in sequences.values() for one in sequence.steps)


def topics_of(step: str, sequences: Mapping[str, Steps]) -> tuple[str, ...]:
    """The clinic's own instructions that a step tells; all of them where no sequence says which."""
    return next((one.topics for steps in sequences.values() for one in steps.steps if one.key == step), TOPICS)


def values_of(due: Due, link: str, unsubscribe: str, now: datetime, own: str = "") -> Values:
    """What the templates may say of the clinic and the visit; `own`: the clinic's own instructions."""
    clinic, facts = due.clinic, due.message.facts
    visit = visit_of(due)
    old = datetime.fromisoformat(facts["old_start"]) if facts and "old_start" in facts else None
    start = _start(visit.starts, visit.zone) if visit else old
    if facts and "new_start" in facts:
        start = datetime.fromisoformat(facts["new_start"])
    minutes, uid, revision = 60, "", 0
    if visit:
        # Only calendars tell which visit it is: the texts of all whose visits begin together are the same.
        minutes, uid = visit.minutes, "" if due.message.channel is _SMS else str(visit.id)
        revision = 0 if due.message.channel is _SMS else visit.revision
    # By position: this runs for each message, and names would cost as much as all the rest of it.
    return Values(
        clinic.name, clinic.phone, due.patient_zone, clinic.address, clinic.zone, clinic.emergency, start, minutes, uid,
        revision, old, _next(due.visits, now), link, unsubscribe, own, clinic.most_a_week,
        facts.get("text", "") if facts else "",
    )  # fmt: skip


@lru_cache(maxsize=8192)
def _start(starts: datetime, zone: str) -> datetime:
    """The instant of a visit; each message of its patient asks for it again."""
    return moment(starts, zone).at


def visit_of(due: Due) -> Visit | None:
    """The infusion a message is about; for a message about a course its first before, its last after."""
    message = due.message
    infusion = message.infusion_id or _of_occasion(message.occasion) or _of_facts(message.facts)
    if infusion and len(due.visits) == 1:
        return due.visits[0] if due.visits[0].id == infusion else None
    if infusion:
        return due.visits.by_id.get(infusion)
    live = [visit for visit in due.visits if visit.status != "cancelled"]
    if not live:
        return None
    return live[-1] if due.message.step.startswith("post.") else live[0]


def _of_occasion(occasion: str | None) -> UUID | None:
    kind, _, rest = (occasion or "").partition(":")
    return UUID(rest.partition(":")[0]) if kind == "visit" else None


def _of_facts(facts: Mapping[str, str]) -> UUID | None:
    """What stands in for a message about a visit remembers which."""
    return UUID(facts["infusion_id"]) if facts and "infusion_id" in facts else None


def _next(visits: Visits, now: datetime) -> datetime | None:
    if len(visits) == 1:  # the most usual by far, and asked for each message that goes out
        only = visits[0]
        start = _start(only.starts, only.zone) if only.status == "booked" else now
        return start if start > now else None
    place = bisect_right(visits.booked, now)
    return visits.booked[place] if place < len(visits.booked) else None
