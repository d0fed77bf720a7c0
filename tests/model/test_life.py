"""Every state that one message can get into, and proof that the exploration would see a broken rule."""

from __future__ import annotations

import pytest

from outreach.domain.status import ENDS
from tests.model.life import BROKEN, TWICE, explore


def test_no_state_breaks_a_promise_and_from_each_an_end_follows_by_itself() -> None:
    found = explore()
    print(f"{found.states} states, {found.steps} steps")
    assert (found.fault, found.stuck) == ("", None)
    assert found.ends == ENDS
    assert found.states > 10_000


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_rule_is_seen(broken: str) -> None:
    found = explore(broken)
    assert found.fault or found.stuck


@pytest.mark.parametrize(
    "broken", ["lease over is sent again", "not listed is sent again", "no answer is posted again",
               "posted before committed"],
)  # fmt: skip
def test_what_resends_by_itself_is_seen_to_double(broken: str) -> None:
    found = explore(broken, TWICE)
    assert found.fault == TWICE
    assert len([name for name in found.path if "posted" in name]) >= 2, found.path
