"""Visits as fields of a form: one, or a course of them, each on its own line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from outreach.actions.cells import FARTHEST
from outreach.actions.enrol import NewVisit
from outreach.domain.window import moment
from outreach.errors import BadInput, say
from outreach.web.console.typed import Reading, whole
from outreach.web.views import formats_of, moment_in

MOST = 12
"""Visits on one form. A longer course is a list to import, or a second form."""
FIELDS = ("date", "time", "minutes", "every", "times",
          *(f"{name}{number}" for number in range(2, MOST + 1) for name in ("date", "time")))  # fmt: skip


def spread(form: Reading) -> None:
    """Turn "every so many days, so many times" into lines that can be changed one by one."""
    if not form.typed["every"] and not form.typed["times"]:
        return
    every = form.get("every", lambda text: whole(text, 1, 90))
    times = form.get("times", lambda text: whole(text, 2, MOST))
    try:
        first = date.fromisoformat(form.typed["date"])
    except ValueError:
        form.fault("date", say("Give the date of the first visit, such as 2026-11-28."))
        return
    if every is None or times is None:
        return
    for number in range(2, MOST + 1):
        used = number <= times
        day = first + timedelta(days=every * (number - 1)) if used and first.year < 2100 else None
        form.typed[f"date{number}"] = day.isoformat() if day else ""
        form.typed[f"time{number}"] = form.typed["time"] if used else ""
    form.typed["every"] = form.typed["times"] = ""


def asks_to_fill(typed: Mapping[str, str]) -> bool:
    """Whether "Fill in the dates" was pressed with something to fill in.

    It is the first button of its form, so the key Enter presses it too: without a course, that means "go on".
    """
    return typed.get("step") == "fill" and bool(typed.get("every", "").strip() or typed.get("times", "").strip())


def lines(typed: Mapping[str, str]) -> list[int]:
    """Which further lines the form shows: those that hold something."""
    return [number for number in range(2, MOST + 1) if typed.get(f"date{number}") or typed.get(f"time{number}")]


def read(form: Reading, zone: str, now: datetime, locale: str) -> tuple[NewVisit, ...]:
    """The visits, all still to come; what is wrong with any stands in `form.wrong`, for who reads `locale`."""
    minutes = form.get("minutes", length) or 1
    found: dict[datetime, str] = {}
    for suffix in ("", *(str(number) for number in lines(form.typed))):
        starts = _starts(form, suffix, zone, now, locale)
        if starts is not None and found.setdefault(starts, suffix) != suffix:
            form.fault(f"date{suffix}", say("This visit is on the form twice."))
    return tuple(NewVisit(starts=starts, zone=zone, minutes=minutes) for starts in sorted(found))


def length(text: str) -> int:
    """How long a visit takes, in minutes."""
    return whole(text, 1, 1440)


def wall(day: str, clock: str) -> datetime:
    """Wall time of a form's date and time fields; BadInput when it is none."""
    try:
        found = datetime.fromisoformat(f"{day}T{clock}")
    except ValueError:
        raise BadInput(say("Give a date and a time, such as 2026-11-28 and 10:00.")) from None
    return found.replace(tzinfo=None, second=0, microsecond=0)


def coming(form: Reading, starts: datetime, zone: str, now: datetime, locale: str, suffix: str = "") -> None:
    """Faults of a time that is over, out of reach, or skipped by the clock, in the form's own places.

    `locale`: of whoever reads them, for how a time is written.
    """
    if not now.year - 1 <= starts.year <= (now + FARTHEST).year:
        form.fault(f"date{suffix}", say("This year is too far away. Is the date right?"))
        return
    found = moment(starts, zone)
    if found.at <= now:
        text = say("This time is over: it is %(now)s at the clinic. Choose one that is still to come.",
                   now=moment_in(now, zone, formats_of(locale)))  # fmt: skip
        form.fault(f"date{suffix}", text)
    elif found.note.startswith("gap"):
        text = say("The clocks go forward then: this hour does not exist on that day. Choose another.")
        form.fault(f"time{suffix}", text)


def _starts(form: Reading, suffix: str, zone: str, now: datetime, locale: str) -> datetime | None:
    day, clock = form.typed[f"date{suffix}"], form.typed[f"time{suffix}"]
    try:
        starts = wall(day, clock)
    except BadInput as error:
        form.fault(f"time{suffix}" if day else f"date{suffix}", error.args[0])
        return None
    coming(form, starts, zone, now, locale, suffix)
    return starts
