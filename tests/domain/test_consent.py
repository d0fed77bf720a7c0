"""Consent: no order of events that ends in a no gives a yes, and START gives back only what STOP took."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentEvent, ConsentKind, State, may_ask, may_contact
from outreach.errors import Reason

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=30)
TAKES = (ConsentKind.OPTED_OUT, ConsentKind.REVOKED_BY_STAFF, ConsentKind.REVOKED_BY_CARRIER)


def told(*kinds: str, **more: object) -> list[ConsentEvent]:
    """One event an hour, in this order."""
    return [event(kind, hour, **more) for hour, kind in enumerate(kinds)]


def event(kind: str, hour: float = 0, **more: object) -> ConsentEvent:
    return ConsentEvent(kind, NOON + timedelta(hours=hour), Channel.SMS, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kinds", "state", "reason"),
    [
        pytest.param("", State.NONE, Reason.NO_CONSENT, id="nothing known"),
        pytest.param("asked", State.ASKED, Reason.NO_CONSENT, id="asked is not agreed"),
        pytest.param("asked agreed", State.AGREED, None, id="agreed"),
        pytest.param("agreed asked", State.AGREED, None, id="asked once more"),
        pytest.param("agreed opted_out", State.OPTED_OUT, Reason.OPTED_OUT, id="stop"),
        pytest.param("agreed opted_out asked", State.OPTED_OUT, Reason.OPTED_OUT, id="asking does not undo stop"),
        pytest.param("agreed opted_out restored", State.AGREED, None, id="stop, start"),
        pytest.param("agreed opted_out opted_out restored", State.AGREED, None, id="stop twice, start"),
        pytest.param("agreed opted_out restored opted_out", State.OPTED_OUT, Reason.OPTED_OUT, id="stop, start, stop"),
        pytest.param("agreed opted_out agreed", State.AGREED, None, id="a new agreement after stop"),
        pytest.param("restored", State.NONE, Reason.NO_CONSENT, id="start is no first consent"),
        pytest.param("asked restored", State.ASKED, Reason.NO_CONSENT, id="start does not answer the request"),
        pytest.param("asked opted_out restored", State.ASKED, Reason.NO_CONSENT, id="start after stop gives no more"),
        pytest.param("opted_out restored", State.NONE, Reason.NO_CONSENT, id="stop and start of a stranger"),
        pytest.param("agreed revoked_by_staff restored", State.REVOKED_BY_STAFF, Reason.WITHDRAWN, id="front desk"),
        pytest.param("agreed opted_out revoked_by_staff restored", State.REVOKED_BY_STAFF, Reason.WITHDRAWN, id="both"),
        pytest.param(
            "agreed revoked_by_staff opted_out restored", State.REVOKED_BY_STAFF, Reason.WITHDRAWN, id="both 2"
        ),
        pytest.param("agreed revoked_by_staff agreed", State.AGREED, None, id="signed again"),
        pytest.param(
            "agreed revoked_by_carrier restored",
            State.REVOKED_BY_CARRIER,
            Reason.UNSUBSCRIBED_AT_CARRIER,
            id="complaint",
        ),
        pytest.param("agreed address_changed", State.NONE, Reason.NO_CONSENT, id="a new address"),
        pytest.param("agreed opted_out address_changed restored", State.NONE, Reason.NO_CONSENT, id="start elsewhere"),
    ],
)
def test_where_an_address_stands(kinds: str, state: State, reason: Reason | None) -> None:
    permission = may_contact(told(*kinds.split()), LATER)
    assert (permission.state, permission.reason, permission.allowed) == (state, reason, reason is None)


kinds = st.sampled_from([kind.value for kind in ConsentKind])
events = st.builds(
    event,
    kinds,
    st.integers(0, 20),
    purpose=st.sampled_from(["care", "survey"]),
    method=st.sampled_from(["sms", "paper", "unsubscribed_at_carrier"]),
    id=st.sampled_from(["", "a", "b", "c"]),
    warned=st.booleans(),
)
ledgers = st.lists(events, max_size=12)


@given(ledgers, st.sampled_from(TAKES), st.integers(-5, 40), st.booleans())
@settings(max_examples=500, deadline=None)
def test_no_ledger_that_ends_in_a_no_permits_anything(
    ledger: list[ConsentEvent], last: ConsentKind, hour: int, early: bool
) -> None:
    ended = [*ledger, event(last, hour, id="the last one")]
    permission = may_contact(ended, NOON if early else LATER)
    assert not permission.allowed
    assert permission.reason is not None
    assert not may_ask(ended, LATER)


@given(ledgers)
@settings(max_examples=500, deadline=None)
def test_nothing_is_permitted_without_an_agreement(ledger: list[ConsentEvent]) -> None:
    without = [one for one in ledger if one.kind != "agreed"]
    assert not may_contact(without, LATER).allowed


@given(ledgers, st.integers(0, 40))
@settings(max_examples=500, deadline=None)
def test_start_after_a_staff_revocation_permits_nothing(ledger: list[ConsentEvent], hour: int) -> None:
    ended = [*ledger, event("revoked_by_staff", hour), event("restored", 60)]
    assert not may_contact(ended, LATER + timedelta(days=9)).allowed


@given(ledgers, st.integers(0, 11))
@settings(max_examples=300, deadline=None)
def test_hearing_an_event_twice_changes_nothing(ledger: list[ConsentEvent], at: int) -> None:
    named = [event(one.kind, hour, id=str(hour), warned=one.warned) for hour, one in enumerate(ledger)]
    replayed = [*named, *named[at : at + 1]]
    assert may_contact(replayed, LATER) == may_contact(named, LATER)


@pytest.mark.parametrize("kind", ["agreed", "restored"])
@pytest.mark.parametrize("hour", [0.5, 1], ids=["earlier", "at the same moment"])
def test_a_yes_not_later_than_the_stop_does_not_undo_it(kind: str, hour: float) -> None:
    ledger = [event("agreed"), event("opted_out", 1), event(kind, hour, id="late import")]
    assert not may_contact(ledger, LATER).allowed


def test_a_start_replayed_after_a_second_stop_does_nothing() -> None:
    start = event("restored", 2, id="SM1")
    ledger = [event("agreed"), event("opted_out", 1), start, event("opted_out", 3), event("restored", 4, id="SM1")]
    assert not may_contact(ledger, LATER).allowed


def test_a_yes_of_the_future_does_not_count_yet() -> None:
    assert not may_contact([event("agreed", 1)], NOON).allowed
    assert may_contact([event("agreed", 1)], NOON + timedelta(hours=1)).allowed


def test_a_stop_the_carrier_heard_is_undone_by_start() -> None:
    heard = event("revoked_by_carrier", 1, method="unsubscribed_at_carrier")
    assert may_contact([event("agreed"), heard], LATER).state is State.OPTED_OUT
    assert may_contact([event("agreed"), event("opted_out", 0.5), heard, event("restored", 2)], LATER).allowed


def test_consent_to_one_purpose_is_none_to_another_and_a_no_counts_for_all() -> None:
    ledger = [event("agreed", 0, purpose="survey")]
    assert not may_contact(ledger, LATER).allowed
    assert may_contact(ledger, LATER, "survey").allowed
    assert not may_contact([*ledger, event("opted_out", 1)], LATER, "survey").allowed


def test_the_warning_is_part_of_what_was_agreed_and_comes_back_with_start() -> None:
    assert may_contact(told("agreed", warned=True), LATER).warned
    assert not may_contact(told("agreed"), LATER).warned
    assert may_contact(told("agreed", "opted_out", "restored", warned=True), LATER).warned
    assert not may_contact(told("agreed", "opted_out", warned=True), LATER).warned
    assert may_contact([event("agreed", warned=True), event("agreed", 1)], LATER).warned
    assert not may_contact(
        [event("agreed", warned=True), event("address_changed", 1), event("agreed", 2)], LATER
    ).warned


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [("", True), ("asked", True), ("agreed", False), ("agreed opted_out", False), ("revoked_by_staff", False)],
)
def test_who_may_be_asked(kinds: str, expected: bool) -> None:
    assert may_ask(told(*kinds.split()), LATER) is expected


def test_an_unknown_kind_is_a_bug_not_a_silence() -> None:
    with pytest.raises(ValueError, match="perhaps"):
        may_contact([event("perhaps")], LATER)
