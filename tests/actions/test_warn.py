"""Staff are told once of a file of words that is wrong, and no more when it is mended."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from outreach.actions.warn import warn
from outreach.errors import BadFile
from outreach.store import alerts
from outreach.store.tables import Clinic
from tests.store.stock import NOW

AR = "locales/ar/LC_MESSAGES/messages.po"
WRONG = BadFile(AR, 812, "pre.tomorrow.sms: the placeholder %(phone)s is missing.", "Put it where its value belongs.")


def test_each_fault_is_told_once_and_taken_back_when_mended(session: Session, clinic: Clinic) -> None:
    def opened() -> list[tuple[str, str, int]]:
        return [(one.key, one.about, one.count) for one in alerts.open_alerts(session, clinic.id)]

    warn(session, None, NOW)
    assert opened() == []
    for minute in range(3):
        warn(session, WRONG, NOW + timedelta(minutes=minute))
    about = f"{AR}:812: pre.tomorrow.sms: the placeholder %(phone)s is missing. Put it where its value belongs."
    assert opened() == [(AR, about, 1)]
    warn(session, BadFile(AR, 9, "the quotation marks do not match."), NOW)
    assert opened() == [(AR, f"{AR}:9: the quotation marks do not match.", 2)], "the newest fault of the same file"
    warn(session, BadFile("config/languages.yaml", 0, "it is gone."), NOW)
    assert [key for key, _, _ in opened()] == ["config/languages.yaml"]
    warn(session, None, NOW)
    assert opened() == []
