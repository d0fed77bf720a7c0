"""How the sandbox behaves: its settings, Twilio's magic numbers, and numbers whose last digits choose an outcome.

Twilio's own test numbers are refused at once, as there: see MAGIC_TO and MAGIC_FROM.
Any other number plays the part its last four digits name (LAST_FOUR), so that a demo or a test can show every fate:

    9003  undelivered, 30003 unreachable handset      9010  refused, 21610 opted out
    9005  undelivered, 30005 unknown handset          9014  refused, 21614 not a mobile
    9006  undelivered, 30006 landline                 9029  429 with Retry-After, every second time
    9007  undelivered, 30007 filtered                 9050  500, nothing taken
    9008  undelivered, 30008 unknown                  9051  500, but taken: callbacks come
    9040  failed, 30008, without ever being sent      9052  taken, the connection drops, callbacks come
    9041  stays sent for ever                         9053  taken and delivered, the connection drops, no callback
    9042  stays queued for ever, no callback          9054  201 with a body that is not JSON; taken
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

PREFIX = "OUTREACH_SANDBOX_"

# code -> (HTTP status, message); Twilio's wording is its own, the codes are what programs read
ERRORS: dict[int, tuple[int, str]] = {
    20001: (400, "Invalid parameter"),
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal Server Error"),
    21211: (400, "Invalid 'To' Phone Number"),
    21212: (400, "Invalid 'From' Phone Number"),
    21408: (400, "Permission to send an SMS has not been enabled for the region of the 'To' number"),
    21602: (400, "Message body is required"),
    21603: (400, "A 'From' phone number or a Messaging Service is required"),
    21604: (400, "A 'To' phone number is required"),
    21606: (400, "The 'From' number is not a valid SMS-capable number of this account"),
    21609: (400, "The 'StatusCallback' URL is not valid"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (400, "The 'From' number has exceeded the maximum number of queued messages"),
    21612: (400, "The 'To' number is not reachable from this 'From' number"),
    21614: (400, "The 'To' number is not a mobile number"),
    21617: (400, "The message body exceeds the 1600 character limit"),
    21701: (400, "The Messaging Service does not exist"),
}
MAGIC_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
MAGIC_FROM = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}


@dataclass(frozen=True)
class Part:
    """What happens to a message. `refuse`: an error code at once; `answer`: how the taken message is answered;
    `words`: the statuses that follow; `error`: the code that comes with the last of them."""

    refuse: int = 0
    answer: str = "created"  # created, error, drop, garbage
    words: tuple[str, ...] = ("sent", "delivered")
    error: int | None = None
    taken: bool = True
    silent: bool = False  # no callbacks: only a look into the list tells
    sometimes: bool = False


def _lost(code: int) -> Part:
    return Part(words=("sent", "undelivered"), error=code)


LAST_FOUR: dict[str, Part] = {
    "9003": _lost(30003),
    "9005": _lost(30005),
    "9006": _lost(30006),
    "9007": _lost(30007),
    "9008": _lost(30008),
    "9010": Part(refuse=21610),
    "9014": Part(refuse=21614),
    "9029": Part(refuse=20429, sometimes=True),
    "9040": Part(words=("failed",), error=30008),
    "9041": Part(words=("sent",)),
    "9042": Part(words=()),
    "9050": Part(answer="error", taken=False),
    "9051": Part(answer="error"),
    "9052": Part(answer="drop"),
    "9053": Part(answer="drop", silent=True),
    "9054": Part(answer="garbage"),
}
ORDINARY = Part()
UNREACHABLE = _lost(30003)


@dataclass(frozen=True)
class Behaviour:
    """Set by environment (OUTREACH_SANDBOX_ + the name in capitals) and by POST /sandbox/settings. Times in seconds.

    latency          before the API answers          callback_delay   before each status callback
    failure_share    of messages end undelivered     duplicates       every callback comes twice
    refusal_share    of creates answer 429           out_of_order     callbacks come last first
    stops            like Twilio's own opt-out list: after STOP (default English words) sending gets 21610.
                     Off: our system answers STOP itself, and a clinic's service is set up that way.
    """

    latency: float = 0.0
    callback_delay: float = 0.2
    failure_share: float = 0.0
    refusal_share: float = 0.0
    duplicates: bool = False
    out_of_order: bool = False
    stops: bool = False

    def changed(self, news: Mapping[str, Any]) -> Behaviour:
        """With `news` applied; raises ValueError naming a field or value that is wrong."""
        known = {field.name: type(field.default) for field in fields(self)}
        values: dict[str, Any] = {}
        for name, value in news.items():
            if name not in known:
                raise ValueError(f"{name}: no such setting; there are {', '.join(known)}")
            values[name] = _flag(name, value) if known[name] is bool else _amount(name, value)
        return replace(self, **values)


def from_environment(environment: Mapping[str, str] | None = None) -> Behaviour:
    given = os.environ if environment is None else environment
    names = {PREFIX + field.name.upper(): field.name for field in fields(Behaviour)}
    return Behaviour().changed({name: given[key] for key, name in names.items() if given.get(key)})


def _flag(name: str, value: object) -> bool:
    word = str(value).strip().lower()
    if word not in {"true", "false", "1", "0", "yes", "no", "on", "off"}:
        raise ValueError(f"{name}: {word!r} is neither true nor false")
    return word in {"true", "1", "yes", "on"}


def _amount(name: str, value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        raise ValueError(f"{name}: {value!r} is not a number") from None
    limit = 1.0 if name.endswith("_share") else 600.0
    if not 0 <= number <= limit:
        raise ValueError(f"{name}: {number} is not between 0 and {limit:g}")
    return number
