"""The page of phones and mailboxes: directions, safety, answering without JavaScript."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from outreach.domain.channel import Channel
from outreach.domain.message import Content, Parcel
from outreach.providers.smtp import SmtpProvider
from outreach.sandbox.book import Mail, Message
from outreach.sandbox.phones import Mailbox, Phone, language, latest_first, linked, readable
from outreach.sandbox.running import Running
from tests.providers.handing import handed

Send = Callable[..., httpx.Response]
ARABIC = "موعدك غدًا http://127.0.0.1:8000/p/xyz."


def test_a_bubble_knows_its_direction_and_language_and_its_links_work(send: Send, web: httpx.Client) -> None:
    send(Body=ARABIC)
    page = web.get("/phones")
    assert page.status_code == 200
    assert '<p class="bubble" dir="auto" lang="ar">' in page.text
    assert 'href="http://127.0.0.1:8000/p/xyz"' in page.text, "the full stop is not part of the link"
    assert "+1 202-555-0123" in page.text


def test_what_a_message_says_is_never_taken_for_html(send: Send, web: httpx.Client) -> None:
    send(Body="<script>alert(1)</script> http://x/\"onclick='y'")
    page = web.get("/phones").text
    assert "<script>alert" not in page
    assert "onclick='y'" not in page
    assert "script-src" not in web.get("/phones").headers["content-security-policy"], "only our own file runs"


def test_cards_come_by_latest_activity_and_can_be_searched(send: Send, web: httpx.Client) -> None:
    for number in ("+12025550101", "+12025550102", "+12025550103", "+12025550101"):
        send(number, Body=f"for {number}")
    assert re.findall(r'<article[^>]* id="p1202555(\d+)"', web.get("/phones").text) == ["0101", "0103", "0102"]
    assert re.findall(r'<article[^>]* id="p1202555(\d+)"', web.get("/phones?q=0103").text) == ["0103"]
    assert "<article" not in web.get("/phones?show=mail").text
    assert "Nothing here holds" in web.get("/phones?q=zebra").text


def test_of_one_minute_a_question_without_an_answer_leads() -> None:
    at = datetime(2026, 12, 1, 9, tzinfo=UTC)

    def phone(seconds: int, *said: str, answers: bool = False) -> Phone:
        when = at + timedelta(seconds=seconds)
        texts = [Message(str(seconds), "+12025550101", "", None, body, "outbound-api", "sent", when, when)
                 for body in said]  # fmt: skip
        if answers:
            texts.append(replace(texts[-1], direction="inbound", body="1"))
        return Phone(str(seconds), texts)

    asked, told = phone(1, "Reply 1 to agree, HELP for help."), phone(5, "Your visit is on 12/11 at 1:30.")
    agreed, later = phone(3, "Reply 1 to agree.", answers=True), phone(61, "Thank you.")
    box = Mailbox(
        "a@x.example", [Mail("m", "a@x.example", "f@x.example", at + timedelta(seconds=9), "", "", "", "", (), "")]
    )
    shown = sorted([told, box, asked, later, agreed], key=latest_first, reverse=True)
    assert shown == [later, asked, told, agreed, box]


def test_the_patient_can_answer_without_javascript(send: Send, web: httpx.Client, ours: Any) -> None:
    send()
    page = web.get("/phones/+12025550123")
    assert 'action="/sandbox/inbound"' in page.text
    answer = web.post("/sandbox/inbound", data={"from": "+12025550123", "body": "1", "back": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/phones/%2B12025550123")
    assert '<li class="mine">' in web.get(answer.headers["location"]).text


def test_nothing_new_costs_nothing(send: Send, web: httpx.Client, sandbox: Running) -> None:
    send(StatusCallback="", to="+12025559042")
    page = web.get("/phones")
    assert web.get("/phones", headers={"If-None-Match": page.headers["etag"]}).status_code == 304
    send("+12025559042")
    assert web.get("/phones", headers={"If-None-Match": page.headers["etag"]}).status_code == 200


def test_an_empty_page_and_an_unknown_phone_say_so(web: httpx.Client) -> None:
    assert "No message yet" in web.get("/phones").text
    assert web.get("/phones/+12025550199").status_code == 404
    assert web.get("/mail/nothing").status_code == 404
    assert web.get("/").headers["location"] == "/phones"
    assert web.get("/phones.css").status_code == web.get("/phones.js").status_code == 200
    assert web.get("/sandbox/health").json()["status"] == "ok"


@pytest.fixture
def arrived(sandbox: Running) -> Parcel:
    html = '<html lang="ar" dir="rtl"><head><title>x</title></head><body><script>1</script><p>مرحبا</p></body></html>'
    content = Content("ar", ARABIC, "موعدك", html, b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    parcel = Parcel(uuid4(), Channel.EMAIL, "care@clinic.example", "Clinic", "amina@example.org", content)
    carrier = SmtpProvider("127.0.0.1", sandbox.smtp_port or 0, "none", timeout=5)
    handed(carrier, parcel)
    carrier.close()
    return parcel


def test_a_mail_is_shown_in_a_frame_that_can_run_nothing(web: httpx.Client, arrived: Parcel) -> None:
    box = web.get("/phones").text
    assert 'lang="ar"' in box
    [link] = re.findall(r'href="(/mail/\w+)"', box)
    page = web.get(link).text
    assert '<iframe sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "&lt;p&gt;مرحبا" in page
    assert "<script>1" not in page
    assert "BEGIN:VCALENDAR" in page


def test_a_mail_is_kept_with_its_parts_headers_and_attempt(web: httpx.Client, arrived: Parcel) -> None:
    [mail] = web.get("/sandbox/messages", params={"to": "AMINA@example.org"}).json()["mails"]
    assert mail["attempt"] == str(arrived.attempt_id)
    assert (mail["subject"], mail["text"].strip(), mail["language"]) == ("موعدك", ARABIC, "ar")
    assert mail["calendar"].startswith("BEGIN:VCALENDAR")
    assert ["Auto-Submitted", "auto-generated"] in mail["headers"]


def test_a_mail_that_is_none_still_arrives(sandbox: Running, web: httpx.Client) -> None:
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port or 0) as server:
        server.sendmail("a@example.org", "b@example.org", b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xff\xfe")
    [mail] = web.get("/sandbox/messages").json()["mails"]
    assert mail["to"] == "b@example.org"
    assert web.get("/phones").status_code == web.get(f"/mail/{mail['id']}").status_code == 200


def test_small_words() -> None:
    assert linked("a & b") == "a &amp; b"
    assert [language(text) for text in ("مرحبا", "Привет", "你好", "mañana", "hello")] == ["ar", "ru", "zh", "es", "en"]
    assert (readable("+12025550123"), readable("Clinic")) == ("+1 202-555-0123", "Clinic")
