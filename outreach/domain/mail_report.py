"""What a mail sent back to us says: somebody complained (ARF, RFC 5965), or a mailbox is gone (DSN, RFC 3464)."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parseaddr
from typing import Literal, NamedTuple

MOST_BYTES = 2_000_000
COMPLAINTS = frozenset({"abuse", "fraud", "other", "opt-out", "virus"})


class MailReport(NamedTuple):
    """`kind`: a complaint, a mailbox that takes nothing for good, a person's letter, or anything else.

    `mailbox`: whose, "" if unsaid. `code`: what the report gives as its reason (abuse, 5.1.1), for the log.
    """

    kind: Literal["complaint", "dead", "letter", "other"]
    mailbox: str = ""
    code: str = ""


OTHER = MailReport("other")
LETTER = MailReport("letter")
"""No report at all: see domain.letter."""


def read_report(raw: bytes) -> MailReport:
    """Only the machine-readable part counts; never what a person could have typed. Too long or broken: other."""
    if len(raw) > MOST_BYTES:
        return OTHER
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
    except RecursionError:  # parts within parts within parts, made to bring the reader down
        return OTHER
    if mail.get_content_type() != "multipart/report" or not mail.is_multipart():
        return OTHER
    for part in mail.walk():
        if part.get_content_type() == "message/feedback-report":
            return _complaint(mail, part)
        if part.get_content_type() == "message/delivery-status":
            return _bounce(part)
    return OTHER


def _complaint(mail: Message, part: Message) -> MailReport:
    fields = {name.lower(): value for block in _blocks(part) for name, value in block.items()}
    kind = fields.get("feedback-type", "").strip().lower()
    mailbox = mailbox_of(fields.get("original-rcpt-to", ""))
    if not mailbox:  # some providers leave it out; the mail they enclose names it
        enclosed = (one for one in mail.walk() if one.get_content_type() in ("message/rfc822", "text/rfc822-headers"))
        mailbox = next((found for one in enclosed for found in _to(one)), "")
    return MailReport("complaint" if kind in COMPLAINTS else "other", mailbox, kind)


def _to(part: Message) -> Iterator[str]:
    """The mailbox that an enclosed mail, or its headers alone, went to."""
    for one in _blocks(part):
        if found := mailbox_of(str(one.get("To", ""))):
            yield found


def _bounce(part: Message) -> MailReport:
    """One mailbox of ours a mail: the first that failed for good. 4.x.x goes on being tried by whoever carries it."""
    for block in _blocks(part):
        status = str(block.get("Status", "")).split(" ")[0].strip()
        final = str(block.get("Action", "")).strip().lower() == "failed" and status.startswith("5")
        mailbox = mailbox_of(str(block.get("Original-Recipient") or block.get("Final-Recipient") or ""))
        if final and mailbox:
            return MailReport("dead", mailbox, status)
    return OTHER


def _blocks(part: Message) -> Iterator[Message]:
    """The groups of fields of a part, however its writer labelled them."""
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (one for one in payload if isinstance(one, Message))
    raw = part.get_payload(decode=True)
    if isinstance(raw, bytes):
        yield from (message_from_bytes(block) for block in raw.replace(b"\r\n", b"\n").split(b"\n\n"))
    elif isinstance(payload, list):
        for one in payload:
            if isinstance(one, Message) and not one.keys() and isinstance(text := one.get_payload(), str):
                yield message_from_bytes(text.encode("utf-8", "replace"))


def mailbox_of(value: str) -> str:
    """The one mailbox that a field names, lower case; "" where it names none or is no address."""
    found = parseaddr(value.rpartition(";")[2].strip())[1].strip().lower()
    return found if found.count("@") == 1 and len(found) <= 254 else ""
