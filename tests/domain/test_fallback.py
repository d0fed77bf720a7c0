"""What follows from each reason for which a message did not arrive."""

from __future__ import annotations

import pytest

from outreach.domain.channel import Channel
from outreach.domain.fallback import NOTHING, TELLING, Follows, after
from outreach.errors import Reason

STEP = "pre.tomorrow"
SMS, EMAIL = Channel.SMS, Channel.EMAIL
TABLE = {
    (SMS, Reason.BAD_NUMBER): Follows(unusable=True, elsewhere=True),
    (SMS, Reason.UNKNOWN_HANDSET): Follows(unusable=False, elsewhere=True),
    (SMS, Reason.UNREACHABLE): Follows(unusable=False, elsewhere=True),
    (SMS, Reason.BLOCKED): Follows(unusable=False, elsewhere=True),
    (SMS, Reason.RETRIES_SPENT): Follows(unusable=False, elsewhere=True),
    (EMAIL, Reason.BAD_MAILBOX): Follows(unusable=True, elsewhere=False),
}


@pytest.mark.parametrize("reason", [None, *Reason])
@pytest.mark.parametrize("channel", Channel)
def test_only_the_reasons_of_the_table_have_consequences(channel: Channel, reason: Reason | None) -> None:
    assert after(channel, STEP, reason) == TABLE.get((channel, reason), NOTHING)  # type: ignore[arg-type]
    assert after(channel, STEP, reason) == NOTHING or reason in TELLING


@pytest.mark.parametrize("step", ["consent.request", "consent.confirmed", "reply.stopped", "reply.help"])
def test_what_asks_or_answers_one_address_is_not_said_to_another(step: str) -> None:
    assert after(SMS, step, Reason.BAD_NUMBER) == Follows(unusable=True, elsewhere=False)
    assert after(SMS, step, Reason.BLOCKED) == NOTHING


def test_an_unknown_handset_is_a_dead_number_on_the_second_day() -> None:
    assert after(SMS, STEP, Reason.UNKNOWN_HANDSET, another_day=True) == Follows(unusable=True, elsewhere=True)
    assert not after(SMS, STEP, Reason.UNREACHABLE, another_day=True).unusable
