"""When a pump has looked for the last time: what was out of sight for a moment is looked for once more."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import pytest

from outreach.actions import lanes as module
from outreach.actions.claimed import Claim
from outreach.actions.lanes import ELSEWHERE, Lanes
from outreach.domain.channel import Channel
from outreach.store.turns import Ahead, Lane

NOW = datetime(2026, 12, 7, 18, tzinfo=UTC)


def test_what_was_passed_by_until_this_very_claim_is_looked_for_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A patient's first message was in the air; the claim that finds nothing is the one in which their wait ends."""
    clock = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(module, "find_lanes", lambda *_: [])
    lanes, lane = Lanes({Channel.SMS}, 0.1), Lane(uuid4(), Channel.SMS, False)
    nobody = cast(Any, None)

    def turn(found: Claim) -> None:
        clock[0] += 0.2
        lanes.look(nobody, NOW, Ahead())
        lanes.learn(found, [])

    turn(Claim(busy={(uuid4(), lane): NOW}))
    assert lanes.more
    clock[0] += ELSEWHERE
    turn(Claim())
    assert lanes.more, "the message would be left for the next wake-up"
    turn(Claim())
    assert not lanes.more
