"""One table that every carrier passes: how the far side behaves, and what `send` must say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from outreach.domain.channel import Channel
from outreach.domain.message import Accepted, Parcel
from outreach.domain.status import Status
from outreach.errors import OutreachError, Reason, Refused, Uncertain
from outreach.providers.base import Provider
from outreach.providers.memory import MemoryProvider
from outreach.providers.smtp import SmtpProvider
from outreach.providers.twilio import TwilioProvider
from outreach.sandbox.running import Running
from tests.providers.handing import handed

SID, TOKEN = "AC" + "a" * 32, "the token"
NOWHERE = 1  # a port of loopback where nobody listens
ACCEPTED, UNCERTAIN = "accepted", "uncertain"
Says = str | tuple[Reason, bool]


@dataclass(frozen=True)
class Case:
    """`to` makes the far side behave so; `taken`: whether it holds the message afterwards."""

    name: str
    carrier: str
    to: str
    says: Says
    taken: bool
    code: str = ""


CASES = (
    Case("takes it", "twilio", "+12025550123", ACCEPTED, True),
    Case("invalid number", "twilio", "+15005550001", (Reason.BAD_NUMBER, False), False, "21211"),
    Case("unroutable number", "twilio", "+15005550002", (Reason.UNREACHABLE, False), False, "21612"),
    Case("region not enabled", "twilio", "+15005550003", (Reason.CONFIGURATION, True), False, "21408"),
    Case("person opted out", "twilio", "+15005550004", (Reason.UNSUBSCRIBED_AT_CARRIER, False), False, "21610"),
    Case("not a mobile", "twilio", "+15005550009", (Reason.BAD_NUMBER, False), False, "21614"),
    Case("too many requests", "twilio", "+12025559029", (Reason.TRANSIENT, True), False, "20429"),
    Case("fails inside, nothing taken", "twilio", "+12025559050", UNCERTAIN, False),
    Case("fails inside, taken", "twilio", "+12025559051", UNCERTAIN, True),
    Case("hangs up, taken", "twilio", "+12025559052", UNCERTAIN, True),
    Case("answers nonsense, taken", "twilio", "+12025559054", UNCERTAIN, True),
    Case("nobody listens", "twilio-nowhere", "+12025550124", (Reason.TRANSIENT, True), False, "connect"),
    Case("wrong token", "twilio-stranger", "+12025550124", (Reason.CONFIGURATION, True), False, "20003"),
    Case("takes it", "smtp", "patient@example.org", ACCEPTED, True),
    Case("no such mailbox", "smtp", "bounce-550@example.org", (Reason.BAD_MAILBOX, False), False, "5.1.1"),
    Case("full mailbox", "smtp", "bounce-552@example.org", (Reason.UNREACHABLE, True), False, "5.2.2"),
    Case("our policy fault", "smtp", "bounce-571@example.org", (Reason.CONFIGURATION, True), False, "5.7.1"),
    Case("put off", "smtp", "tempfail-451@example.org", (Reason.TRANSIENT, True), False, "4.3.0"),
    Case("content refused", "smtp", "reject-554@example.org", (Reason.CONTENT_REFUSED, False), False, "5.6.0"),
    Case("unheard-of code", "smtp", "bounce-599@example.org", (Reason.UNKNOWN_CODE, False), False, "599"),
    Case("hangs up before the mail", "smtp", "drop-before-data@example.org", (Reason.TRANSIENT, True), False),
    Case("hangs up after the mail", "smtp", "drop-after-data@example.org", UNCERTAIN, True),
    Case("nobody listens", "smtp-nowhere", "patient@example.org", (Reason.TRANSIENT, True), False, "connect"),
    Case("no address at all", "smtp", "a b@example.org", (Reason.BAD_MAILBOX, False), False),
    Case("breaks out of its line", "smtp", "a@example.org\r\nBcc: b@example.org", (Reason.BAD_MAILBOX, False), False),
    Case("takes it", "memory", "+12025550123", ACCEPTED, True),
    Case("refuses", "memory-refuses", "+12025550123", (Reason.BLOCKED, False), False),
    Case("says nothing", "memory-silent", "+12025550123", UNCERTAIN, True),
)


def _carrier(name: str, sandbox: Running) -> Provider:
    made: dict[str, Callable[[], Provider]] = {
        "twilio": lambda: TwilioProvider(SID, TOKEN, sandbox.url, timeout=5, pool=2),
        "twilio-nowhere": lambda: TwilioProvider(SID, TOKEN, f"http://127.0.0.1:{NOWHERE}", timeout=5, pool=2),
        "twilio-stranger": lambda: TwilioProvider(SID, "another token", sandbox.url, timeout=5, pool=2),
        "smtp": lambda: SmtpProvider("127.0.0.1", sandbox.smtp_port or 0, "none", timeout=5),
        "smtp-nowhere": lambda: SmtpProvider("127.0.0.1", NOWHERE, "none", timeout=5),
        "memory": MemoryProvider,
        "memory-refuses": lambda: MemoryProvider(outcomes=[Refused(Reason.BLOCKED)]),
        "memory-silent": lambda: MemoryProvider(outcomes=[Uncertain()]),
    }
    return made[name]()


def _taken(carrier: Provider, sandbox: Running, parcel: Parcel) -> int:
    if isinstance(carrier, MemoryProvider):
        return len(carrier.taken)
    return sandbox.book.attempts[str(parcel.attempt_id)]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.carrier}: {case.name}" for case in CASES])
def test_a_carrier_says_honestly_whether_the_message_left(
    case: Case, sandbox: Running, sms: Callable[..., Parcel], mail: Callable[..., Parcel]
) -> None:
    carrier = _carrier(case.carrier, sandbox)
    parcel = (mail if carrier.channel is Channel.EMAIL else sms)(case.to)
    try:
        said: Accepted | OutreachError = handed(carrier, parcel)
    except OutreachError as error:
        said = error
    finally:
        carrier.close()

    if case.says == ACCEPTED:
        assert isinstance(said, Accepted)
        assert said.carrier_id
        assert said.status in {Status.ACCEPTED, Status.SENT}
    elif case.says == UNCERTAIN:
        assert isinstance(said, Uncertain)
    else:
        assert isinstance(said, Refused)
        assert (said.reason, said.retry) == case.says
        assert not case.code or said.code == case.code
    assert _taken(carrier, sandbox, parcel) == int(case.taken)
    assert case.to not in f"{said!s}{said!r}", "an address must not reach a log by way of an error"
    if isinstance(said, OutreachError):
        assert said.__cause__ is None
        assert said.__suppress_context__ or said.__context__ is None


@pytest.mark.parametrize("name", ["twilio", "smtp", "memory"])
def test_a_carrier_keeps_the_protocol(name: str, sandbox: Running) -> None:
    carrier = _carrier(name, sandbox)
    receipt = carrier.receipt({"MessageSid": "SM1", "MessageStatus": "teleported", "status": "teleported"})
    assert receipt.status is None, "an unknown word is never guessed"
    carrier.close()
    carrier.close()
