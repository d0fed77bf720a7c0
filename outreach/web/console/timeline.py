"""Messages as staff look at them: exact words where they went out, words composed now where they are still to come."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.compose import compose
from outreach.domain.consent import ConsentEvent, Permission, State, may_contact
from outreach.domain.decision import needs_agreement
from outreach.domain.status import Status
from outreach.domain.window import zone as zone_of
from outreach.errors import BadInput, NotApproved
from outreach.store import consents
from outreach.store import news as kept
from outreach.store.due import Due, read_due
from outreach.store.news import News
from outreach.store.seen import Seen
from outreach.store.told_once import truly
from outreach.web.forms import Wired

# A patient's link is the patient's: whoever holds it can agree in their name, so the desk does not get to see it.
_UNANSWERED = (State.NONE, State.ASKED)
_LINK = re.compile(r"(/[pu]/)[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])")


@dataclass(frozen=True)
class Item:
    """One line of a timeline. `preview`: the words are what it would say now, not what was said. `lacking`: the
    language and message (`es/pre.tomorrow`) whose words the clinic has not approved: it waits for them. `beside`: what
    a preview says, in the language of who looks at it; "" where that is the same one or cannot be said. `waits`: it is
    planned, but its address has not agreed yet."""

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
        return self.seen.status is not Status.SCHEDULED

    @property
    def differs(self) -> bool:
        """Whether the patient's clock shows another time than the clinic's."""
        here, there = (self.at.astimezone(zone_of(name)) for name in (self.zone, self.clinic_zone))
        return here.utcoffset() != there.utcoffset()


def items(
    session: Session, out: Wired, rows: Iterable[Seen], clinic_zone: str, now: datetime, beside: str = ""
) -> list[Item]:  # fmt: skip
    """Lines for `rows`, in their order, with words; what is to come also in the language `beside`, if one is named."""
    listed = list(rows)
    coming = {due.message.id: due for due in read_due(session, [row.id for row in listed if _to_come(row)])}
    ledgers = consents.ledgers(session, {row.address_id for row in listed if row.address_id})
    found = []
    for row in (row._replace(reason=truly(row, listed)) for row in listed):
        due = coming.get(row.id)
        if due is None:
            found.append(_said(out, row, clinic_zone))
            continue
        permission = _permission(due, ledgers, now)
        item = _composed(session, out, due, clinic_zone, _will_be_warned(permission), now, beside)
        found.append(replace(item, waits=permission.state in _UNANSWERED and needs_agreement(row.step)))
    return found


def with_news(session: Session, clinic_id: UUID, shown: Iterable[Item]) -> list[Item]:
    """The same lines with everything that is known of each message."""
    listed = list(shown)
    found = kept.of_messages(session, clinic_id, [item.seen.id for item in listed])
    return [replace(item, news=tuple(found.get(item.seen.id, ()))) for item in listed]


def _permission(due: Due, ledgers: Mapping[UUID, Sequence[ConsentEvent]], now: datetime) -> Permission:
    return may_contact(ledgers.get(due.message.address_id, ()) if due.message.address_id else (), now)


def _will_be_warned(permission: Permission) -> bool:
    """Whether it may be clinical when it goes: before the patient's yes nothing goes, and our question warns."""
    return permission.warned or permission.state in _UNANSWERED


def _to_come(row: Seen) -> bool:
    return row.status is Status.SCHEDULED and not row.body


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
