"""Header values of a mail in plain ASCII: addresses, names, words (RFC 2047), dates. What repeats is remembered."""

from __future__ import annotations

import binascii
import re
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

LINE = 78  # RFC 5322 2.1.1: what a line should not exceed; 998 is what it must not
WORD_BYTES = 45  # of UTF-8 in one encoded word: 60 of base64 and 12 around it, RFC 2047 allows 75
FIRST_BYTES = 39  # in the first, which shares its line (76 at most) with "Subject: "
FIRST_OF_NAME = 42  # or with "From: "; a name of one word survives readers that put spaces between words

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*")
_HOST = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_PHRASE = re.compile(rf"{_ATOM}( {_ATOM})*")
# What could end a header's line, for readers of any kind, and what has no business in one.
_BREAK = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


def ascii_address(address: str) -> str:
    """The address as SMTP without SMTPUTF8 can carry it. Raises ValueError (UnicodeError included) where it cannot."""
    local, _, domain = address.rpartition("@")
    if not _LOCAL.fullmatch(local):
        raise ValueError("not an address that plain SMTP can carry")
    return f"{local}@{ascii_domain(domain)}"


@lru_cache(4096)
def ascii_domain(domain: str) -> str:
    """The domain in its ASCII form. Raises ValueError (UnicodeError included) for what is none."""
    plain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    if not _HOST.fullmatch(plain) or len(plain) > 253:
        raise ValueError("not the name of a domain")
    return plain


@lru_cache(1024)
def mailbox(name: str, address: str) -> str:
    """A From value: `Name <address>`, the name in whatever form it needs, folded where it is long."""
    _refuse_breaks(name)
    address = ascii_address(address)
    if not name:
        return address
    if not name.isascii() or "=?" in name or len(name) > LINE - 20:
        shown = encoded_words(name, FIRST_OF_NAME)
    elif _PHRASE.fullmatch(name):
        shown = name
    else:
        shown = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    gap = "\r\n " if len("From: ") + len(shown) + len(address) + 3 > LINE else " "
    return f"{shown}{gap}<{address}>"


@lru_cache(4096)
def words(text: str) -> str:
    """A header of free words, such as Subject. Raises ValueError for text that would break out of its line."""
    _refuse_breaks(text)
    text = text.replace("\t", " ")
    fits = len(text) <= LINE - len("Subject: ")
    return text if fits and text.isascii() and "=?" not in text and text == text.strip() else encoded_words(text)


def encoded_words(text: str, first: int = FIRST_BYTES) -> str:
    """RFC 2047: each word whole characters in base64, on a line of its own; readers drop the breaks between them."""
    data, said, start, room = text.encode(), [], 0, first
    while start < len(data):
        end = min(start + room, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:  # inside a character
            end -= 1
        said.append(binascii.b2a_base64(data[start:end], newline=False).decode("ascii"))
        start, room = end, WORD_BYTES
    return "\r\n ".join(f"=?utf-8?b?{word}?=" for word in said)


@lru_cache(64)
def day_and_time(instant: datetime) -> str:
    """A Date value; `instant` is aware, in whole seconds."""
    return format_datetime(instant)


def _refuse_breaks(value: str) -> None:
    if _BREAK.search(value):
        raise ValueError("a header would break out of its line")
