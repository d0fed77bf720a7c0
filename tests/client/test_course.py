"""A whole course of one patient, driven by the client over a real socket: enrolled, agreed, moved, told, stopped."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outreach.client import Client, Problem
from tests.client.conftest import NOW, Listener, Running

PHONE = "+12025550143"


def test_a_whole_course_of_one_patient_is_driven_by_the_client(running: Running, listener: Listener) -> None:
    with Client(running.url, running.key) as client:
        assert client.me()["clinic"] == "Fern Street Clinic"
        hook = client.add_webhook(listener.url, ["message.delivered", "message.suppressed", "consent.changed"])
        listener.secret = hook["secret"]

        preview = client.plan([{"starts": "2026-12-03T09:30"}], channels=["sms"])
        assert "pre.tomorrow" in {one["step"] for one in preview}

        done = client.enrol(
            name="Ana Sample", locale="en", phone=PHONE, external_id="MRN-1042",
            infusions=[{"starts": "2026-12-03T09:30", "external_id": "V-1"}], idempotency_key="enrol-1042",
        )  # fmt: skip
        again = client.enrol(
            name="Ana Sample", locale="en", phone=PHONE, external_id="MRN-1042",
            infusions=[{"starts": "2026-12-03T09:30", "external_id": "V-1"}], idempotency_key="enrol-1042",
        )  # fmt: skip
        assert again == done
        patient = done["patient"]
        assert [one["id"] for one in client.find_patients(phone="202-555-0143")] == [patient["id"]]

        agreed = client.record_consent(
            patient["id"], channel="sms", method="paper", evidence="form-1", at="2026-11-22T10:00:00Z", warned=True
        )
        assert (agreed["consent"], agreed["allowed"]) == ("agreed", True)

        infusion = client.infusions(done["course_id"])[0]
        foreseen = client.preview_move(infusion["id"], starts="2026-12-04T10:00")
        assert {one["local"] for one in foreseen["coming"]}.isdisjoint(one["local"] for one in foreseen["leaving"])
        assert client.infusions(done["course_id"])[0] == infusion, "a preview writes nothing"
        moved = client.move_infusion(infusion, starts="2026-12-04T10:00")
        assert moved["infusion"]["starts"] == "2026-12-04T10:00"
        with pytest.raises(Problem) as stale:
            client.move_infusion(infusion, starts="2026-12-05T10:00")
        assert (stale.value.status, stale.value.kind) == (412, "changed-meanwhile")

        running.pump()
        running.deliver()
        first = next(one for one in client.messages(patient_id=patient["id"]) if one["status"] == "delivered")
        assert client.words(first["id"])["text"]
        assert [one["status"] for one in client.events(first["id"])][-1] == "delivered"

        assert running.tell() > 0
        told = {one["type"] for one in listener.heard}
        assert told == {"message.delivered", "consent.changed"}
        assert "Ana" not in str(listener.heard)
        assert PHONE not in str(listener.heard)
        assert running.tell() == 0, "what was told is not told again"

        gone = len(running.carrier.taken)
        stopped = client.revoke_consent(patient["id"], "sms", "call-7")
        assert (stopped["consent"], stopped["allowed"]) == ("revoked_by_staff", False)
        assert stopped["suppressed"] > 0
        running.tell()
        assert "message.suppressed" in {one["type"] for one in listener.heard}
        running.wait_until(NOW + timedelta(days=10))
        running.pump()
        assert len(running.carrier.taken) == gone, "nothing goes out after the stop"
