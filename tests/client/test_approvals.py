"""Words are read, approved and taken back by other software, through the client over a real socket."""

from __future__ import annotations

import pytest

from outreach.client import Client, Problem
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
