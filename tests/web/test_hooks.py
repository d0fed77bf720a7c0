"""Carriers' hooks: only what is signed comes in, and coming in twice is harmless."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from outreach.domain.channel import Channel
from outreach.domain.status import Status
from outreach.store.queue import begin_sending
from outreach.store.tables import Consent
from outreach.store.traffic import Event, InboundMessage, Message
from tests.web.house import NOW, House

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


def test_a_receipt_for_no_attempt_is_noted(house: House) -> None:
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    assert house.hook(f"/hooks/twilio/status/{uuid4()}", fields).status_code == 204
    assert house.hook("/hooks/twilio/status/nonsense", fields).status_code == 204


def test_receipts_in_any_order_and_twice_end_as_delivered(house: House) -> None:
    message_id, _ = house.message(house.patient(), "consent.request")
    attempt_id = uuid4()
    with house.out.sessions.begin() as session:
        row = {"id": message_id, "clinic_id": house.clinic_id, "attempt_id": attempt_id, "number": 1,
               "carrier": "twilio", "locale": "en", "wording": "full", "subject_sealed": None, "body_sealed": None,
               "segments": 1, "text_hash": b""}  # fmt: skip
        begin_sending(session, [row], NOW - NOW)
    for word in ("delivered", "sent", "delivered", "queued", "sent"):
        fields = {"MessageSid": "SM1", "MessageStatus": word, "To": "+12025550143"}
        assert house.hook(f"/hooks/twilio/status/{attempt_id}", fields).status_code == 204
    with house.out.sessions() as session:
        assert session.scalar(select(Message.status).where(Message.id == message_id)) == Status.DELIVERED
        heard = session.scalars(select(Event.word).where(Event.message_id == message_id, Event.source == "carrier"))
        assert sorted(heard) == ["delivered", "queued", "sent"]


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


def test_the_sms_carrier_is_the_one_that_reads_receipts(house: House) -> None:
    assert house.out.providers[Channel.SMS].name == "twilio"
