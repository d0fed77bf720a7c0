"""The application as a process runs it: what it holds for good the collector does not walk, and at the end it does."""

from __future__ import annotations

import gc
from weakref import ref

import pytest
from fastapi.testclient import TestClient

from outreach.collector import SELDOM
from outreach.web.app import create
from tests.web.house import House


class Words:
    """As words that were exchanged: nobody's any more, and in a circle."""

    def __init__(self) -> None:
        self.own = self


def test_what_lives_as_long_as_the_process_is_set_aside_and_given_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    monkeypatch.setattr(type(house.out.lexicon), "watch", lambda _self, then: told.append(then))
    gc.unfreeze()  # this suite's own
    before = gc.get_threshold()
    try:
        with TestClient(create(house.out)) as browser:
            assert gc.get_freeze_count() > 100_000
            assert gc.get_threshold() == SELDOM
            assert browser.get("/healthz").status_code == 200
            words = Words()
            earlier = ref(words)
            told[0]()
            del words
            gc.collect()
            assert earlier(), "or the collector walks everything after all"
            told[0]()  # when words are exchanged the next time
            assert not earlier(), "or every save of a translator would cost memory for ever"
        assert (gc.get_freeze_count(), gc.get_threshold()) == (0, before)
    finally:
        gc.freeze()
