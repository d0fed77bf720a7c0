"""What takes an alarm or a stop back takes back its own words and no other: a table of texts that were misread."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import pytest
import yaml

from outreach.domain.replies import understand
from tests import shipped

PLAIN = yaml.safe_load(Path(__file__).with_name("reply_plain.yaml").read_text("utf-8"))
TABLE = yaml.safe_load(Path(__file__).with_name("reply_guards.yaml").read_text("utf-8"))


def test_each_is_taken_for_what_it_says() -> None:
    words = shipped.replies()
    wrong = []
    for expect, texts in TABLE.items():
        for text in texts:
            meant = understand(text, words)
            right = {"urgent": bool(meant.urgent), "no alarm": not meant.urgent, "no stop": meant.kind != "stop"}
            if not right.get(expect, meant.kind == expect):
                wrong.append((expect, text, meant.kind, meant.urgent, meant.why))
    assert wrong == []


def test_the_plainest_words_are_never_missed() -> None:
    """Who asks to be called is put before a person, which a call is more than the words of help are."""
    words = shipped.replies()
    asked = [(kind, text) for kind, of in PLAIN.items() for texts in of.values() for text in texts]
    missed = []
    for kind, text in asked:
        meant = understand(text, words)
        if meant.kind != kind and not (kind == "help" and meant.wish == "call"):
            missed.append((kind, text, meant.kind, meant.why))
    assert missed == []
    assert all(len(texts) >= 15 for of in PLAIN.values() for texts in of.values())
    assert {len(of) for of in PLAIN.values()} == {13}


@pytest.mark.parametrize("text", ["no chest pain ", "no chest pain, ", "không đau ngực ", "没有胸痛", "no "])
def test_a_text_that_repeats_itself_costs_no_more_than_a_long_one(text: str) -> None:
    """Nobody denies a thing a hundred times: past a few dozen, nothing is taken back and all of it is heard."""
    words = shipped.replies()
    understand("hello", words)  # the words are laid out at the first message
    said = (text * 1600)[:1560]
    begun = process_time()
    meant = understand(said, words)
    assert process_time() - begun < 0.5, "a tenth of a second and less where nothing else runs"
    assert bool(meant.urgent) == (text != "no ")
