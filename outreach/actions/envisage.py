"""Envisaging: the whole course as a patient would get it, exact words and local times; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from outreach.actions.compose import compose
from outreach.actions.replan import quiet_of
from outreach.content.spoken import Spoken
from outreach.domain.channel import Channel
from outreach.domain.message import Content, Planned
from outreach.domain.plan import Visit, Visits, at_once, plan
from outreach.domain.sequence import Sequence as Steps
from outreach.domain.sequence import Step
from outreach.domain.status import Status
from outreach.errors import BadInput
from outreach.store.due import ClinicFacts, Due
from outreach.store.seen import Seen

NOBODY = UUID(int=0)
CHANGED = ("moved", "cancelled")


@dataclass(frozen=True)
class Reader:
    """Whom the words are for: language, clock, channels, and whether words may be clinical."""

    locale: str
    zone: str
    wording: Literal["full", "neutral"] = "full"
    channels: tuple[Channel, ...] = (Channel.SMS, Channel.EMAIL)


@dataclass(frozen=True)
class Envisaged:
    """One message of the course. `content` is None where its words, or a value they need, are missing."""

    planned: Planned
    content: Content | None


@dataclass(frozen=True)
class Lens:
    """What one looks through: what the clinic may say, all sequences of the files, the clinic, an example of a link."""

    spoken: Spoken
    sequences: Mapping[str, Steps]
    clinic: ClinicFacts
    link: str

    def course(self, sequence: Steps, reader: Reader, visits: Sequence[Visit], now: datetime) -> list[Envisaged]:
        """The request for agreement, then everything dated, in order of due time. `sequence` is the clinic's own."""
        quiet = quiet_of(self.clinic)
        asked = [
            at_once(step, channel, reader.zone, now, quiet=quiet)
            for step in sequence.triggered("enrolment")
            for channel in step.channels
            if channel in reader.channels
        ]
        dated = plan(sequence, list(visits), reader.zone, reader.channels, now, quiet)
        return [Envisaged(one, self._content(one, reader, visits, now, {})) for one in [*asked, *dated]]

    def said(self, step: Step, channel: Channel, reader: Reader, visit: Visit, now: datetime) -> Content | None:
        """The words of one step, told about an example of a visit; of a change, that it was a day earlier before."""
        one = Planned(
            step.key, channel, visit.starts, reader.zone, "", now, visit.end, "",
            infusion_id=visit.id if step.once_per == "infusion" else None, course_id=visit.course_id,
        )  # fmt: skip
        return self._content(one, reader, [visit], now, facts_of(step, visit))

    def _content(
        self, one: Planned, reader: Reader, visits: Sequence[Visit], now: datetime, facts: Mapping[str, str]
    ) -> Content | None:
        due = _due(one, self.clinic, reader, visits, facts)
        warned = reader.wording == "full"
        try:
            # The hour it goes out, not this one: "your next visit" is the next one then.
            return compose(due, self.spoken, self.sequences, self.link, self.link, warned, max(one.due_at, now)).content
        except BadInput:
            return None


def facts_of(step: Step, visit: Visit) -> dict[str, str]:
    """What a message about this visit remembers of it."""
    facts = {"infusion_id": str(visit.id)}
    if step.trigger in CHANGED:
        facts |= {"revision": str(visit.revision), "minutes": str(visit.minutes)}
        facts["old_start"] = (visit.start - timedelta(days=1)).isoformat()
    if step.trigger == "moved":
        facts["new_start"] = visit.start.isoformat()
    return facts


def _due(one: Planned, clinic: ClinicFacts, reader: Reader, visits: Sequence[Visit], facts: Mapping[str, str]) -> Due:
    """A planned message as the pump would read it, without its rows."""
    seen = Seen(
        id=NOBODY, clinic_id=clinic.id, patient_id=NOBODY, address_id=None, course_id=one.course_id,
        infusion_id=one.infusion_id, occasion=None, step=one.step, channel=one.channel, wall=one.wall, zone=one.zone,
        rule=one.rule, due_at=one.due_at, useful_until=one.useful_until, status=Status.SCHEDULED, reason=None,
        locale=None, wording=None, subject="", body="", segments=0, attempts=0, carrier=None, sent_at=None,
        ended_at=None, facts=facts,
    )  # fmt: skip
    ordered = Visits(sorted(visits, key=lambda visit: (visit.starts, visit.id.bytes)))
    return Due(seen, clinic, None, True, True, reader.locale, reader.zone, reader.wording, ordered)
