"""An SMTP server that keeps every mail; the recipient's name may ask for a failure.

bounce-550@…        RCPT is refused: 550 5.1.1 (any number 500-599; 552 full, 571 policy)
tempfail-451@…      RCPT is put off: 451 4.3.0 (any number 400-499)
reject-554@…        refused after the whole mail: 554 5.6.0 (any number)
drop-before-data@…  the connection closes at DATA: surely not taken
drop-after-data@…   taken, then the connection closes without an answer
"""

from __future__ import annotations

import asyncio
import re
import secrets
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message

from aiosmtpd.smtp import SMTP, Envelope, Session

from outreach.sandbox.book import Book, Mail, now

REFUSALS = {
    "550": "550 5.1.1 No such mailbox",
    "552": "552 5.2.2 Mailbox full",
    "554": "554 5.6.0 Message refused",
    "571": "550 5.7.1 Refused by policy",
    "451": "451 4.3.0 Try again later",
    "421": "421 4.3.2 Closing, try again later",
}


class Sink:
    """aiosmtpd's hooks. Addresses are read, never logged."""

    def __init__(self, book: Book) -> None:
        self._book = book

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        asked = re.match(r"(?:bounce|tempfail)-([45]\d\d)@", address)
        if asked:
            return REFUSALS.get(asked[1], f"{asked[1]} Refused on request")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        first = envelope.rcpt_tos[0]
        if asked := re.match(r"reject-([45]\d\d)@", first):
            return REFUSALS.get(asked[1], f"{asked[1]} Refused on request")
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        for address in envelope.rcpt_tos:
            self._book.add_mail(read(content, address, envelope.mail_from or ""))
        if first.startswith("drop-after-data@"):
            _hang_up(server)
        return "250 2.0.0 Taken"


class Server(SMTP):
    """aiosmtpd's protocol, able to hang up when DATA begins."""

    async def smtp_DATA(self, arg: str) -> None:
        if self.envelope and any(address.startswith("drop-before-data@") for address in self.envelope.rcpt_tos):
            _hang_up(self)
            return
        await super().smtp_DATA(arg)


def _hang_up(server: SMTP) -> None:
    if server.transport is not None:
        server.transport.close()


async def listen(book: Book, host: str, port: int) -> asyncio.Server:
    """Open the sink in the running loop; port 0 takes a free one."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: Server(Sink(book), hostname="sandbox", ident="sandbox", loop=loop, decode_data=False), host, port
    )


def port_of(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


def read(content: bytes, to: str, sender: str) -> Mail:
    """The parts of a mail that a mailbox shows. A mail that cannot be read still arrives, as text.

    By the old, lenient parser: it takes a tenth of the time, and hundreds of mails come in a burst.
    """
    message = message_from_bytes(content)
    headers = tuple((name, _words(value)) for name, value in message.items())
    by_name = {name.lower(): value for name, value in reversed(headers)}
    parts = {part.get_content_type(): part for part in reversed([*message.walk()]) if not part.is_multipart()}
    return Mail(
        id=secrets.token_hex(8),
        to=to,
        sender=by_name.get("from", sender),
        received=now(),
        subject=by_name.get("subject", ""),
        text=_text(parts.get("text/plain")),
        html=_text(parts.get("text/html")),
        calendar=_text(parts.get("text/calendar")),
        headers=headers,
        message_id=by_name.get("message-id", "").strip(),
        language=by_name.get("content-language", "").strip(),
    )


def _words(value: object) -> str:
    """A header's value, unfolded and with its encoded words decoded where they can be."""
    line = re.sub(r"\r?\n(?=[ \t])", "", str(value))
    try:
        return str(make_header(decode_header(line))) if "=?" in line else line
    except (LookupError, ValueError, HeaderParseError):
        return line


def _text(part: Message | None) -> str:
    payload = part.get_payload(decode=True) if part else b""
    if part is None or not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return payload.decode("utf-8", "replace")
