"""A whole course of one patient, driven by the client over a real socket: from the plan to the last message."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta

import pytest

from outreach.client import Client, Problem, approved, shapes
from outreach.settings import ROOT
from tests.client.conftest import Listener, Running

PHONE = "+12025550143"
COURSE = ("consent.confirmed", "pre.what_to_expect", "pre.the_day", "pre.tomorrow", "reply.coming", "post.first_hours",
          "post.check_in", "reply.still", "post.first_days", "post.two_weeks", "post.three_months")  # fmt: skip
TOLD = ["message.delivered", "message.cancelled", "message.suppressed", "consent.changed", "inbound.received",
        "task.opened"]  # fmt: skip


def test_a_whole_course_of_one_patient_is_driven_by_the_client(running: Running, listener: Listener) -> None:
    with Client(running.url, running.key) as client:
        assert client.me()["clinic"] == "Fern Street Clinic"
        hook = client.add_webhook(listener.url, ["message.delivered"])
        assert client.change_webhook(hook["id"], kinds=TOLD)["kinds"] == sorted(TOLD)
        listener.secret = hook["secret"]
        [sequence] = client.sequences()
        assert set(COURSE) <= {one["key"] for one in client.sequence(sequence["name"])["steps"]}

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

        [course] = client.courses(patient["id"])
        assert (course["id"], client.infusion(infusion["id"])["version"]) == (done["course_id"], 1)
        _live(running, client, patient["id"], {"pre.tomorrow": "1", "post.check_in": "2"})
        whole = {one["id"]: one for one in client.messages(patient_id=patient["id"])}
        assert Counter(one["status"] for one in whole.values() if one["step"] in COURSE)["delivered"] == len(COURSE)
        assert {one["status"] for one in whole.values()} == {"delivered", "cancelled"}
        last = list(whole.values())[-1]
        assert (last["step"], last["status"]) == ("post.three_months", "delivered")
        assert client.message(last["id"]) == last
        assert client.words(last["id"])["text"]
        assert [one["status"] for one in client.events(last["id"])][-1] == "delivered"

        wrote = {one["text"]: one for one in client.inbound(patient_id=patient["id"])}
        assert {text: (one["understood"], one["answer"]) for text, one in wrote.items()} == {
            "1": ("answer", "1"), "2": ("answer", "2"),
        }  # fmt: skip
        [task] = client.tasks()
        assert (task["patient_id"], task["inbound_id"]) == (patient["id"], wrote["2"]["id"])

        assert running.tell() == 0, "what was told is not told again"
        told = Counter((one["type"], one["data"].get("status")) for one in listener.heard)
        for end in ("delivered", "cancelled"):
            assert told[f"message.{end}", end] == sum(one["status"] == end for one in whole.values()) > 0
        assert (told["inbound.received", None], told["task.opened", None]) == (2, 1)
        assert told["consent.changed", None] == len(client.consents(patient["id"]))
        assert {one["type"] for one in listener.heard} == {*TOLD} - {"message.suppressed"}
        assert not [one for one in listener.heard if "Ana" in str(one) or PHONE in str(one)]
        assert "key:form-1" in [one["evidence"] for one in client.export_consents(patient["id"])]

        client.add_infusion(patient["id"], starts="2027-04-01T09:30")
        gone = len(running.carrier.taken)
        stopped = client.revoke_consent(patient["id"], "sms", "call-7")
        assert (stopped["consent"], stopped["allowed"]) == ("revoked_by_staff", False)
        assert stopped["suppressed"] > 0
        running.tell()
        assert "message.suppressed" in {one["type"] for one in listener.heard}
        running.wait_until(running.clock[0] + timedelta(days=30))
        running.pump()
        assert len(running.carrier.taken) == gone, "nothing goes out after the stop"


def _live(running: Running, client: Client, patient_id: str, answers: dict[str, str]) -> None:
    """Let the days go by to each message that is due, and have the patient answer the first of a step with this."""
    answered = set[str]()
    for _ in range(30):
        waiting = [one for one in client.messages(patient_id=patient_id) if one["status"] == "scheduled"]
        if not waiting:
            return
        due = min(datetime.fromisoformat(one["due_at"]) for one in waiting)
        running.wait_until(max(running.clock[0], due) + timedelta(minutes=1))
        running.pump()
        running.deliver()
        arrived = {one["step"] for one in client.messages(patient_id=patient_id, status="delivered")}
        for step in sorted(arrived & answers.keys() - answered):
            answered.add(step)
            running.write(PHONE, answers[step])
        running.tell()
    pytest.fail("the course does not end")


def test_the_clients_shapes_have_the_fields_of_the_document(running: Running) -> None:
    with Client(running.url, running.key) as client:
        document = client.wire.get("/openapi.json")["components"]["schemas"]
    described = {frozenset(one["properties"]) for one in document.values() if "properties" in one}
    named = {
        name: one
        for name, one in (vars(shapes) | vars(approved)).items()
        if hasattr(one, "__annotations__") and name != "TypedDict"
    }
    other = [name for name, one in named.items() if frozenset(one.__required_keys__) not in described]
    assert len(named) > 20
    assert other == []


def test_the_guide_names_each_method_of_the_client() -> None:
    table = (ROOT / "docs" / "api.md").read_text("utf-8").split("| about | methods |")[1].split("\n\n")[0]
    named = re.findall(r"`(\w+)`", table)
    assert sorted(named) == sorted(name for name in vars(Client) if not name.startswith("_"))
