"""The calendar part of a message: one visit that phones can add, move and remove."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from icalendar import Calendar, Event

Method = Literal["PUBLISH", "CANCEL"]


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
    event = Event()
    event.add("uid", uid)
    event.add("sequence", sequence)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", start.astimezone(UTC))
    event.add("dtend", start.astimezone(UTC) + timedelta(minutes=minutes))
    event.add("summary", summary)
    event.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    if location:
        event.add("location", location)
    calendar = Calendar()
    calendar.add("prodid", "-//outreach//visits//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(event)
    return bytes(calendar.to_ical())
