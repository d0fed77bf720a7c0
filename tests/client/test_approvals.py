"""Words are read, approved and taken back by other software, through the client over a real socket."""

from __future__ import annotations

import pytest

from outreach.actions.instruct import instruct
from outreach.client import Client, Problem
from outreach.domain.access import Role
from outreach.store import clinics, staff
from tests.client.conftest import Running

ANA = {"reviewer": "Ana Ruiz", "role": "certified medical translator"}


def test_words_are_approved_as_they_were_read_and_taken_back(running: Running) -> None:
    with Client(running.url, running.key) as client:
        offered = {one["locale"]: one["offered"] for one in client.languages()}
        assert offered["en"]
        every = list(client.approvals(limit=20, locale="en"))
        assert len({one["text"] for one in every}) == len(every) > 20, "page by page, each once"
        assert {one["state"] for one in every} == {"approved"}
        assert all(one["decision"] and one["decision"]["demo"] for one in every)

        gone = client.withdraw_approval("en", "pre.tomorrow", **ANA)
        assert (gone["state"], gone["decision"] and gone["decision"]["approved"]) == ("withdrawn", False)
        [lacking] = [one["lacking"] for one in client.languages() if one["locale"] == "en"]
        assert lacking == ["pre.tomorrow"]
        [waiting] = client.approvals(state="withdrawn")
        words = client.approval(waiting["locale"], waiting["text"])
        assert words["units"][0]["forms"]
        assert not any(unit["errors"] for unit in words["units"])

        with pytest.raises(Problem) as stale:
            client.approve({**waiting, "digest": "0" * 64}, **ANA)
        assert stale.value.status == 409
        done = client.approve(words, **ANA)
        assert (done["state"], done["digest"]) == ("approved", waiting["digest"])
        assert done["decision"]
        assert (done["decision"]["reviewer"], done["decision"]["demo"]) == ("Ana Ruiz", False)
        assert client.approve(words, **ANA) == done, "again changes nothing"

        for locale, text, status in (("en", "nothing", 422), ("xx", "neutral", 422)):
            with pytest.raises(Problem) as wrong:
                client.approve({**waiting, "locale": locale, "text": text}, **ANA)
            assert wrong.value.status == status
        with pytest.raises(Problem) as unknown:
            client.approval("en", "nothing")
        assert unknown.value.status == 404


def test_a_clinics_own_instruction_is_approved_as_the_shared_words_are(running: Running) -> None:
    out = running.out
    with out.sessions.begin() as session:
        clinic_id = clinics.chosen(session, "fern").id
        wrote = staff.add(session, clinic_id=clinic_id, email="t@north.example", name="Ana Ruiz", role=Role.TRANSLATOR)
        for locale, text in (("en", "Eat nothing after 22:00."), ("es", "No coma nada después de las 22:00.")):
            instruct(session, clinic_id, locale, {"food": text}, {}, out.clock(), by=wrote)
    with Client(running.url, running.key) as client:
        own = {one["locale"]: one for one in client.approvals() if one["text"] == "own.food"}
        assert {locale: one["state"] for locale, one in own.items()} == {"en": "not_approved", "es": "not_approved"}
        assert client.approve(own["en"], **ANA)["state"] == "approved", "what was written first has no translator"
        with pytest.raises(Problem) as same:
            client.approve(own["es"], **ANA)
        assert same.value.status == 422
        done = client.approve(client.approval("es", "own.food"), reviewer="Rosa Lee", role="nurse")
        assert (done["state"], done["units"][0]["source"]) == ("approved", "Eat nothing after 22:00.")
        with out.sessions() as session:
            spoken = out.speakers.of(session, clinic_id, out.words)
        assert spoken.instructions("es", "+12025550100") == "No coma nada después de las 22:00."
        assert client.withdraw_approval("es", "own.food", reviewer="Rosa Lee", role="nurse")["state"] == "withdrawn"
