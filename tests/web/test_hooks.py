"""Carriers' hooks: only what is signed comes in, and coming in twice is harmless."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import MutableMapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from outreach.actions import receive as receipts
from outreach.domain.status import Status
from outreach.providers.twilio import TwilioProvider
from outreach.providers.twilio_signature import sign
from outreach.store.ids import fresh_id
from outreach.store.queue import Going, begin_sending
from outreach.store.tables import Consent
from outreach.store.traffic import Event, InboundMessage, Message, Sender
from outreach.web.app import create
from outreach.web.hooks import group, status
from tests.store.silent import in_time, way
from tests.web.house import PUBLIC, TOKEN, House

INBOUND = {"MessageSid": "SM" + "2" * 32, "From": "+12025550143", "To": "+12025550110", "Body": "STOP"}


@pytest.mark.parametrize(
    "path",
    ["/hooks/twilio/inbound", f"/hooks/twilio/status/{UUID(int=7)}", "/hooks/twilio/status/x"],
    ids=["inbound", "status", "status of nothing"],
)
@pytest.mark.parametrize(
    "signature", [None, "", "nonsense", "ünïcode", "A" * 28], ids=["none", "empty", "text", "latin-1", "right length"]
)
def test_what_is_not_signed_gets_403(house: House, path: str, signature: str | None) -> None:
    given = None if signature is None else {"X-Twilio-Signature": signature.encode("latin-1")}
    assert house.browser().post(path, data=INBOUND, headers=given).status_code == 403


@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe\x00", b"", b"&".join(b"a=%d" % n for n in range(500)), b'{"MessageSid": "x"}'],
    ids=["not UTF-8", "empty", "too many fields", "JSON"],
)
def test_strange_bodies_get_403(house: House, body: bytes) -> None:
    headers = {"X-Twilio-Signature": "x", "Content-Type": "application/x-www-form-urlencoded"}
    assert house.browser().post("/hooks/twilio/inbound", content=body, headers=headers).status_code == 403


def test_too_much_is_not_read(house: House) -> None:
    answer = house.browser().post("/hooks/twilio/inbound", content=b"a" * 70_000, headers={"X-Twilio-Signature": "x"})
    assert answer.status_code == 413


def test_the_host_header_does_not_make_the_url(house: House) -> None:
    answer = house.browser().post(
        "/hooks/twilio/inbound", data=INBOUND, headers={"Host": "evil.example", "X-Twilio-Signature": "x"}
    )
    assert answer.status_code == 403


def handed_over(house: House) -> tuple[UUID, UUID]:
    """A message in a carrier's hands, not yet answered for, and its attempt."""
    message_id, _ = house.message(house.patient(), "consent.request")
    attempt_id = fresh_id()
    with house.out.sessions.begin() as session:
        sender_id = session.scalars(
            select(Sender.id).where(Sender.clinic_id == house.clinic_id, Sender.channel == "sms")
        ).one()
        going = Going(message_id, attempt_id, sender_id, "en", "full", None, b"", 1, b"")
        begin_sending(session, [going], timedelta(minutes=1))
    return message_id, attempt_id


def receipt(house: House, attempt_id: object, word: str, **more: str) -> int:
    """What our answer is to this callback."""
    fields = {"MessageSid": "SM1", "MessageStatus": word, "To": "+12025550143", **more}
    return int(house.hook(f"/hooks/twilio/status/{attempt_id}", fields).status_code)


def kept(house: House, message_id: UUID) -> list[str]:
    """The carrier's words, as any other connection reads them now, in the order they were kept."""
    with house.out.engine.connect() as other:
        mine = (Event.message_id == message_id, Event.source == "carrier")
        return list(other.scalars(select(Event.word).where(*mine).order_by(Event.id)))


def status_of(house: House, message_id: UUID) -> str | None:
    with house.out.engine.connect() as other:
        return other.scalar(select(Message.status).where(Message.id == message_id))


def test_a_receipt_for_no_attempt_is_noted(house: House) -> None:
    with capture_logs() as logs:
        assert receipt(house, uuid4(), "delivered") == 204, "calling again would not make one"
        assert receipt(house, "nonsense", "delivered") == 204
    assert [line["event"] for line in logs] == ["news of an attempt we never made", "receipt for no attempt"]
    assert "+1202555" not in str(logs)


def test_receipts_in_any_order_and_five_times_end_as_delivered(house: House) -> None:
    message_id, attempt_id = handed_over(house)
    for word in ["delivered", *["sent"] * 5, "delivered", "queued", "sent"]:
        assert receipt(house, attempt_id, word) == 204
    assert status_of(house, message_id) == Status.DELIVERED
    assert kept(house, message_id) == ["delivered", "sent", "queued"]


def test_what_was_answered_204_is_committed(house: House) -> None:
    message_id, attempt_id = handed_over(house)
    for number, word in enumerate(("queued", "sent", "delivered"), start=1):
        assert receipt(house, attempt_id, word) == 204
        assert len(kept(house, message_id)) == number


def test_a_receipt_played_back_a_week_later_changes_nothing(house: House) -> None:
    message_id, attempt_id = handed_over(house)
    receipt(house, attempt_id, "delivered")
    with house.out.engine.connect() as other:
        before = other.execute(select(Message.__table__)).all()
    assert receipt(house.later(timedelta(days=7)), attempt_id, "delivered") == 204
    with house.out.engine.connect() as other:
        assert other.execute(select(Message.__table__)).all() == before
    assert kept(house, message_id) == ["delivered"]


def test_an_account_of_another_name_is_heard_too(house: House) -> None:
    message_id, attempt_id = handed_over(house)
    (twilio,) = [one for one in house.out.providers.values() if isinstance(one, TwilioProvider)]
    other = replace(house, out=replace(house.out, providers={"second": twilio}))
    assert receipt(other, attempt_id, "sent") == 204
    assert kept(house, message_id) == ["sent"]


def test_an_unknown_status_word_is_kept_and_moves_nothing(house: House) -> None:
    message_id, attempt_id = handed_over(house)
    assert receipt(house, attempt_id, "teleported") == 204
    assert status_of(house, message_id) == Status.SENDING
    assert kept(house, message_id) == ["teleported"]


@pytest.mark.parametrize(
    ("method", "kind", "body", "status"),
    [
        ("GET", "application/x-www-form-urlencoded", b"", 405),
        ("POST", "application/json", b'{"MessageStatus": "sent"}', 415),
        ("POST", "application/x-www-form-urlencoded", b'{"MessageStatus": "sent"}', 403),
        ("POST", "application/x-www-form-urlencoded; charset=UTF-8", b"MessageStatus=sent", 403),
        ("POST", "application/x-www-form-urlencoded", b"\xff", 403),
        ("POST", "application/x-www-form-urlencoded", b"&".join(b"a=%d" % n for n in range(500)), 403),
        ("POST", "application/x-www-form-urlencoded", b"a" * 70_000, 413),
    ],
    ids=["GET", "JSON", "JSON as a form", "garbled signature", "not UTF-8", "too many fields", "too long"],
)
def test_what_is_no_receipt_is_refused(house: House, method: str, kind: str, body: bytes, status: int) -> None:
    headers = {"Content-Type": kind, "X-Twilio-Signature": "\x00garbled="}
    answer = house.browser().request(method, f"/hooks/twilio/status/{uuid4()}", content=body, headers=headers)
    assert (answer.status_code, answer.content) == (status, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_of_ten_megabytes_no_more_than_the_limit_is_read(house: House) -> None:
    read = 0

    async def pieces() -> MutableMapping[str, Any]:
        nonlocal read
        read += 16 * 1024
        return {"type": "http.request", "body": b"a" * 16 * 1024, "more_body": read < 10_000_000}

    said = []

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    for headers, most in (([], 80 * 1024), ([(b"content-length", b"10000000")], 0)):
        read = 0
        form = (b"content-type", b"application/x-www-form-urlencoded")
        scope = {"type": "http", "method": "POST", "path": "/hooks/twilio/status/x", "headers": [form, *headers]}
        asyncio.run(create(house.out)(scope, pieces, send))
        assert said[-2]["status"] == 413
        assert (b"connection", b"close") in said[-2]["headers"]
        assert read <= most


def test_one_that_cannot_be_kept_does_not_sink_the_others(house: House) -> None:
    message_id, attempt_id = handed_over(house)
    route = create(house.out)

    async def together() -> list[int]:
        words = ["queued", "sent\0", "delivered"]
        return [await one for one in [asyncio.ensure_future(call(route, attempt_id, word)) for word in words]]

    with capture_logs() as logs:
        assert asyncio.run(together()) == [204, 500, 204]
    route.close()
    assert [line["event"] for line in logs] == ["a receipt cannot be kept"]
    assert kept(house, message_id) == ["queued", "delivered"]


def test_while_the_database_is_away_the_carrier_is_told_to_call_again(house: House) -> None:
    message_id, attempt_id = handed_over(house)
    away = create_engine("postgresql+psycopg://nobody@127.0.0.1:9/none")
    route = create(replace(house.out, engine=away))
    with capture_logs() as logs:
        assert asyncio.run(call(route, attempt_id, "sent")) == 503
    assert [line["event"] for line in logs] == ["receipt not kept: the carrier is to call again"]
    assert kept(house, message_id) == []
    route.close()


def test_a_connection_that_was_cut_is_replaced_unnoticed(house: House) -> None:
    message_id, attempt_id = handed_over(house)
    route = create(house.out)

    async def cut_between() -> list[int]:
        first = await call(route, attempt_id, "queued")
        with house.out.engine.connect() as other:
            other.execute(text("select pg_terminate_backend(pid) from pg_stat_activity"
                               " where datname = current_database() and pid <> pg_backend_pid()"))  # fmt: skip
        return [first, await call(route, attempt_id, "sent")]

    assert asyncio.run(cut_between()) == [204, 204]
    route.close()
    assert kept(house, message_id) == ["queued", "sent"]


def test_a_database_that_says_no_more_is_told_of_in_time_and_nothing_is_kept_twice(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "PATIENCE", 0.2)
    monkeypatch.setattr(group, "SLOW", 0.1)
    message_id, attempt_id = handed_over(house)
    applying, said = receipts.apply_all, list[int]()
    with way(house.out.engine) as silent:
        route = create(replace(house.out, engine=silent.engine))

        def apply(*given: Any) -> object:
            applied = applying(*given)
            if given[1][0].receipt.word == "sent" and not said:
                silent.hush("answers")  # the commit is heard, and not answered
            return applied

        monkeypatch.setattr(receipts, "apply_all", apply)

        async def scene() -> list[int]:
            said.extend([await call(route, attempt_id, word) for word in ("queued", "sent")])
            return [*said, await call(route, attempt_id, "sent")]

        with capture_logs() as logs:
            assert in_time(lambda: asyncio.run(scene())) == [204, 503, 204]
        route.close()
    assert [line["event"] for line in logs] == ["receipt not kept: the carrier is to call again"]
    assert kept(house, message_id) == ["queued", "sent"]


def test_who_waits_behind_a_silent_database_is_told_with_the_others_and_too_many_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(group, "SLOW", 0.05)
    monkeypatch.setattr(group, "FULL", 3)
    writing = threading.Event()
    batches: list[list[int]] = []

    def write(items: Sequence[int]) -> None:
        batches.append(list(items))
        writing.set()
        time.sleep(0.1)
        raise OperationalError("", None, Exception())

    async def scene() -> list[object]:
        gathering = group.Group(write, lambda: None)
        waiting = [asyncio.ensure_future(gathering.add(0))]
        await asyncio.to_thread(writing.wait, 5)
        waiting += [asyncio.ensure_future(gathering.add(one)) for one in range(1, 5)]
        said: list[object] = [type(one) for one in await asyncio.gather(*waiting, return_exceptions=True)]
        await asyncio.to_thread(gathering.close)
        return said

    assert asyncio.run(scene()) == [OperationalError] * 4 + [group.Closed]
    assert batches == [[0]]


def test_shutting_down_writes_what_waits_and_takes_no_more(house: House) -> None:
    message_id, attempt_id = handed_over(house)
    route = create(house.out)

    async def scene() -> list[int]:
        waiting = [asyncio.ensure_future(call(route, attempt_id, word)) for word in ("sent", "delivered")]
        await asyncio.sleep(0)  # both have been handed to the group
        await asyncio.to_thread(route.close)
        return [*[await one for one in waiting], await call(route, attempt_id, "read")]

    with capture_logs():
        assert asyncio.run(scene()) == [204, 204, 503]
    assert kept(house, message_id) == ["sent", "delivered"]
    assert not [thread for thread in threading.enumerate() if thread.name == "receipts" and not thread.daemon]


async def call(route: Any, attempt_id: UUID, word: str) -> int:
    """A signed callback as the server hands it to the application; the status of the answer."""
    fields = {"MessageSid": "SM1", "MessageStatus": word}
    path = f"/hooks/twilio/status/{attempt_id}"
    signature = sign(TOKEN, PUBLIC + path, fields.items()).encode()
    headers = [(b"content-type", b"application/x-www-form-urlencoded"), (b"x-twilio-signature", signature)]
    answer: list[int] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": urlencode(fields).encode(), "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        answer.append(message.get("status", 0))

    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "headers": headers}
    await route(scope, receive, send)
    return answer[0]


def test_a_stop_heard_twice_is_one_stop(house: House) -> None:
    house.patient()
    for _ in range(2):
        assert house.hook("/hooks/twilio/inbound", INBOUND).status_code == 204
    with house.out.sessions() as session:
        assert session.scalar(select(func.count()).select_from(InboundMessage)) == 1
        assert session.scalars(select(Consent.kind)).all() == ["opted_out"]
        assert session.scalars(select(Message.step)).all() == ["reply.stopped"]


@pytest.mark.parametrize("missing", ["MessageSid", "From"])
def test_an_inbound_without_its_essentials_changes_nothing(house: House, missing: str) -> None:
    fields = {name: value for name, value in INBOUND.items() if name != missing}
    assert house.hook("/hooks/twilio/inbound", fields).status_code == 204
    with house.out.sessions() as session:
        assert session.scalar(select(func.count()).select_from(InboundMessage)) == 0
