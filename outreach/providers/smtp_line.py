"""One connection to a mail server, and an honest answer to whether a mail left over it."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from outreach.errors import Reason, Refused, Uncertain
from outreach.providers.base import ticks
from outreach.providers.smtp_codes import refusal

Security = Literal["none", "starttls", "tls"]
IDLE_SECONDS = 20.0  # older connections are asked (NOOP) before use: servers close them, often after 30 s
LOST = (smtplib.SMTPServerDisconnected, OSError)
_END = b".\r\n"
GONE = "connection"
SLOW = "slow"
"""Code of a Refused: the mail server took too long for what comes before a mail's end."""


@dataclass(frozen=True)
class Times:
    """Two instants of `ticks`. The mail's end is sent before `begin_by` or never; after `end_by` nobody waits."""

    begin_by: float
    end_by: float

    def left(self, code: str = SLOW) -> float:
        """Seconds for the next step before the mail's end. Raises Refused: nothing was sent, nothing will be.

        A server that is SLOW counts as one that refuses, or it would be asked again at once, for ever, unseen.
        """
        left = self.begin_by - ticks()
        if left <= 0:
            raise Refused(Reason.TRANSIENT, retry=True, code=code)
        return left

    def waiting(self) -> float:
        """Seconds that one may wait for anything at all."""
        return max(self.end_by - ticks(), 0.01)


class _Bounded(smtplib.SMTP):
    """While `times` is set, waits for each answer only as long as they allow: smtplib's own limit begins anew with
    every step, and there are up to six before a connection is ready."""

    def __init__(self, times: Times, host: str, port: int, **more: Any) -> None:
        self.times: Times | None = times
        super().__init__(host, port, **more)

    def getreply(self) -> tuple[int, bytes]:
        if self.times is not None and self.sock is not None:
            self.sock.settimeout(self.times.waiting())
        return super().getreply()


class _BoundedTls(_Bounded, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


@dataclass(frozen=True)
class Server:
    """Where, and as whom."""

    host: str
    port: int
    security: Security
    username: str
    password: str = field(repr=False)
    context: ssl.SSLContext | None

    def connect(self, times: Times) -> Line:
        """A connection, encrypted and signed in, by the end of all waiting; perhaps too late for this mail.

        Raises Refused: no mail was near it.
        """
        times.left()
        opened: _Bounded | None = None
        try:
            if self.security == "tls":
                opened = _BoundedTls(times, self.host, self.port, timeout=times.waiting(), context=self.context)
            else:
                opened = _Bounded(times, self.host, self.port, timeout=times.waiting())
            if self.security == "starttls":
                opened.starttls(context=self.context)
            opened.ehlo_or_helo_if_needed()
            if self.username:
                opened.login(self.username, self.password)
        except (OSError, smtplib.SMTPException) as error:
            if opened is not None:
                opened.close()
            raise _unconnected(error) from None
        opened.times = None
        if opened.sock is not None:  # the final dot is a small packet of its own: it must not wait for an ACK
            opened.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Line(opened)


class Line:
    """Carries one mail after another. `open` is false after a fault: then it is closed and of no use."""

    def __init__(self, server: smtplib.SMTP) -> None:
        self._server = server
        self._used = ticks()
        self.open = True

    def close(self) -> None:
        self.open = False
        self._server.close()

    def ready(self, times: Times) -> bool:
        """Whether the far side still listens, as far as one may know; an old connection is asked."""
        try:
            if ticks() - self._used > IDLE_SECONDS and self._ask("NOOP", times.left())[0] != 250:
                self.close()
        except LOST:
            self.close()
        return self.open

    def address(self, sender: str, to: str, times: Times) -> None:
        """MAIL and RCPT. Raises Refused; closed by what it cannot survive."""
        with self._sure():
            for command, about_sender in ((f"MAIL FROM:<{sender}>", True), (f"RCPT TO:<{to}>", False)):
                reply, text = self._ask(command, times.left())
                if not 200 <= reply < 300:
                    raise refusal(reply, text, about_sender)

    def hand_over(self, mail: bytes, times: Times) -> None:
        """DATA, the mail and its end. Raises Refused (surely not sent) or Uncertain."""
        with self._sure():
            reply, text = self._ask("DATA", times.left())
            if reply != 354:
                raise refusal(reply, text)
            self._server.send(re.sub(rb"(?m)^\.", b"..", mail) if b"\n." in mail or mail[:1] == b"." else mail)
            try:
                times.left()
            except Refused:
                self.close()  # nothing else ends a mail that is begun; a server forgets one without its end
                raise
            self._end(times)
        self._used = ticks()

    def _end(self, times: Times) -> None:
        """From the final dot on, silence means that we do not know; so does an answer that is none."""
        try:
            self._wait(times.end_by - ticks())
            self._server.send(_END)
            reply, text = self._server.getreply()
        except LOST:
            self.close()
            raise Uncertain("connection lost after the mail's end") from None
        if 400 <= reply < 600:
            raise refusal(reply, text)
        if not 200 <= reply < 300:
            self.close()
            raise Uncertain("no answer of a mail server after the mail's end")

    @contextmanager
    def _sure(self) -> Iterator[None]:
        try:
            yield
        except LOST:  # the mail's end was not sent: it cannot have been taken
            self.close()
            raise Refused(Reason.TRANSIENT, retry=True, code=GONE) from None
        except Refused as refused:
            self._reset(refused)
            raise

    def _ask(self, command: str, seconds: float) -> tuple[int, bytes]:
        self._wait(seconds)
        return self._server.docmd(command)

    def _wait(self, seconds: float) -> None:
        if self._server.sock is not None:
            self._server.sock.settimeout(max(seconds, 0.01))

    def _reset(self, refused: Refused) -> None:
        """Make the connection fit for the next mail, or let it go."""
        if not self.open:
            return
        try:
            if refused.code in {"421", SLOW} or self._server.rset()[0] != 250:
                self.close()
        except LOST:
            self.close()


def _unconnected(error: Exception) -> Refused:
    """Why no connection came about; no mail was near it, so always a sure refusal."""
    if isinstance(error, smtplib.SMTPResponseException):
        if error.smtp_code < 500:
            return Refused(Reason.TRANSIENT, retry=True, code=str(error.smtp_code))
        return Refused(Reason.CONFIGURATION, retry=True, code=str(error.smtp_code))
    no_way_in = type(error) is smtplib.SMTPException  # no method of signing in that both sides know
    if no_way_in or isinstance(error, smtplib.SMTPNotSupportedError | ssl.SSLCertVerificationError):
        return Refused(Reason.CONFIGURATION, retry=True, code=type(error).__name__)
    return Refused(Reason.TRANSIENT, retry=True, code="connect")
