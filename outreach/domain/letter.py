"""What a person wrote in a mail: who from, its subject, and its words without the quoted original and the signature."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from html import unescape
from typing import NamedTuple

from outreach.domain.mail_report import MOST_BYTES, mailbox_of

LONGEST = 1600
"""Characters that are kept of a mail, as many as the longest text has."""
_READ, _LINES, _LINE = 100_000, 2_000, 2_000
"""No more characters, lines, and characters of a line are looked at: a mail may be made to be slow to read."""
_MACHINES = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})
_MARKS = ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply", "List-Id", "List-Unsubscribe")
_REPLY = re.compile(r"^\s*(?:[^\W\d]{1,5}|回复|答复|回覆|答覆|الرد|رد)\s?[:：]\s*", re.IGNORECASE)
_QUOTING = "(?:" + "|".join((
    r".{0,400}<[^<>\s]+@[^<>\s]+>[^:：]{0,60}",
    r"on .{1,400} wrote\s?", r"am .{1,400} schrieb .{0,200}", r"le .{1,400} a écrit\s?", r"el .{1,400} escribió\s?",
    r"em .{1,400} escreveu\s?", r"il .{1,400} ha scritto\s?", r"vào .{1,400} đã viết\s?",
    r"noong .{1,400} sumulat.{0,60}",
)) + ")[:：]"  # fmt: skip
# What a mail program writes above the original: it names a mailbox, or is one of the sentences that name none.
_ABOVE = re.compile(_QUOTING, re.IGNORECASE)
_FORWARDED = re.compile(r"[-_]{2,}\s?[^-_]{3,60}\s?[-_]{2,}")  # -----Original Message-----, in any language
_FIELD = re.compile(r"[*\s]{0,3}[^\W\d][^:：@]{0,20}[*]?[:：]")
_DAY = re.compile(r"\b(?:19|20)\d\d\b|\d[:.]\d\d")
_SENT_FROM = re.compile(
    r"^(?:sent from|get outlook|enviado desde|envoyé de|gesendet von|inviato da|enviado d|отправлено)\b.{0,60}$",
    re.IGNORECASE,
)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]{0,8000}>|<[!?/][^<>]{0,8000}>|([^<]+|<)")
_HIDDEN = frozenset({"blockquote", "style", "script", "title"})
_BLOCKS = frozenset({"br", "p", "div", "tr", "li", "hr"})


class Letter(NamedTuple):
    """`mailbox`: who it says it is from, which anybody can forge. `text`: at most `LONGEST` characters, "" for none."""

    mailbox: str
    subject: str
    text: str


def read_letter(raw: bytes) -> Letter | None:
    """A mail as a person wrote it. None: a machine's (RFC 3834 and its elders, reports, lists), too long, or no mail.

    A machine is never heard, whatever it says: an absence note may hold our own "reply STOP".
    """
    if len(raw) > MOST_BYTES:
        return None
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
        parts = list(_parts(mail))
    except RecursionError:  # parts within parts within parts: nobody's telephone writes that
        return None
    mailbox = mailbox_of(str(mail.get("From", "")))
    if not mailbox or _automatic(mail):
        return None
    return Letter(mailbox, _subject(mail), written(_words(parts))[:LONGEST].strip())


def written(text: str) -> str:
    """What stands above, between or below the quoted original; nothing from where one begins that is not marked by >.

    Nothing is cut that merely could be an original: whoever cannot breathe may write in any form.
    """
    lines = [line[:_LINE].strip() for line in text[:_READ].splitlines()[:_LINES]]
    own: list[str] = []
    at = 0
    while at < len(lines):
        if lines[at] in ("--", "-- ") or _FORWARDED.fullmatch(lines[at]) or _heads(lines[at : at + 6]):
            break
        if above := _above(lines, at):
            at += above
            if not next((line for line in lines[at:] if line), ">").startswith(">"):
                break
            continue
        if not lines[at].startswith(">") and not _SENT_FROM.match(lines[at]):
            own.append(lines[at])
        at += 1
    return re.sub(r"\n{3,}", "\n\n", "\n".join(own)).strip()


def _above(lines: Sequence[str], at: int) -> int:
    """How many lines from here on stand above an original, one sentence broken over three at most; 0 for none."""
    for end in range(at + 1, min(at + 4, len(lines) + 1)):
        if not lines[end - 1] or lines[end - 1].startswith(">"):
            break
        if _ABOVE.fullmatch(" ".join(lines[at:end])):
            return end - at
    return 0


def _heads(lines: Sequence[str]) -> bool:
    """Whether these are the fields of an original's head (From, Sent, To, Subject) in whatever language."""
    if lines and re.fullmatch(r"_{10,}", lines[0]):
        lines = lines[1:]
    if not lines or not _FIELD.match(lines[0]):
        return False
    fields = [line for line in lines[:5] if _FIELD.match(line)]
    return len(fields) >= 3 and any("@" in one for one in fields) and any(_DAY.search(one) for one in fields)


def _automatic(mail: Message) -> bool:
    auto = str(mail.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    # Headers alone tell: a person who is away may still write "out of office" (domain.robots reads the words).
    return (
        auto != "no"
        or str(mail.get("Precedence", "")).strip().lower() in _MACHINES
        or any(name in mail for name in _MARKS)
        or str(mail.get("Return-Path", "x")).strip() == "<>"
        or mail.get_content_type() == "multipart/report"
    )


def _subject(mail: Message) -> str:
    """Without its Re: and Fwd:, on one line."""
    kept = next((value for name, value in mail.raw_items() if name.lower() == "subject"), "")
    raw = str(kept).encode("utf-8", "surrogateescape").decode("utf-8", "replace")[:_LINE]
    try:
        said = str(make_header(decode_header(raw)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        said = raw
    said = " ".join(said.split())
    while (cut := _REPLY.sub("", said, count=1)) != said:
        said = cut
    return said.replace("\0", "")[:LONGEST]


def _parts(part: Message) -> Iterator[Message]:
    """The parts a person wrote: nothing that is enclosed or attached."""
    if part.get_content_maintype() == "message" or part.get_content_disposition() == "attachment":
        return
    payload = part.get_payload()
    if isinstance(payload, list):
        for one in payload:
            if isinstance(one, Message):
                yield from _parts(one)
    else:
        yield part


def _words(parts: Sequence[Message]) -> str:
    """The first plain part that says something, else the words of the first HTML one."""
    for kind, reading in (("text/plain", str), ("text/html", _without_tags)):
        for part in parts:
            if part.get_content_type() == kind and (said := reading(_decoded(part)[:_READ])).strip():
                return said
    return ""


def _decoded(part: Message) -> str:
    raw = part.get_payload(decode=True)
    data = raw if isinstance(raw, bytes) else b""
    try:
        said = data.decode(str(part.get_content_charset() or "utf-8"), "replace")
    except (LookupError, ValueError):
        said = data.decode("utf-8", "replace")
    return said.replace("\0", "").replace("\r\n", "\n")


def _without_tags(page: str) -> str:
    """The words between the tags, a line for each block; nothing of what is quoted, or of what nobody reads.

    Not by html.parser: a hundred thousand letters made for it to be slow keep it busy for minutes.
    """
    pieces = page.split("<!--")
    shown = pieces[0] + "".join(piece.partition("-->")[2] for piece in pieces[1:])
    said: list[str] = []
    hidden, depth = "", 0
    for found in _TAG.finditer(shown):
        closing, tag, words = found[1], (found[2] or "").lower(), found[3]
        if hidden:
            depth = depth + (-1 if closing else 1) if tag == hidden else depth
            hidden = hidden if depth else ""
        elif tag in _HIDDEN and not closing:
            hidden, depth = tag, 1
        elif tag in _BLOCKS:
            said.append("\n")
        elif words:
            said.append(re.sub(r"\s+", " ", unescape(words)))
    return "".join(said)
