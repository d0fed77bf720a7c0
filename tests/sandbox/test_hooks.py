"""What the sandbox tells us: status callbacks in, and out of, order; inbound messages, also when we are late."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from outreach.providers.twilio_signature import valid
from outreach.sandbox.app import build
from outreach.sandbox.running import Running, running
from outreach.sandbox.script import Behaviour

SID, TOKEN = "AC" + "a" * 32, "the token"
Send = Callable[..., httpx.Response]


def words(ours: Any, count: int) -> list[str]:
    return [ours.next()["MessageStatus"] for _ in range(count)]


def test_callbacks_come_in_order_signed_with_our_attempt_in_their_path(ours: Any, send: Send) -> None:
    sid = send(attempt="attempt-9").json()["sid"]
    hooks = [ours.next(), ours.next()]
    assert [hook["MessageStatus"] for hook in hooks] == ["sent", "delivered"], "none for the first status, as at Twilio"
    for hook in hooks:
        assert hook.path == "/hooks/twilio/status/attempt-9?x=1"
        assert hook["MessageSid"] == sid
        assert (hook["To"], hook["From"], hook["AccountSid"]) == ("+12025550123", "+12025550100", SID)
        assert valid([TOKEN], ours.url + hook.path, hook.fields, hook.signature)
        assert not valid(["another"], ours.url + hook.path, hook.fields, hook.signature)


def test_a_messaging_service_also_tells_when_it_queued(ours: Any, send: Send) -> None:
    made = send(From=None, MessagingServiceSid="MG" + "c" * 32).json()
    assert made["status"] == "accepted"
    assert words(ours, 3) == ["queued", "sent", "delivered"]


def test_duplicates_and_disorder_come_on_request(ours: Any, send: Send, web: httpx.Client) -> None:
    assert web.patch("/sandbox/settings", json={"duplicates": True, "out_of_order": True}).json()["duplicates"] is True
    send()
    assert words(ours, 4) == ["delivered", "delivered", "sent", "sent"]


FATES = (
    ("9003", ["sent", "undelivered"], "30003"),
    ("9007", ["sent", "undelivered"], "30007"),
    ("9040", ["failed"], "30008"),
    ("9041", ["sent"], None),
    ("9051", ["sent", "delivered"], None),
)


@pytest.mark.parametrize(("digits", "told", "code"), FATES, ids=[row[0] for row in FATES])
def test_the_last_digits_of_a_number_choose_its_fate(
    ours: Any, send: Send, digits: str, told: list[str], code: str | None
) -> None:
    send("+1202555" + digits)
    hooks = [ours.next() for _ in told]
    assert [hook["MessageStatus"] for hook in hooks] == told
    assert dict(hooks[-1].fields).get("ErrorCode") == code
    assert all("ErrorCode" not in dict(hook.fields) for hook in hooks[:-1])


def test_a_share_of_messages_fails_on_request(ours: Any, send: Send, web: httpx.Client) -> None:
    web.post("/sandbox/settings", json={"failure_share": 1})
    send()
    assert words(ours, 2) == ["sent", "undelivered"]
    web.post("/sandbox/settings", json={"failure_share": 0, "refusal_share": 1})
    answer = send()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


@pytest.mark.parametrize("news", [{"speed": 1}, {"latency": "soon"}, {"failure_share": 2}, {"stops": "maybe"}], ids=str)
def test_a_setting_that_is_wrong_is_named(web: httpx.Client, news: dict[str, Any]) -> None:
    before = web.get("/sandbox/settings").json()
    answer = web.patch("/sandbox/settings", json=news)
    assert answer.status_code == 400
    assert next(iter(news)) in answer.json()["error"]
    assert web.get("/sandbox/settings").json() == before


def test_what_the_patient_writes_arrives_signed(ours: Any, send: Send, web: httpx.Client) -> None:
    send()
    words(ours, 2)
    sid = web.post("/sandbox/inbound", json={"from": "+12025550123", "body": "قف"}).json()["sid"]
    hook = ours.next()
    assert hook.path == "/hooks/twilio/inbound"
    assert valid([TOKEN], ours.url + hook.path, hook.fields, hook.signature)
    assert (hook["MessageSid"], hook["From"], hook["To"]) == (sid, "+12025550123", "+12025550100")
    assert (hook["Body"], hook["NumMedia"]) == ("قف", "0")


def test_an_answer_in_twiml_reaches_the_phone(ours: Any, web: httpx.Client, sandbox: Running) -> None:
    ours.answers = [(200, b"<Response><Message>See you &amp; thanks</Message></Response>")]
    web.post("/sandbox/inbound", json={"from": "+12025550123", "to": "+12025550100", "body": "1"})
    ours.next()
    [reply] = until(lambda: [one for one in messages(sandbox.url) if one["direction"] != "inbound"])
    assert (reply["body"], reply["phone"], reply["direction"]) == ("See you & thanks", "+12025550123", "outbound-reply")


def test_what_the_patient_writes_waits_until_we_can_take_it(ours: Any, web: httpx.Client) -> None:
    ours.answers = [(503, b""), (500, b"")]
    web.post("/sandbox/inbound", json={"from": "+12025550123", "to": "+12025550100", "body": "STOP"})
    assert [ours.next()["Body"] for _ in range(3)] == ["STOP"] * 3
    shown = until(lambda: [one for one in messages(str(web.base_url)) if one["hook"] == "answered"])
    assert len(shown) == 1


@pytest.mark.parametrize(
    "given", [{}, {"from": "12"}, {"from": "+12025550123", "body": " "}, {"from": "+12025550123", "body": "x"}], ids=str
)
def test_an_answer_of_nobody_to_nobody_is_refused(web: httpx.Client, given: dict[str, str]) -> None:
    assert web.post("/sandbox/inbound", json=given).status_code == 400


def test_a_form_of_another_site_cannot_answer_for_a_patient(web: httpx.Client) -> None:
    given = {"from": "+12025550123", "to": "+12025550100", "body": "STOP"}
    assert web.post("/sandbox/inbound", data=given, headers={"Origin": "http://evil.example"}).status_code == 403


def test_twilios_own_stop_list_is_off_and_can_be_switched_on(send: Send, web: httpx.Client) -> None:
    def write(body: str) -> None:
        web.post("/sandbox/inbound", json={"from": "+12025550123", "to": "+12025550100", "body": body})

    write("STOP")
    assert send().status_code == 201
    web.patch("/sandbox/settings", json={"stops": True})
    write("Stop ")
    assert send().json()["code"] == 21610
    write("START")
    assert send().status_code == 201


def test_the_same_attempt_twice_is_seen_as_a_duplicate(send: Send, web: httpx.Client) -> None:
    send(attempt="a"), send(attempt="b"), send(attempt="b")
    seen = web.get("/sandbox/messages").json()
    assert seen["duplicates"] == {"b": 2}
    assert seen["counts"] == {"sms": 3, "mails": 0, "attempts": 2}
    assert web.post("/sandbox/reset").status_code == 204
    assert web.get("/sandbox/messages").json()["counts"] == {"sms": 0, "mails": 0, "attempts": 0}


def test_a_callback_nobody_takes_harms_nothing() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}/x"
        with running(build(SID, TOKEN, behaviour=Behaviour(callback_delay=0))) as up:
            form = {"To": "+12025550123", "From": "+12025550100", "Body": "x", "StatusCallback": nowhere}
            httpx.post(f"{up.url}/2010-04-01/Accounts/{SID}/Messages.json", data=form, auth=(SID, TOKEN))
            until(lambda: [one for one in messages(up.url) if one["status"] == "delivered"])


def messages(url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(url.rstrip("/") + "/sandbox/messages").json()["sms"]
    return found


def until(look: Callable[[], list[Any]]) -> list[Any]:
    """Look until there is something; bounded by the number of looks, each a round trip."""
    for _ in range(2_000):
        if seen := look():
            return seen
    raise AssertionError("it never came")
