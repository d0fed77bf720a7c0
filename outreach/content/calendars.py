"""The calendar part of a message: one visit that phones can add, move and remove."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

from icalendar import Event

Method = Literal["PUBLISH", "CANCEL"]

# Needs neither escaping nor folding: the id of a visit, which never comes twice and so is not worth keeping.
_PLAIN = re.compile(r"[\w@.:-]{1,60}", re.ASCII)


def visit(
    uid: str,
    sequence: int,
    start: datetime,
    minutes: int,
    summary: str,
    location: str,
    method: Method,
    now: datetime,
) -> bytes:
    """An RFC 5545 calendar of one event. Same uid and a higher sequence move it; calendars are shared and synced, so
    summary and location must tell nothing about health. Times are UTC: no zone rules to grow old on the phone."""
    begins = start.astimezone(UTC)
    ends = begins + timedelta(minutes=minutes)
    status = "CANCELLED" if method == "CANCEL" else "CONFIRMED"
    return (
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//outreach//visits//EN\r\nMETHOD:{method}\r\nBEGIN:VEVENT\r\n"
        f"{_line('summary', summary)}DTSTART:{_utc(begins)}\r\nDTEND:{_utc(ends)}\r\n"
        f"DTSTAMP:{_utc(now.astimezone(UTC))}\r\n"
        f"{_uid(uid)}SEQUENCE:{sequence}\r\n"
        f"{_line('location', location) if location else ''}STATUS:{status}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


def _utc(at: datetime) -> str:
    return f"{at.year:04}{at.month:02}{at.day:02}T{at.hour:02}{at.minute:02}{at.second:02}Z"


@lru_cache(maxsize=4096)
def _line(name: str, text: str) -> str:
    """A property as the library writes it: escaped and folded."""
    event = Event()
    event.add(name, text)
    lines: bytes = event.to_ical()
    return lines.decode().removeprefix("BEGIN:VEVENT\r\n").removesuffix("END:VEVENT\r\n")


def _uid(uid: str) -> str:
    return f"UID:{uid}\r\n" if _PLAIN.fullmatch(uid) else _line("uid", uid)
