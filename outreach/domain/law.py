"""A profile of the law: what a country asks of whoever writes to patients, as values to compute with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from outreach.domain.window import moment


@dataclass(frozen=True)
class Law:
    """One profile of config/law. `sources`: for each rule where it comes from.

    quiet_from, quiet_to   nobody is written to between them, on the patient's clock
    most_a_day, most_a_week  messages to one patient
    hint_days              a text says how to stop at the latest after so many days; 0: each does
    stop_business_days     a request to stop that a person heard is done within so many working days
    confirm_minutes        the one confirmation of a STOP leaves within these, or not at all
    revoke_all_from        from this day on a stop on one channel ends all; None: never
    join_from              regions (ISO 3166) whose numbers may join on the public page
    """

    code: str
    name: str
    quiet_from: time
    quiet_to: time
    most_a_day: int
    most_a_week: int
    hint_days: int
    stop_business_days: int
    confirm_minutes: int
    revoke_all_from: date | None
    join_from: tuple[str, ...]
    sources: Mapping[str, str]

    @property
    def hint_every(self) -> timedelta:
        return timedelta(days=self.hint_days)

    @property
    def confirm_within(self) -> timedelta:
        return timedelta(minutes=self.confirm_minutes)

    def ends_every_channel(self, today: date) -> bool:
        """Whether, on this day of the clinic's calendar, a stop on one channel speaks for all of them.

        It decides for the button of an e-mail and for what staff write down; STOP by text ends all channels anyway.
        """
        return self.revoke_all_from is not None and today >= self.revoke_all_from

    def stop_due(self, asked_on: date, zone: str) -> datetime:
        """By when a request to stop of this day must be done: the end of the last working day, by the clinic's clock.

        Public holidays count as working days: we do not know them all, and too early is the safe side.
        """
        day, left = asked_on, self.stop_business_days
        while left:
            day += timedelta(days=1)
            left -= day.weekday() < 5
        return moment(datetime.combine(day + timedelta(days=1), time()), zone).at

    def laxer(self, quiet_from: time, quiet_to: time, most_a_day: int, most_a_week: int) -> tuple[str, ...]:
        """The settings of a clinic that allow more than the profile does, by name."""
        minutes = _minutes(quiet_from) or 24 * 60  # midnight is the end of the day
        beyond = {
            "quiet_to": quiet_to < self.quiet_to,
            "quiet_from": minutes > (_minutes(self.quiet_from) or 24 * 60),
            "most_a_day": most_a_day > self.most_a_day,
            "most_a_week": most_a_week > self.most_a_week,
        }
        return tuple(name for name, more in beyond.items() if more)


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute
