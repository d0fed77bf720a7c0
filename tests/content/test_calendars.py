"""The calendar, written by hand for speed, against the library that knows the standard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar, Event

from outreach.content import calendars

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=120) | st.sampled_from(
    ["a,b;c\\d", "موعد " * 40, "x" * 200, "é" * 70, "👩‍⚕️" * 20, "two\nlines", '"quoted"']
)
MOMENTS = st.datetimes(
    min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.timezones() | st.just(UTC)
)


@given(
    uid=st.uuids().map(str) | TEXTS, sequence=st.integers(0, 10**6), start=MOMENTS, minutes=st.integers(1, 1440),
    summary=TEXTS, location=TEXTS | st.just(""), method=st.sampled_from(["PUBLISH", "CANCEL"]), now=MOMENTS,
)  # fmt: skip
def test_it_is_byte_for_byte_what_the_library_writes(
    uid: str, sequence: int, start: datetime, minutes: int, summary: str, location: str,
    method: calendars.Method, now: datetime,
) -> None:  # fmt: skip
    made = calendars.visit(uid, sequence, start, minutes, summary, location, method, now)
    assert made == _by_library(uid, sequence, start, minutes, summary, location, method, now)
    event = Calendar.from_ical(made).walk("VEVENT")[0]
    # As instants: a time inside a gap equals nothing in another zone, not even itself.
    assert event.decoded("DTSTART").timestamp() == start.replace(microsecond=0).timestamp()
    assert event.decoded("DTEND") - event.decoded("DTSTART") == timedelta(minutes=minutes)
    assert max(map(len, made.split(b"\r\n"))) <= 75


def _by_library(
    uid: str, sequence: int, start: datetime, minutes: int, summary: str, location: str, method: str, now: datetime
) -> bytes:
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
