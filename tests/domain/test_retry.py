"""Retries: bounded, spread, never sooner than asked, never when the message has become useless."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.domain.retry import (
    AT_ONCE,
    LONGEST_NOT_BEGUN,
    MOST_ATTEMPTS,
    GiveUp,
    Retry,
    after_not_begun,
    after_refusal,
)  # fmt: skip
from outreach.domain.status import Status
from outreach.errors import Reason, Refused

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
FAR = NOW + timedelta(days=2)
BUSY = Refused(Reason.QUOTA, retry=True)


def wait(attempts: int, seed: str = "", refused: Refused = BUSY) -> timedelta:
    decided = after_refusal(refused, attempts, NOW, FAR, seed)
    assert isinstance(decided, Retry)
    return decided.at - NOW


def test_a_final_refusal_gives_up_with_its_own_reason() -> None:
    assert after_refusal(Refused(Reason.BAD_NUMBER), 1, NOW, FAR) == GiveUp(Reason.BAD_NUMBER, Status.FAILED)


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 20), (2, 80), (3, 320), (4, 1280), (5, 3600)])
def test_waits_grow_fourfold_up_to_an_hour(attempts: int, seconds: int) -> None:
    assert timedelta(seconds=seconds / 2) <= wait(attempts) <= timedelta(seconds=seconds)


def test_messages_refused_together_do_not_come_back_together() -> None:
    assert len({wait(1, f"attempt {number}") for number in range(50)}) == 50


def test_the_same_attempt_gets_the_same_answer() -> None:
    assert wait(2, "one") == wait(2, "one")


def test_attempts_are_bounded() -> None:
    assert after_refusal(BUSY, MOST_ATTEMPTS, NOW, FAR) == GiveUp(Reason.RETRIES_SPENT, Status.FAILED)


def test_the_carriers_wish_is_respected() -> None:
    assert wait(1, refused=Refused(Reason.QUOTA, retry=True, after=900)) == timedelta(seconds=900)


def test_a_wish_shorter_than_our_wait_does_not_shorten_it() -> None:
    assert wait(1, refused=Refused(Reason.QUOTA, retry=True, after=1)) >= timedelta(seconds=10)


def test_a_retry_that_would_come_too_late_expires_instead() -> None:
    soon = NOW + timedelta(seconds=5)
    assert after_refusal(BUSY, 1, NOW, soon) == GiveUp(Reason.TOO_LATE, Status.EXPIRED)


def test_what_was_not_begun_is_tried_again_at_once_but_not_for_ever() -> None:
    waits = [after_not_begun(attempts, NOW, "x") - NOW for attempts in range(1, 12)]
    assert waits[:AT_ONCE] == [timedelta(0)] * AT_ONCE
    assert all(timedelta(seconds=10) <= one <= LONGEST_NOT_BEGUN for one in waits[AT_ONCE:])
    assert waits[-1] == LONGEST_NOT_BEGUN


@settings(deadline=None)
@given(
    st.integers(-2, 1000),
    st.floats() | st.none(),
    st.timedeltas(timedelta(0), timedelta(days=400)),
    st.text(max_size=5),
)
def test_whatever_the_carrier_says_a_retry_lies_ahead_and_in_time(
    attempts: int, after: float | None, useful: timedelta, seed: str
) -> None:
    decided = after_refusal(Refused(Reason.TRANSIENT, retry=True, after=after), attempts, NOW, NOW + useful, seed)
    if isinstance(decided, Retry):
        assert NOW < decided.at < NOW + useful
        assert attempts < MOST_ATTEMPTS
