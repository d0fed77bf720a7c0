"""The hours of one claim: when each patient may be written to, by the worker's clock and by the one all share."""

from __future__ import annotations

from datetime import datetime

from outreach.actions.replan import quiet_of
from outreach.domain.decision import AT_ONCE
from outreach.store.due import Due


class Hours:
    """`now`: what the claim goes by. `shared`: the database's time, where `now` is far behind it; else None."""

    def __init__(self, now: datetime, shared: datetime | None) -> None:
        self._now, self._shared = now, shared
        self._openings: dict[tuple[int, str], datetime] = {}

    def opening(self, due: Due) -> datetime:
        """When this patient may be written to: the same for all of a clinic in one zone. BadInput: no such zone."""
        if AT_ONCE in due.message.facts:
            return self._now
        place = id(due.clinic), due.patient_zone
        opening = self._openings.get(place)
        if opening is None:
            opening = self._openings[place] = quiet_of(due.clinic).next_open(self._now, due.patient_zone)
        return opening

    def doubted(self, due: Due) -> bool:
        """By day here, by night or too late there: nobody knows which of the two clocks is right, so it should wait."""
        shared = self._shared
        if shared is None:
            return False
        night = AT_ONCE not in due.message.facts and quiet_of(due.clinic).next_open(shared, due.patient_zone) > shared
        return night or shared >= due.message.useful_until
