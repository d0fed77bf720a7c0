"""What the sequence's file says of an answer, and what is done: an answer is queued without asking the file."""

from __future__ import annotations

from outreach.actions.agree import CONFIRM_WITHIN, CONFIRMATION
from outreach.actions.answer import USEFUL as FROM_STAFF
from outreach.actions.escalate import USEFUL as TO_STAFF
from outreach.actions.reply import ANSWER_WITHIN
from outreach.domain.decision import ANSWERS, REPLIES
from tests import shipped


def test_an_answer_is_of_use_for_as_long_as_the_sequence_says() -> None:
    """Or somebody who changes the file, or only the code, would be told something else than happens."""
    said = {step.key: step.useful_until.later for step in shipped.sequence().steps if step.when is None}
    stopped = {key for key in REPLIES if key.startswith("reply.stopped")}
    done = dict.fromkeys(REPLIES - stopped, ANSWER_WITHIN)
    done |= {CONFIRMATION: CONFIRM_WITHIN, "staff.message": FROM_STAFF, "staff.escalation": TO_STAFF}
    assert done.keys() == (ANSWERS - stopped) | {"staff.message"}
    assert {key: said[key] for key in done} == done
    for law in shipped.laws().values():
        assert {said[key] for key in stopped} == {law.confirm_within}, law.code
