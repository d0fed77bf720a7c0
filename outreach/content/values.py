"""What a message is told about its reader's clinic and visit, and the form in which templates see it."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from outreach.content import formats
from outreach.content.voice import Voice
from outreach.errors import BadInput

Medium = Literal["sms", "email", "page"]
_ADDRESS = re.compile(r"https?://[^\s<>\"']*")


class Values(NamedTuple):
    """Moments are aware datetimes. What is None or "" is missing: a message that needs it is refused, never patched.

    zone         IANA zone of the reader; times are told in it
    clinic_zone  when given and its clock differs then, visit times are told by the clinic's clock, and say so
    instructions the clinic's own text in the reader's language, shown as it is; may be empty
    frequency    messages a week at most, as promised when asking for consent
    text         what a member of staff wrote to this patient, shown as it is
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
    text: str = ""


class Teller:
    """Tells values in one language, as templates see them. What was told before is kept: clinics, days and clocks
    come again with each message. Safe to share between threads."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._shown = lru_cache(maxsize=4096)(partial(_shown, voice))
        self._phone = lru_cache(maxsize=4096)(partial(_phone, voice))
        self._moment = lru_cache(maxsize=16384)(partial(_moment, voice))
        self._lines = lru_cache(maxsize=1024)(partial(_lines, voice))

    def context(self, values: Values, medium: Medium) -> dict[str, Any]:
        """The names templates may use. A missing value has no name, so that StrictUndefined speaks up."""
        told: dict[str, Any] = {
            "clinic": self._shown(values.clinic),
            "phone": self._phone(values.clinic_phone),
            "address": self._shown(values.clinic_address),
            "emergency": self._phone(values.emergency),
            "link": _address("link", values.link),
            "unsubscribe": _address("unsubscribe", values.unsubscribe),
            "text": formats.written(self._voice.language, values.text) if values.text else "",
        }
        if "" in told.values():
            told = {name: value for name, value in told.items() if value}
        told["instructions"] = self._lines(values.instructions) if values.instructions else ()
        told["frequency"] = values.frequency
        told["medium"] = medium
        if values.visit_minutes is not None:
            told["minutes"] = values.visit_minutes
        # fold: two moments of the hour that comes twice are equal to Python when they share their zone.
        here, there = values.zone, values.clinic_zone
        if (at := values.visit_start) is not None:
            told["day"], told["time"] = self._moment(at, at.fold, here, there)
        if (at := values.old_start) is not None:
            told["old_day"], told["old_time"] = self._moment(at, at.fold, here, there)
        if (at := values.next_visit) is not None:
            told["next_day"], told["next_time"] = self._moment(at, at.fold, here, there)
        return told


def _shown(voice: Voice, value: str) -> str:
    return formats.isolated(voice.language, formats.plain(value))


def _phone(voice: Voice, value: str) -> str:
    return _shown(voice, formats.phone(value))


def _lines(voice: Voice, text: str) -> tuple[str, ...]:
    return tuple(line for one in text.splitlines() if (line := formats.own_way(voice.language, one)))


def _address(name: str, url: str) -> str:
    if url and not _ADDRESS.fullmatch(url):
        raise BadInput(f"{name} is not a web address; it must begin with https:// and hold no blanks.")
    return url


def _moment(voice: Voice, moment: datetime, fold: int, zone: str, clinic_zone: str) -> tuple[str, str]:
    """Day and time of day."""
    if moment.tzinfo is None:
        raise BadInput("A moment without a zone was given; pass aware datetimes.")
    here = moment.astimezone(_zone(zone))
    there = moment.astimezone(_zone(clinic_zone)) if clinic_zone else here
    said = formats.time(voice.language, there)
    # Someone who reads "11:00" at home and drives to where it is 10:00 misses nothing; the other way round, the visit.
    if there.utcoffset() != here.utcoffset():
        said = voice.say("time.clinic", time=said)
    return formats.day(voice.language, there), said


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadInput(f"The zone {name!r} is unknown; write one like America/Vancouver.") from error
