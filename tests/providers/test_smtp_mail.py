"""Mails assembled by hand, held against the library's own: any words read back the same in every header and part."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from outreach.domain.channel import Channel
from outreach.domain.message import Content, Parcel
from outreach.providers.smtp_headers import ascii_address
from outreach.providers.smtp_mail import build

NOW = datetime(2026, 11, 21, 9, 30, 15, 250_000, tzinfo=UTC)
BREAKS = "\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
ANY = st.characters(exclude_categories=["Cs"])
LINE = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])
TEXT = st.text(ANY, max_size=400) | st.sampled_from(["", ".", ".\r\n..\n", "a\rb", "\n", "x" * 3000, "é" * 1000])
WORDS = st.text(LINE, max_size=120) | st.text("aé م 💉", max_size=200) | st.text('abc =?_"\\(),;:<>@[].', max_size=90)
LOCALES = st.sampled_from(["en", "ar", "zh-Hant", "pt_BR"])


def parcel(**given: Any) -> Parcel:
    content = {"locale": "en", "text": "Hello", "subject": "Your visit", "html": "<p>Hello</p>"}
    content.update({name: given.pop(name) for name in list(given) if name in Content._fields})
    attempt = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
    options = {
        "sender": "care@clinic.example",
        "sender_name": "Clínica Río, S.A.",
        "to": "patient@example.org",
        "unsubscribe_url": "https://clinic.example/u/" + "t" * 120,
        "message_domain": "clinic.example",
        **given,
    }
    return Parcel(attempt_id=attempt, channel=Channel.EMAIL, content=Content(**content), **options)  # type: ignore[arg-type]


def by_the_library(of: Parcel) -> EmailMessage:
    """The same mail, made with EmailMessage: headers as values, not as bytes, for its folding has faults of its own."""
    made, content = EmailMessage(policy=email.policy.SMTP.clone(cte_type="7bit")), of.content
    made["From"] = Address(of.sender_name, addr_spec=of.sender)
    made["To"] = Address(addr_spec=of.to)
    made["Subject"] = content.subject
    made["Date"] = NOW.replace(microsecond=0)
    made["Message-ID"] = f"<{of.attempt_id}@{of.message_domain}>"
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "All"
    made["List-Unsubscribe"] = f"<{of.unsubscribe_url}>"
    made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made.set_content(content.text, cte="base64")
    if content.html:
        made.add_alternative(content.html, subtype="html", cte="base64")
    if content.calendar is not None:
        method = {"method": content.calendar_method}
        made.add_alternative(content.calendar.decode(), subtype="calendar", params=method, cte="base64")
    made["Content-Language"] = content.locale.replace("_", "-")
    return made


def read(raw: bytes) -> Any:
    return email.message_from_bytes(raw, policy=email.policy.default)


def parts(message: Any) -> list[Any]:
    return list(message.iter_parts()) if message.is_multipart() else [message]


def name_of(raw: bytes) -> str:
    """The display name, by RFC 2047: the parser of 3.11 leaves a space between two encoded words of a name."""
    value = email.message_from_bytes(raw)["From"]
    if "=?" in value:
        return str(make_header(decode_header(value.rpartition("<")[0].strip())))
    return str(read(raw)["From"].addresses[0].display_name)


PART_HEADERS = ("content-type", "content-transfer-encoding")


@settings(max_examples=60, deadline=None)
@given(
    subject=WORDS, sender_name=WORDS, text=TEXT, html=TEXT, calendar=st.none() | TEXT,
    calendar_method=st.sampled_from(["PUBLISH", "CANCEL"]), locale=LOCALES,
)  # fmt: skip
@example("=?utf-8?q?not_ours?=", "=?x?=", "a", "", None, "PUBLISH", "en")
@example(" led and trailed ", '\\"', "a", "b", "c", "CANCEL", "ar")
def test_any_words_read_back_as_the_librarys_own_mail_says_them(
    subject: str, sender_name: str, text: str, html: str, calendar: str | None, calendar_method: str, locale: str
) -> None:
    given = parcel(
        subject=subject, sender_name=sender_name, text=text, html=html, locale=locale,
        calendar=None if calendar is None else calendar.encode(), calendar_method=calendar_method,
    )  # fmt: skip
    raw = build(given, NOW)
    ours, theirs = read(raw), by_the_library(given)

    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert not re.search(rb"(?m)^\.", raw), "no line needs a second dot"
    head = raw.partition(b"\r\n\r\n")[0]
    folded = [line for line in head.split(b"\r\n") if not line.startswith(b"List-Unsubscribe: ")]
    assert max(map(len, folded)) <= 78

    assert ours.defects == []
    assert sorted(name.lower() for name in ours) == sorted(name.lower() for name in theirs)
    assert ours["Subject"] == subject
    assert name_of(raw).split() == sender_name.split(), "readers of names make one space of several"
    assert ours["From"].addresses[0].addr_spec == given.sender
    for name in theirs:
        if name.lower() not in {"subject", "from", "content-type", "content-transfer-encoding"}:
            assert str(ours[name]) == str(theirs[name]), name
    mine, library = parts(ours), parts(theirs)
    assert len(mine) == len(library)
    for one, other in zip(mine, library, strict=True):
        assert one.defects == []
        assert one.get_payload(decode=True) == other.get_payload(decode=True)
        assert [str(one[name]) for name in PART_HEADERS] == [str(other[name]) for name in PART_HEADERS]
        assert dict(one["content-type"].params) == dict(other["content-type"].params)


@pytest.mark.parametrize("field", ["subject", "sender_name"])
@given(before=st.text(LINE, max_size=5), sign=st.sampled_from(BREAKS + "\0\x7f"), after=st.text(LINE, max_size=5))
def test_nothing_in_a_header_can_begin_another(field: str, before: str, sign: str, after: str) -> None:
    with pytest.raises(ValueError):
        build(parcel(**{field: before + sign + after}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": "a@example.org\r\nBcc: b@example.org"},
        {"to": "a b@example.org"},
        {"to": "a@b@example.org"},
        {"to": "@example.org"},
        {"to": "a@"},
        {"to": "a,b@example.org"},
        {"to": "a@example..org"},
        {"to": "a@" + "x" * 300},
        {"to": "ü@example.org"},
        {"sender": "care@clinic.example>\r\nX: y"},
        {"unsubscribe_url": "https://clinic.example/ü"},
        {"unsubscribe_url": "https://clinic.example/>\r\nX: y"},
        {"unsubscribe_url": "https://clinic.example/" + "x" * 1000},
        {"message_domain": "clinic.example>\r\nX: y"},
        {"locale": "en\r\nX: y"},
        {"calendar": b"BEGIN:VCALENDAR", "calendar_method": 'X"\r\nX: y'},
        {"subject": "half \ud83d"},
    ],
    ids=str,
)
def test_what_would_break_out_of_a_header_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        build(parcel(**wrong))


@given(st.emails())
def test_an_address_is_carried_as_it_is_or_not_at_all(address: str) -> None:
    local, _, domain = address.rpartition("@")
    assert ascii_address(address) == f"{local}@{domain}"


def test_a_border_is_in_no_part() -> None:
    raw = build(parcel(text="--=_01890a5dac96774bbcceb302099a8057--", html="--=_01890a5dac96774bbcceb302099a8057"))
    assert len(parts(read(raw))) == 2
