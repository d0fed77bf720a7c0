"""A parcel as a MIME message that survives 7-bit hops: ASCII only, short lines, the headers that mailboxes ask for."""

from __future__ import annotations

import email.policy
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from outreach.domain.message import Parcel

if TYPE_CHECKING:
    from email._policybase import Policy


class _Whole(UnstructuredHeader, BaseHeader):
    """A header whose value must not be folded: the library would turn a long URL into an encoded word."""

    def fold(self, *, policy: Policy[Any]) -> str:
        return f"{self.name}: {self}{policy.linesep}"


class _Words(UnstructuredHeader, BaseHeader):
    """A header of words. The library's own folding of encoded words (3.11) loses a space where two of them meet."""

    def fold(self, *, policy: Policy[Any]) -> str:
        encoded = Header(str(self), "us-ascii" if str(self).isascii() else "utf-8", 75, self.name)
        return f"{self.name}: {encoded.encode(linesep=policy.linesep)}{policy.linesep}"


_headers = HeaderRegistry()
_headers.map_to_type("subject", _Words)
for _name in ("list-unsubscribe", "list-unsubscribe-post", "message-id"):
    _headers.map_to_type(_name, _Whole)
POLICY = email.policy.SMTP.clone(cte_type="7bit", header_factory=_headers)


def message_id(parcel: Parcel) -> str:
    """Ours, the same for every try of one attempt: by it a bounce, or a look into the mailbox, finds the attempt."""
    return f"<{parcel.attempt_id}@{parcel.message_domain}>"


def ascii_address(address: str) -> str:
    """The address as SMTP without SMTPUTF8 can carry it. Raises ValueError (UnicodeError included) where it cannot."""
    local, at, domain = address.rpartition("@")
    if not (at and local and domain) or not local.isascii() or any(char in "\r\n\t <>," for char in address):
        raise ValueError("not an address that plain SMTP can carry")
    return f"{local}@{domain.encode('idna').decode('ascii')}"


def build(parcel: Parcel, now: datetime | None = None) -> bytes:
    """The whole message in CRLF lines. Raises ValueError for a header that would break out of its line."""
    content = parcel.content
    message = EmailMessage(policy=POLICY)
    message["From"] = Address(parcel.sender_name, addr_spec=ascii_address(parcel.sender))
    message["To"] = Address(addr_spec=ascii_address(parcel.to))
    message["Subject"] = content.subject
    message["Date"] = now or datetime.now(UTC)
    message["Message-ID"] = message_id(parcel)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office loops
    message["X-Auto-Response-Suppress"] = "All"
    if parcel.unsubscribe_url:
        _reject_breaks(parcel.unsubscribe_url)
        message["List-Unsubscribe"] = f"<{parcel.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    message.set_content(content.text, cte="base64")
    if content.html:
        message.add_alternative(content.html, subtype="html", cte="base64")
    if content.calendar is not None:
        message.add_alternative(
            content.calendar.decode("utf-8"),
            subtype="calendar",
            params={"method": content.calendar_method},
            cte="base64",
        )
    # Last: building the parts above carries every Content-* header away into the first of them.
    message["Content-Language"] = content.locale.replace("_", "-")
    return message.as_bytes()


def _reject_breaks(value: str) -> None:
    if not value.isascii() or any(char.isspace() or char in "<>" for char in value):
        raise ValueError("the unsubscribe address is not a plain URL")
