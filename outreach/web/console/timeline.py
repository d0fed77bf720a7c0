"""Messages as staff look at them: exact words where they went out, words composed now where they are still to come."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.compose import compose, grounds, wish_of
from outreach.domain.consent import ConsentEvent, Permission, State, may_contact
from outreach.domain.decision import needs_agreement
from outreach.domain.status import Status
from outreach.domain.window import zone as zone_of
from outreach.errors import BadInput, NotApproved, Reason
from outreach.store import consents
from outreach.store import news as kept
from outreach.store.due import Due, looked_at
from outreach.store.news import News
from outreach.store.seen import Seen
from outreach.store.told_once import truly
from outreach.store.waiting import awaiting_yes
from outreach.web.forms import Wired

# A patient's link is the patient's: whoever holds it can agree in their name, so the desk does not get to see it.
_UNANSWERED = (State.NONE, State.ASKED)
_LINK = re.compile(r"(/[pu]/)[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])")


@dataclass(frozen=True)
class Item:
    """One line of a timeline. `preview`: the words are what it would say now, not what was said. `lacking`: the
    language and message (`es/pre.tomorrow`) whose words the clinic has not approved: it waits for them. `beside`: what
    a preview says, in the language of who looks at it; "" where that is the same one or cannot be said. `waits`: it is
    planned, or was due already and is given back by a yes, but its address has not agreed yet."""

    seen: Seen
    at: datetime
    clinic_zone: str
    subject: str = ""
    text: str = ""
    preview: bool = False
    direction: str = "auto"
    tag: str = ""
    name: str = ""
    news: tuple[News, ...] = ()
    segments: int = 0
    lacking: str = ""
    beside: str = ""
    waits: bool = False

    @property
    def zone(self) -> str:
        return self.seen.zone

    @property
    def over(self) -> bool:
        return self.seen.status is not Status.SCHEDULED and not self.waits

    @property
    def differs(self) -> bool:
        """Whether the patient's clock shows another time than the clinic's."""
        here, there = (self.at.astimezone(zone_of(name)) for name in (self.zone, self.clinic_zone))
        return here.utcoffset() != there.utcoffset()


def items(
    session: Session, out: Wired, rows: Iterable[Seen], clinic_zone: str, now: datetime, beside: str = ""
) -> list[Item]:  # fmt: skip
    """Lines for `rows`, in their order, with words; what is to come also in the language `beside`, if one is named."""
    read = Reading.of(session, out, rows, now)
    return [read.item(session, row, clinic_zone, beside) for row in read.rows]


@dataclass(frozen=True)
class Reading:
    """Messages as they stood when they were read, with all that their words follow from: words are composed for those
    that somebody gets to see, which costs more than all the rest. They stay what they were, whatever changes later."""

    out: Wired
    now: datetime
    rows: list[Seen]
    coming: Mapping[UUID, Due]
    ledgers: Mapping[UUID, Sequence[ConsentEvent]]
    _permissions: dict[UUID | None, Permission] = field(default_factory=dict, init=False)

    @classmethod
    def of(cls, session: Session, out: Wired, rows: Iterable[Seen], now: datetime) -> Self:
        listed = list(rows)
        held = awaiting_yes(session, [row.id for row in listed if row.reason is Reason.NO_CONSENT], now)
        theirs = consents.asking({row.address_id for row in listed if row.address_id})
        dues, said = looked_at(session, [row for row in listed if _to_come(row, held)], theirs)
        coming, ledgers = {due.message.id: due for due in dues}, consents.told(said)
        settled = [row for row in listed if row.id not in held]
        for at, row in enumerate(listed):
            if row.reason is not None and (reason := truly(row, settled)) is not row.reason:
                listed[at] = row._replace(reason=reason)
        return cls(out, now, listed, coming, ledgers)

    def item(self, session: Session, row: Seen, clinic_zone: str, beside: str = "") -> Item:
        """The line of a row, with its words; `beside` as in items()."""
        due = self.coming.get(row.id)
        if due is None:
            return _said(self.out, row, clinic_zone)
        item = _composed(session, self.out, due, clinic_zone, self._warned(row), self.now, beside)
        return replace(item, waits=self.waits(row))

    def waits(self, row: Seen) -> bool:
        """Whether it is planned, or was due already and is given back by a yes, but its address has not agreed yet."""
        return row.id in self.coming and self._permission(row).state in _UNANSWERED and needs_agreement(row.step)

    def live(self, row: Seen | None) -> bool:
        """Whether it is still to go: planned, or kept back until the patient agrees."""
        return row is not None and (row.status is Status.SCHEDULED or row.id in self.coming)

    def moment(self, row: Seen) -> object:
        """When it goes; what waits for the patient's yes alone has none of its own."""
        return None if row.due_at <= self.now and self.waits(row) else row.due_at

    def basis(self, row: Seen) -> object:
        """What the words of one to come follow from: where it is equal, so are they. None: it is not to come."""
        due = self.coming.get(row.id)
        if due is None:
            return None
        return grounds(due, self._warned(row), max(due.message.due_at, self.now))

    def tongue(self, session: Session, row: Seen) -> str:
        """The language in which one to come would be said; "" where that is not known without composing it."""
        due = self.coming.get(row.id)
        if due is None:
            return ""
        spoken = self.out.speakers.view(session, due.clinic, self.out.words)
        wanted, wording = wish_of(due, self._warned(row))
        try:
            choice = spoken.choice(row.step, row.channel, wanted, wording)
        except BadInput:
            return ""
        return choice.locale.partition("_")[0] if choice else ""

    def _warned(self, row: Seen) -> bool:
        """Whether it may be clinical when it goes: before the patient's yes nothing goes, and our question warns."""
        permission = self._permission(row)
        return permission.warned or permission.state in _UNANSWERED

    def _permission(self, row: Seen) -> Permission:
        if row.address_id not in self._permissions:
            events = self.ledgers.get(row.address_id, ()) if row.address_id else ()
            self._permissions[row.address_id] = may_contact(events, self.now)
        return self._permissions[row.address_id]


def with_news(session: Session, clinic_id: UUID, shown: Iterable[Item]) -> list[Item]:
    """The same lines with everything that is known of each message."""
    listed = list(shown)
    found = kept.of_messages(session, clinic_id, [item.seen.id for item in listed])
    return [replace(item, news=tuple(found.get(item.seen.id, ()))) for item in listed]


def _to_come(row: Seen, held: Collection[UUID]) -> bool:
    return (row.status is Status.SCHEDULED or row.id in held) and not row.body


def _said(out: Wired, row: Seen, clinic_zone: str) -> Item:
    direction, tag = _language(out, row.locale)
    text = _LINK.sub(r"\1…", row.body)
    at = row.sent_at or row.due_at
    return Item(row, at, clinic_zone, row.subject, text, False, direction, tag, segments=row.segments)


def _composed(
    session: Session, out: Wired, due: Due, clinic_zone: str, warned: bool, now: datetime, beside: str
) -> Item:  # fmt: skip
    """The words it would have if it went now; none when they are missing, which dispatch would say as well."""
    row, link = due.message, f"{out.settings.public_url}/p/example"
    spoken = out.speakers.view(session, due.clinic, out.words)
    at = max(row.due_at, now)  # as of then: "next visit" must not name one that will be over
    try:
        content = compose(due, spoken, out.sequences, link, link, warned, at).content
    except NotApproved as error:
        return Item(row, row.due_at, clinic_zone, lacking=f"{error.locale}/{error.step}")
    except BadInput:
        return Item(row, row.due_at, clinic_zone)
    direction, tag = _language(out, content.locale)
    theirs = ""
    if beside in out.words.voices and beside != content.locale:
        reader = due._replace(patient_locale=beside, message=row._replace(locale=None))
        with suppress(BadInput):  # NotApproved too: whoever looks has no words of theirs to look at
            known = compose(reader, spoken, out.sequences, link, link, warned, at).content
            theirs = "\n\n".join(filter(None, (known.subject, known.text)))
    return Item(row, row.due_at, clinic_zone, content.subject, content.text, True, direction, tag,
                segments=content.segments, beside=theirs)  # fmt: skip


def _language(out: Wired, locale: str | None) -> tuple[str, str]:
    try:
        language = out.words.language(locale or "")
    except BadInput:
        return "auto", ""
    return language.direction, language.tag
