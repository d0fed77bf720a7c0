"""E-mail over SMTP: a few threads, a stack of kept connections, no mail begun too late to be ended in time.

What SMTP does not allow:
- The 250 after a mail's end can be lost. Nobody can be asked about it, for a mail has no id there: such a mail is
  Uncertain for ever, is never resent by itself, and a person decides.
- 250 says that the next server took it, not that it arrived: a bounce comes as a mail, days later perhaps.
- Two mails with one Message-ID may both be shown. It is the same for every try of one attempt, so some mailboxes hide
  the second; nothing here relies on that.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from outreach.domain.channel import Channel
from outreach.domain.message import Accepted, Found, Parcel, Receipt
from outreach.domain.status import Status
from outreach.errors import Reason, Refused
from outreach.providers import smtp_mail
from outreach.providers.base import LATE, ticks
from outreach.providers.smtp_headers import ascii_address
from outreach.providers.smtp_line import GONE, Line, Security, Server, Times

STALE = {GONE, "421", "4.4.2"}  # to a connection that was kept these only say that it idled too long


class SmtpProvider:
    """`security`: none (a loopback or the sandbox), starttls, or tls from the first byte.

    `timeout`: seconds for a whole mail, from being asked to the last answer. The mail's end is sent within the first
    half or never, waiting for a free thread included. `pool`: threads, and so connections.
    """

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
        self._timeout = timeout
        secured = (context or ssl.create_default_context()) if security != "none" else None
        self._server = Server(host, port, security, username, password, secured)
        self._threads = ThreadPoolExecutor(pool, thread_name_prefix=name)
        self._idle: list[Line] = []  # the last one used is used next: the others may grow old and be let go
        self._lock = threading.Lock()

    async def send(self, parcel: Parcel) -> Accepted:
        """Hand one mail over. The carrier id is our Message-ID; SMTP knows only that the next server took it."""
        now = ticks()
        times = Times(now + self._timeout / 2, now + self._timeout)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._send, parcel, times)

    def receipt(self, fields: Mapping[str, str]) -> Receipt:
        """SMTP has no callbacks; bounces come as mail, which nothing here reads yet."""
        return Receipt(carrier_id=fields.get("Message-ID", ""), word="", status=None)

    def find(self, to: str, day: date) -> Sequence[Found]:
        """Nothing: a mail server keeps no list that one could ask."""
        return ()

    async def hang_up(self) -> None:
        """Let the kept connections go; those in use come back to the stack and serve whoever is next."""
        self._drop_idle()

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._drop_idle()

    def _send(self, parcel: Parcel, times: Times) -> Accepted:
        times.left(LATE)  # it stood in line for a thread: that is no fault of the server's
        to = _address(parcel.to, Reason.BAD_MAILBOX)
        sender = _address(parcel.sender, Reason.CONFIGURATION)
        try:
            mail = smtp_mail.build(parcel)
        except ValueError:
            raise Refused(Reason.CONTENT_REFUSED, code="header") from None
        line = self._addressed(sender, to, times)
        try:
            line.hand_over(mail, times)
        finally:
            self._keep(line)
        return Accepted(carrier_id=smtp_mail.message_id(parcel), status=Status.SENT)

    def _addressed(self, sender: str, to: str, times: Times) -> Line:
        """A line with MAIL and RCPT said. One that died in its sleep is replaced: before DATA nothing was sent."""
        kept = self._kept(times)
        if kept is not None:
            try:
                kept.address(sender, to, times)
            except Refused as refused:
                self._keep(kept)
                if refused.code not in STALE:
                    raise
            else:
                return kept
        line = self._server.connect(times)
        try:
            times.left()  # a server that greets too slowly for this mail is ready for the next
            line.address(sender, to, times)
        except Refused:
            self._keep(line)
            raise
        return line

    def _kept(self, times: Times) -> Line | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                line = self._idle.pop()
            try:
                if line.ready(times):
                    return line
            except Refused:
                self._keep(line)
                raise

    def _keep(self, line: Line) -> None:
        if line.open:
            with self._lock:
                self._idle.append(line)

    def _drop_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for line in idle:
            line.close()


def _address(address: str, reason: Reason) -> str:
    try:
        return ascii_address(address)
    except ValueError:
        raise Refused(reason, code="address") from None
