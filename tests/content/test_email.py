"""The e-mail as it travels and as it is read: transportable, self-contained, with a calendar that phones follow."""

from __future__ import annotations

import email.policy
import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from icalendar import Calendar

from outreach.content import body, calendars
from outreach.content.compose import Values, Words
from outreach.domain.channel import Channel
from outreach.errors import BadInput

NOW = datetime(2026, 9, 20, 8, tzinfo=UTC)


@pytest.mark.parametrize("locale", ["en", "es", "ar"])
def test_the_whole_message_survives_a_seven_bit_hop(words: Words, values: Values, locale: str) -> None:
    content = words.compose("pre.the_day", Channel.EMAIL, locale, "full", _with_visit(values), calendar=True, now=NOW)
    message = EmailMessage(policy=email.policy.SMTP.clone(cte_type="7bit"))
    message["Subject"] = content.subject
    message.set_content(content.text, cte="base64")
    message.add_alternative(content.html, subtype="html", cte="quoted-printable")
    assert content.calendar is not None
    message.add_alternative(
        content.calendar.decode(), subtype="calendar", params={"method": content.calendar_method}, cte="base64"
    )
    raw = bytes(message)
    raw.decode("ascii")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    back = email.message_from_bytes(raw, policy=email.policy.default)
    assert str(back["Subject"]) == content.subject
    assert back.get_body(("plain",)).get_content().strip().replace("\r\n", "\n") == content.text.strip()


@pytest.mark.parametrize("locale", ["en", "es", "ar"])
def test_every_language_has_the_skeleton_of_the_english_mail(words: Words, values: Values, locale: str) -> None:
    ours = words.compose("pre.what_to_expect", Channel.EMAIL, "en", "full", values)
    theirs = words.compose("pre.what_to_expect", Channel.EMAIL, locale, "full", values)
    assert [tag for tag in _tags(theirs.html) if tag != "bdi"] == _tags(ours.html)


def test_nothing_is_fetched_from_anywhere_and_styles_stand_on_elements(words: Words, values: Values) -> None:
    mail = words.compose("consent.request", Channel.EMAIL, "en", "full", values)
    for tag in ("<img", "<script", "<link", "@import", "url("):
        assert tag not in mail.html
    assert '<h1 style="' in mail.html
    button = re.search(r'<a [^>]*class="button"[^>]*>', mail.html)
    assert button
    assert "background-color" in button[0]
    assert values.clinic in mail.html


def test_a_body_is_written_once_and_shown_twice() -> None:
    source = "# Title\n\nOne [two](https://x.example/).\n\n- a\n- b\n\n[Go](https://x.example/go)\n"
    assert body.text(source) == "Title\n\nOne two (https://x.example/).\n\n- a\n- b\n\nGo: https://x.example/go"
    assert '<a href="https://x.example/go" class="button">Go</a>' in body.html(source)


@pytest.mark.parametrize(
    "text", ["# x", "1. x", "- x", "*x*", "<b>", "a & b", "`x`", "[x](y)", "> x", "\\", "--", "a|b"]
)
def test_an_escaped_value_means_only_itself(text: str) -> None:
    assert body.text(body.escape(text)) == text


def test_the_calendar_tells_the_visit_and_nothing_else(words: Words, values: Values) -> None:
    visit = _with_visit(values)
    content = words.compose("pre.the_day", Channel.EMAIL, "en", "full", visit, calendar=True, now=NOW)
    event = _event(content.calendar)
    assert content.calendar_method == "PUBLISH"
    assert (event["UID"], event["SEQUENCE"], event["SUMMARY"]) == (visit.visit_uid, 3, "Appointment")
    assert event.decoded("DTSTART") == values.visit_start
    assert event.decoded("DTEND") - event.decoded("DTSTART") == timedelta(minutes=120)
    assert b"nfusion" not in (content.calendar or b"")
    assert b"DESCRIPTION" not in (content.calendar or b"")


def test_a_cancelled_visit_takes_itself_out_of_the_calendar(words: Words, values: Values) -> None:
    content = words.compose("visit.cancelled", Channel.EMAIL, "ar", "full", _with_visit(values), calendar=True, now=NOW)
    assert content.calendar_method == "CANCEL"
    assert _event(content.calendar)["STATUS"] == "CANCELLED"
    assert b"METHOD:CANCEL" in (content.calendar or b"")


def test_lines_of_the_calendar_are_folded() -> None:
    made = calendars.visit("u@x", 0, NOW, 60, "موعد " * 40, "Street " * 40, "PUBLISH", NOW)
    assert max(len(line) for line in made.split(b"\r\n")) <= 75
    assert _event(made)["SUMMARY"] == ("موعد " * 40)


def test_a_calendar_without_a_visit_is_refused(words: Words, values: Values) -> None:
    with pytest.raises(BadInput, match="visit_uid"):
        words.compose("pre.the_day", Channel.EMAIL, "en", "full", values, calendar=True, now=NOW)


@pytest.mark.parametrize("link", ["javascript:alert(1)", "https://x.example/a b", 'https://x.example/"', "x.example"])
def test_a_link_that_is_no_address_is_refused(words: Words, values: Values, link: str) -> None:
    with pytest.raises(BadInput, match="link is not a web address"):
        words.compose("consent.request", Channel.EMAIL, "en", "full", values._replace(link=link))


def _with_visit(values: Values) -> Values:
    return values._replace(visit_uid="visit-1@harbourview.example", visit_sequence=3)


def _event(raw: bytes | None) -> Calendar:
    assert raw is not None
    return Calendar.from_ical(raw).walk("VEVENT")[0]


def _tags(html: str) -> list[str]:
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append(tag)

    Reader().feed(html)
    return found
