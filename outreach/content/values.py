"""What a message is told about its reader's clinic and visit, and the form in which templates see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from outreach.content import formats
from outreach.content.voice import Voice
from outreach.errors import BadInput

Medium = Literal["sms", "email", "page"]


@dataclass(frozen=True)
class Values:
    """Moments are aware datetimes. What is None or "" is missing: a message that needs it is refused, never patched.

    zone         IANA zone of the reader; times are told in it
    clinic_zone  when given and its clock differs then, visit times are told by the clinic's clock, and say so
    instructions the clinic's own text in the reader's language, shown as it is; may be empty
    frequency    messages a week at most, as promised when asking for consent
    """

    clinic: str
    clinic_phone: str
    zone: str
    clinic_address: str = ""
    clinic_zone: str = ""
    emergency: str = ""
    visit_start: datetime | None = None
    visit_minutes: int | None = None
    visit_uid: str = ""
    visit_sequence: int = 0
    old_start: datetime | None = None
    next_visit: datetime | None = None
    link: str = ""
    unsubscribe: str = ""
    instructions: str = ""
    frequency: int = 7


def context(voice: Voice, values: Values, medium: Medium) -> dict[str, Any]:
    """The names templates may use. A missing value has no name, so that StrictUndefined speaks up."""
    named: dict[str, Any] = {
        "clinic": _shown(voice, values.clinic),
        "phone": _shown(voice, formats.phone(values.clinic_phone)),
        "address": _shown(voice, values.clinic_address),
        "emergency": _shown(voice, formats.phone(values.emergency)),
        "minutes": values.visit_minutes,
        "link": _address("link", values.link),
        "unsubscribe": _address("unsubscribe", values.unsubscribe),
        **_moment(voice, values, "", values.visit_start),
        **_moment(voice, values, "old_", values.old_start),
        **_moment(voice, values, "next_", values.next_visit),
    }
    present = {name: value for name, value in named.items() if value not in (None, "")}
    lines = [formats.plain(line) for line in values.instructions.splitlines()]
    return present | {"instructions": [x for x in lines if x], "frequency": values.frequency, "medium": medium}


def _shown(voice: Voice, value: str) -> str:
    return formats.isolated(voice.language, formats.plain(value))


def _address(name: str, url: str) -> str:
    if url and (not url.startswith(("https://", "http://")) or any(char.isspace() or char in "<>\"'" for char in url)):
        raise BadInput(f"{name} is not a web address; it must begin with https:// and hold no blanks.")
    return url


def _moment(voice: Voice, values: Values, prefix: str, moment: datetime | None) -> dict[str, str]:
    if moment is None:
        return {}
    if moment.tzinfo is None:
        raise BadInput("A moment without a zone was given; pass aware datetimes.")
    here = moment.astimezone(_zone(values.zone))
    there = moment.astimezone(_zone(values.clinic_zone)) if values.clinic_zone else here
    said = formats.time(voice.language, there)
    # Someone who reads "11:00" at home and drives to where it is 10:00 misses nothing; the other way round, the visit.
    if there.utcoffset() != here.utcoffset():
        said = voice.say("time.clinic", time=said)
    return {f"{prefix}day": formats.day(voice.language, there), f"{prefix}time": said}


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadInput(f"The zone {name!r} is unknown; write one like America/Vancouver.") from error
