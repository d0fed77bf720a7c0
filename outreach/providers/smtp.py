"""E-mail over SMTP: one kept connection per thread, and an honest answer to whether the mail left."""

from __future__ import annotations

import asyncio
import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Literal

from outreach.domain.channel import Channel
from outreach.domain.message import Accepted, Found, Parcel, Receipt
from outreach.domain.status import Status
from outreach.errors import Reason, Refused, Uncertain
from outreach.providers import smtp_mail
from outreach.providers.smtp_codes import refusal

Security = Literal["none", "starttls", "tls"]
IDLE_SECONDS = 20.0  # older connections are asked (NOOP) before use: servers close them, often after 30 s
LOST = (smtplib.SMTPServerDisconnected, OSError)
_END = b".\r\n"


class _Kept(threading.local):
    server: smtplib.SMTP | None = None
    used: float = 0.0


class SmtpProvider:
    """`security`: none (a loopback or the sandbox), starttls, or tls from the first byte. `timeout`: seconds a step."""

    channel = Channel.EMAIL

    def __init__(
        self,
        host: str,
        port: int,
        security: Security = "starttls",
        username: str = "",
        password: str = "",
        timeout: float = 20.0,
        context: ssl.SSLContext | None = None,
        pool: int = 8,
        name: str = "smtp",
    ) -> None:
        self.name = name
        self._threads = ThreadPoolExecutor(pool, thread_name_prefix=name)
        self._host, self._port, self._security, self._timeout = host, port, security, timeout
        self._username, self._password = username, password
        self._context = (context or ssl.create_default_context()) if security != "none" else None
        self._kept = _Kept()
        self._all: set[smtplib.SMTP] = set()
        self._lock = threading.Lock()

    async def send(self, parcel: Parcel) -> Accepted:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._send, parcel)

    def _send(self, parcel: Parcel) -> Accepted:
        """Hand one mail over. The carrier id is our Message-ID; SMTP knows only that the next server took it."""
        to = _address(parcel.to, Reason.BAD_MAILBOX)
        sender = _address(parcel.sender, Reason.CONFIGURATION)
        try:
            mail = smtp_mail.build(parcel)
        except ValueError:
            raise Refused(Reason.CONTENT_REFUSED, code="header") from None
        server = self._envelope(sender, to)
        self._data(server, mail)
        self._kept.used = time.monotonic()
        return Accepted(carrier_id=smtp_mail.message_id(parcel), status=Status.SENT)

    def receipt(self, fields: Mapping[str, str]) -> Receipt:
        """SMTP has no callbacks; bounces come as mail, which nothing here reads yet."""
        return Receipt(carrier_id=fields.get("Message-ID", ""), word="", status=None)

    def find(self, to: str, day: date) -> Sequence[Found]:
        return ()

    async def hang_up(self) -> None:
        """Nothing: the connections belong to threads."""

    def close(self) -> None:
        self._threads.shutdown(wait=True)
        with self._lock:
            for server in self._all:
                server.close()
            self._all.clear()
        self._kept = _Kept()

    def _envelope(self, sender: str, to: str) -> smtplib.SMTP:
        """MAIL and RCPT. A kept connection that died in its sleep is replaced once: before DATA nothing was sent."""
        for fresh in (self._kept.server is None, True):
            server = self._connected()
            try:
                self._ask(server, f"MAIL FROM:<{sender}>", about_sender=True)
                self._ask(server, f"RCPT TO:<{to}>")
            except LOST:
                self._drop()
                if fresh:
                    break
            except Refused as refused:
                if refused.code not in {"421", "4.4.2"} or fresh:  # "closing": to a kept connection only an idle limit
                    raise
            else:
                return server
        raise Refused(Reason.TRANSIENT, retry=True, code="connection")

    def _ask(self, server: smtplib.SMTP, command: str, about_sender: bool = False) -> None:
        reply, text = server.docmd(command)
        if not 200 <= reply < 300:
            self._reset(server, reply)
            raise refusal(reply, text, about_sender)

    def _data(self, server: smtplib.SMTP, mail: bytes) -> None:
        """The body without its end can be lost safely; from the final dot on, silence means we do not know."""
        try:
            reply, text = server.docmd("DATA")
            if reply == 354:
                server.send(re.sub(rb"(?m)^\.", b"..", mail))
        except LOST:
            self._drop()
            raise Refused(Reason.TRANSIENT, retry=True, code="connection") from None
        if reply != 354:
            self._reset(server, reply)
            raise refusal(reply, text)
        try:
            server.send(_END)
            reply, text = server.getreply()
        except LOST:
            self._drop()
            raise Uncertain("connection lost after the mail's end") from None
        if reply != 250:
            self._reset(server, reply)
            raise refusal(reply, text)

    def _connected(self) -> smtplib.SMTP:
        kept = self._kept
        if kept.server is not None and time.monotonic() - kept.used > IDLE_SECONDS and not _alive(kept.server):
            self._drop()
        if kept.server is None:
            kept.server = self._connect()
        kept.used = time.monotonic()
        return kept.server

    def _connect(self) -> smtplib.SMTP:
        try:
            if self._security == "tls":
                server: smtplib.SMTP = smtplib.SMTP_SSL(
                    self._host, self._port, timeout=self._timeout, context=self._context
                )
            else:
                server = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        except (OSError, smtplib.SMTPException) as error:
            raise _unconnected(error) from None
        try:
            if self._security == "starttls":
                server.starttls(context=self._context)
            server.ehlo_or_helo_if_needed()
            if self._username:
                server.login(self._username, self._password)
        except (OSError, smtplib.SMTPException) as error:
            server.close()
            raise _unconnected(error) from None
        if server.sock is not None:  # the final dot is a small packet of its own: it must not wait for an ACK
            server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._all.add(server)
        return server

    def _reset(self, server: smtplib.SMTP, reply: int) -> None:
        """Make the connection fit for the next mail, or let it go."""
        try:
            if reply == 421 or reply < 0 or server.rset()[0] != 250:
                self._drop()
        except LOST:
            self._drop()

    def _drop(self) -> None:
        server, self._kept.server = self._kept.server, None
        if server is not None:
            server.close()
            with self._lock:
                self._all.discard(server)


def _address(address: str, reason: Reason) -> str:
    try:
        return smtp_mail.ascii_address(address)
    except ValueError:
        raise Refused(reason, code="address") from None


def _alive(server: smtplib.SMTP) -> bool:
    try:
        return server.noop()[0] == 250
    except LOST:
        return False


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
