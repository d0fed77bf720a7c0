"""The error tree, and Reason: why a message did not go, in our words.

    OutreachError             every refusal we make on purpose; str(error) is fit for a person
    ├── BadInput              something given to us is wrong: says what, where, and what would be right
    │   ├── BadFile           the same with file and line (sequences, catalogs, CSV)
    │   └── NotApproved       the clinic has approved no words for this
    ├── NotFound              no such row in this clinic
    ├── NotAllowed            consent, role or state forbids it
    ├── Refused               a carrier said no, surely (reason, retry, code)
    └── Uncertain             a carrier may or may not have taken it: never resent blindly

Bugs are not in this tree and are not caught by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any


class Reason(StrEnum):
    """Why a message ended, or waits, without being delivered. Stored; never rename a value."""

    # suppressed: we decided not to send
    NO_CONSENT = "no_consent"
    OPTED_OUT = "opted_out"
    NO_ADDRESS = "no_address"
    WITHDRAWN = "withdrawn"
    WORDS_MISSING = "words_missing"
    PATIENT_INACTIVE = "patient_inactive"
    NEXT_INFUSION_NEAR = "next_infusion_near"
    TOLD_SAME_DAY = "told_same_day"
    FREQUENCY = "frequency"
    ADDRESS_UNUSABLE = "address_unusable"
    # still scheduled, but held: a kill switch is on; the clinic has not approved the words
    PAUSED = "paused"
    UNAPPROVED = "unapproved"
    # expired: its usefulness was over
    PAST_AT_PLANNING = "past_at_planning"
    TOO_LATE = "too_late"
    QUIET_HOURS = "quiet_hours"
    # cancelled: the visit or course changed
    VISIT_MOVED = "visit_moved"
    VISIT_CANCELLED = "visit_cancelled"
    SUPERSEDED = "superseded"
    COURSE_ENDED = "course_ended"
    # failed or undelivered: a carrier said so
    UNSUBSCRIBED_AT_CARRIER = "unsubscribed_at_carrier"
    BAD_NUMBER = "bad_number"
    BAD_MAILBOX = "bad_mailbox"
    UNKNOWN_HANDSET = "unknown_handset"
    UNREACHABLE = "unreachable"
    BLOCKED = "blocked"
    CONTENT_REFUSED = "content_refused"
    QUOTA = "quota"
    TRANSIENT = "transient"
    CONFIGURATION = "configuration"
    SECURITY = "security"
    VALIDITY_OVER = "validity_over"
    UNKNOWN_CODE = "unknown_code"
    RETRIES_SPENT = "retries_spent"
    NO_NEWS = "no_news"
    # delivered without proof
    PRESUMED = "presumed"
    # on no message: what the breaker calls a hand-over without an answer (the message is in doubt, without a reason)
    NO_ANSWER = "no_answer"


class Sentence(str):
    """A sentence that can still be translated: English to everybody, and it remembers what it was made of."""

    msgid: str
    values: dict[str, Any]


def say(msgid: str, /, **values: Any) -> Sentence:
    """A sentence for a person: `say("%(n)s rows are empty.", n=3)`. Values may be sentences themselves."""
    made = Sentence(msgid % values)
    made.msgid, made.values = msgid, values
    return made


class OutreachError(Exception):
    """The root: everything refused on purpose."""


class BadInput(OutreachError):
    """Input that is wrong; the text names what, where and what would be right."""


@dataclass
class BadFile(BadInput):
    """A fault in a file that people edit: `path:line: what. remedy`. Line counts from 1; 0 = the whole file."""

    path: Path | str
    line: int
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else str(self.path)
        return f"{place}: {self.what}" + (f" {self.remedy}" if self.remedy else "")


@dataclass
class NotApproved(BadInput):
    """A clinic has approved no words for a step in a language, nor any that may stand in for them."""

    step: str
    locale: str

    def __str__(self) -> str:
        return f"the clinic has not approved {self.step} in {self.locale}. Approve it under Languages."


class NotFound(OutreachError):
    """No such row in this clinic."""


class NotAllowed(OutreachError):
    """Consent, role or state forbids it."""


@dataclass
class Refused(OutreachError):
    """A carrier surely did not take the message. `retry`: a new attempt may succeed; `after`: seconds to wait."""

    reason: Reason
    retry: bool = False
    code: str = ""
    after: float | None = None

    def __str__(self) -> str:
        return f"carrier refused: {self.reason.value} (code {self.code or 'none'})"


@dataclass
class Uncertain(OutreachError):
    """The answer was not read: the message may be on its way. Never resent without asking the carrier."""

    what: str = "no answer"

    def __str__(self) -> str:
        return f"outcome unknown: {self.what}"
