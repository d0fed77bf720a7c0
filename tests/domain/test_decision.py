"""Whether a message goes: answers go back to whoever wrote, everything else only where it may."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from outreach.domain.decision import ANSWERS, GO, REPLIES, REQUEST, End, Standing, decide
from outreach.domain.status import Status
from outreach.errors import Reason
from tests import shipped

NOW = datetime(2026, 12, 1, 18, tzinfo=UTC)
GONE = Standing(False, False, False, True, Reason.OPTED_OUT, usable=True)
"""An inactive patient who stopped, at a number from before that works."""


def decided(step: str, standing: Standing) -> object:
    return decide(step, NOW + timedelta(hours=1), standing, NOW + timedelta(hours=9), NOW)


@pytest.mark.parametrize("step", sorted(REPLIES))
def test_an_answer_goes_back_to_an_inactive_patient_and_to_a_number_from_before(step: str) -> None:
    assert decided(step, GONE) == GO


@pytest.mark.parametrize("step", sorted(REPLIES))
def test_an_answer_ends_where_there_is_no_address_that_works(step: str) -> None:
    assert decided(step, GONE._replace(usable=False)) == End(Status.SUPPRESSED, Reason.NO_ADDRESS)


@pytest.mark.parametrize("step", [*sorted(ANSWERS - REPLIES), REQUEST, "pre.the_day"])
def test_what_answers_nobody_goes_neither_to_an_inactive_patient_nor_to_an_old_number(step: str) -> None:
    assert decided(step, GONE) == End(Status.SUPPRESSED, Reason.PATIENT_INACTIVE)
    assert decided(step, GONE._replace(active=True)) == End(Status.SUPPRESSED, Reason.NO_ADDRESS)


def test_every_step_that_answers_a_patient_and_no_other_is_known_as_an_answer() -> None:
    """A forgotten one waits for the morning and for an agreement: even what is urgent, or confirms a STOP."""
    called = {"agreed", "escalated"}
    said = {one.key for one in shipped.sequence().steps if one.trigger in called or one.once_per == "message"}
    assert said - {"staff.message"} == ANSWERS
