"""Faults of a mail server, told reply by reply: what is Refused surely never left, all else is Uncertain, in time."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from outreach.domain.message import Accepted, Parcel
from outreach.domain.status import Status
from outreach.errors import OutreachError, Reason, Refused, Uncertain
from outreach.providers import smtp_line
from outreach.providers.base import ticks
from outreach.providers.smtp import SmtpProvider
from outreach.providers.smtp_mail import message_id
from tests.providers.handing import handed
from tests.providers.listening import listening

Make = Callable[..., Parcel]
SLOW = Refused(Reason.TRANSIENT, retry=True, code="slow")
GOOD = {"": b"220 hi\r\n", "EHLO": b"250 far\r\n", "MAIL": b"250 ok\r\n", "RCPT": b"250 ok\r\n", "DATA": b"354 go\r\n"}


@dataclass
class Far:
    """Says `replies[verb]` to each command ("" is the greeting, "." a mail's end), then hangs up where told to."""

    replies: dict[str, bytes] = field(default_factory=lambda: {**GOOD, ".": b"250 taken\r\n", "RSET": b"250 ok\r\n"})
    hangs_up_after: str = "-"
    silent_at: str = "-"
    slow_at: tuple[str, ...] = ()
    slow_by: float = 0.15
    heard: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    def serve(self, one: socket.socket) -> None:
        with one, one.makefile("rb") as lines:
            verb, in_mail = "", False
            while True:
                self.heard.append(verb)
                if self.silent_at == verb:
                    self.over.wait(10)
                    return
                if verb in self.slow_at:
                    self.over.wait(self.slow_by)
                try:
                    one.sendall(self.replies.get(verb, b"500 what\r\n"))
                except OSError:
                    return
                if self.hangs_up_after == verb:
                    return
                in_mail = verb == "DATA" and self.replies["DATA"].startswith(b"354")
                try:
                    while (line := lines.readline()) and in_mail and line != b".\r\n":
                        pass
                except OSError:
                    return
                if not line:
                    return
                verb = "." if in_mail else line[:4].decode().upper()


@pytest.fixture
def far() -> Iterator[Far]:
    state = Far()
    with listening(state.serve) as state.port:
        yield state
        state.over.set()


def said(far: Far, parcel: Parcel, timeout: float = 5) -> Accepted | OutreachError:
    carrier = SmtpProvider("127.0.0.1", far.port, "none", timeout=timeout)
    try:
        return handed(carrier, parcel)
    except OutreachError as error:
        return error
    finally:
        carrier.close()


def test_a_mail_that_is_taken_is_known_by_our_own_id(far: Far, mail: Make) -> None:
    parcel = mail()
    assert said(far, parcel) == Accepted(message_id(parcel), Status.SENT)


@pytest.mark.parametrize(
    "reply",
    [b"", b"2", b"25\r\n", b"25", b"hello\r\n", b"354 go on\r\n", b"250-more", b"999 x\r\n", b"x" * 20_000],
    ids=lambda reply: repr(reply[:12]),
)
def test_after_a_mails_end_only_a_whole_no_is_a_no(far: Far, mail: Make, reply: bytes) -> None:
    far.replies["."] = reply
    far.hangs_up_after = "."
    assert isinstance(said(far, mail()), Uncertain)
    assert far.heard.count(".") == 1, "never sent twice"


def test_silence_after_a_mails_end_is_uncertain_and_over_in_time(far: Far, mail: Make) -> None:
    far.silent_at = "."
    assert isinstance(said(far, mail(), timeout=0.6), Uncertain)
    assert far.heard.count(".") == 1


@pytest.mark.parametrize(
    ("reply", "means"),
    [
        (b"451 4.3.0 later\r\n", Refused(Reason.TRANSIENT, True, "4.3.0")),
        (b"554 5.6.0 no\r\n", Refused(Reason.CONTENT_REFUSED, False, "5.6.0")),
        (b"421 closing\r\n", Refused(Reason.TRANSIENT, True, "421")),
    ],
    ids=["later", "no", "closing"],
)
def test_a_no_after_a_mails_end_is_sure(far: Far, mail: Make, reply: bytes, means: Refused) -> None:
    far.replies["."] = reply
    assert said(far, mail()) == means
    assert far.heard.count(".") == 1


@pytest.mark.parametrize("verb", ["", "EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("fault", ["silent", "gone"])
def test_a_server_that_fails_before_a_mails_end_never_had_it(far: Far, mail: Make, verb: str, fault: str) -> None:
    if fault == "silent":
        far.silent_at = verb
    else:
        far.replies[verb] = b""
        far.hangs_up_after = verb
    no = said(far, mail(), timeout=0.6 if fault == "silent" else 5)
    assert isinstance(no, Refused)
    assert (no.reason, no.retry) == (Reason.TRANSIENT, True)
    assert "." not in far.heard


def test_who_waits_too_long_for_a_free_connection_is_not_begun(far: Far, mail: Make) -> None:
    far.silent_at = "."
    carrier = SmtpProvider("127.0.0.1", far.port, "none", timeout=0.6, pool=1)

    async def both() -> list[object]:
        return list(await asyncio.gather(carrier.send(mail()), carrier.send(mail()), return_exceptions=True))

    first, second = asyncio.run(both())
    carrier.close()
    assert isinstance(first, Uncertain)
    assert second == Refused(Reason.TRANSIENT, retry=True, code="late")
    assert far.heard.count("MAIL") == 1


def test_a_process_that_was_frozen_before_a_mails_end_does_not_end_it(
    far: Far, mail: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_line, "ticks", lambda: ticks() + (60 if "DATA" in far.heard else 0))
    assert said(far, mail()) == SLOW
    assert "." not in far.heard


@pytest.mark.parametrize("slow_at", [("", "EHLO"), ("MAIL", "RCPT"), ("RCPT", "DATA")])
def test_a_server_that_is_slow_before_a_mails_end_has_refused_it(
    far: Far, mail: Make, slow_at: tuple[str, ...]
) -> None:
    far.slow_at, far.slow_by = slow_at, 0.27 / len(slow_at)
    no = said(far, mail(), timeout=0.4)
    assert no in (SLOW, Refused(Reason.TRANSIENT, retry=True, code="connection")), (
        "not 'late', which nobody waits after"
    )
    assert "." not in far.heard


def test_a_server_that_greets_too_slowly_for_one_mail_has_the_next_over_the_same_connection(
    far: Far, mail: Make
) -> None:
    far.slow_at = ("", "EHLO")
    carrier = SmtpProvider("127.0.0.1", far.port, "none", timeout=0.5)

    async def one_after_another() -> list[object]:
        return [(await asyncio.gather(carrier.send(mail()), return_exceptions=True))[0] for _ in range(2)]

    no, taken = asyncio.run(one_after_another())
    carrier.close()
    assert no == SLOW
    assert isinstance(taken, Accepted)
    assert far.heard == ["", "EHLO", "MAIL", "RCPT", "DATA", "."]


def test_all_steps_of_connecting_together_end_within_the_time_out(far: Far, mail: Make) -> None:
    """Each alone is quick enough for a limit that begins anew with every step."""
    far.slow_at, far.slow_by = ("", "EHLO", "HELO"), 0.18
    far.replies["EHLO"] = b"502 what\r\n"
    begun = ticks()
    assert said(far, mail(), timeout=0.4) == Refused(Reason.TRANSIENT, retry=True, code="connect")
    assert ticks() - begun < 0.5
