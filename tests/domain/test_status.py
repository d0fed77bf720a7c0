"""Statuses move forward only, whatever order the news comes in."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.status import ENDS, RANK, Status, advance

statuses = st.sampled_from(list(Status))


def test_every_status_has_a_rank() -> None:
    assert set(RANK) == set(Status)


@given(statuses, statuses)
def test_news_never_moves_a_message_back(current: Status, news: Status) -> None:
    after = advance(current, news)
    assert after in (current, news)
    assert RANK[after] >= RANK[current]


@given(st.lists(statuses), st.sampled_from(sorted(ENDS)))
def test_the_first_end_stays(news: list[Status], end: Status) -> None:
    status = end
    for word in news:
        status = advance(status, word)
    assert status is end


@given(statuses, statuses)
def test_news_heard_twice_counts_once(current: Status, news: Status) -> None:
    assert advance(advance(current, news), news) is advance(current, news)


def test_receipts_in_any_order_end_in_delivered() -> None:
    for order in permutations([Status.ACCEPTED, Status.SENT, Status.DELIVERED]):
        status = Status.SENDING
        for word in order:
            status = advance(status, word)
        assert status is Status.DELIVERED


@pytest.mark.parametrize("news", [Status.ACCEPTED, Status.SENT, Status.DELIVERED, Status.UNDELIVERED, Status.FAILED])
def test_a_callback_settles_an_unknown_fate(news: Status) -> None:
    assert advance(Status.UNKNOWN, news) is news
